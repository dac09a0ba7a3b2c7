//! `cargo vm`: the command line.

fn main() {}
