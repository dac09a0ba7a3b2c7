//! What breaks things: each system call failing in each way, texts that nobody would write, every kernel in every scenario.

pub mod faults;
pub mod fuzz;
pub mod matrix;
