//! Runs the real init in private namespaces of this machine.
