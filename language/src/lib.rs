//! The plan language: bytes to steps. Pure: no system call, no allocation.
//!
//! A plan is text of at most [`MAX_LEN`] bytes, one step a line. [`Plan::read`] goes through it once: every word is checked and
//! cut off with a NUL in place, every step becomes a [`Line`] that says where its words are. Init runs these steps, its build script
//! reads the built-in plan with it, and the tools on the host show steps and name every [`Fault`].
//!
//! - `verb`: the table of verbs, written as their usage lines. To add a verb, begin there.
//! - `parse`: lines to steps, and what is wrong with a line.
//! - `step`: a step and its words.
//! - `options`: mount options to mount(2) flags; `value`: what other words mean.
//! - `table`: names packed into one string of bytes.
//! - `cursor`: positions in a NUL-terminated text; `string`: C strings in it. These have all unsafe code, but for one call in `step`.
#![no_std]
#![deny(unsafe_code, unsafe_op_in_unsafe_fn)]

#[allow(unsafe_code)]
mod cursor;
mod fault;
mod options;
mod parse;
mod step;
#[allow(unsafe_code)]
mod string;
mod table;
mod value;
mod verb;

pub use fault::Fault;
pub use options::{FLAGS, LARGE_PAGES, MountFlags, PROPAGATIONS, ROOT_MODE, ROOT_OPTIONS, is_flag};
pub use parse::{MAX_LEN, check, words};
pub use step::{Line, Lines, MAX_WORDS, Plan, Refusal, Step, Text, Words};
pub use string::CStrPtr;
pub use table::names;
pub use value::{ACTIONS, Action, LIMITS, limit, number, octal};
pub use verb::{Kind, Shape, Verb};
