//! The harness of moveroot, as a library: the command `vm` and the tests use the same code.

pub mod sandbox;
