//! What the agent found, as the harness reads it.
