//! moveroot, the `/init` of a microVM's initramfs.
//!
//! The stages of a boot, each the name of a module:
//! 1. `boot`: reads the plan, runs each step, hands over.
//! 2. `root`, `mounts`, `carry`, `service`: what the steps do. They don't import each other.
//! 3. `report`: one message grammar, one printing site, one death path.
//! 4. `plan`, with `verb`, `options`, `fault`, `line`, `table` and `texts`: the plan language, bytes to steps, and the words that
//!    init has. The host tools use it too, and `check`, which is theirs alone.
//! 5. `sys`: system calls, most of them as rows of a table: `rows` says what a row is, `arguments` what is in it, `run` issues
//!    it; with start.rs the only unsafe code.
//!
//! Imports point down this list only. Principles: the kernel is told each thing once and asked nothing that its
//! answers to the other calls already tell; whatever can be checked is checked before the first step runs; every
//! failure is one line that names the plan, the line, the step, the object and the errno.
#![no_std]
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

pub mod boot;
mod carry;
pub mod check;
mod errno;
pub mod fault;
mod line;
mod mounts;
pub mod options;
pub mod plan;
mod report;
mod root;
mod service;
#[allow(unsafe_code)]
pub mod sys;
mod table;
pub mod texts;
pub mod verb;

pub use report::Exit;
