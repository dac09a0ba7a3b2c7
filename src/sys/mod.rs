//! Typed system calls, one function for each thing that the init asks of the kernel, with its man page.
//!
//! Holds on entry: nothing but what the types say. Holds on exit: every failure is an [`Errno`]; only the step that called adds
//! what it was doing. A call that a signal has interrupted was made again. A [`Descriptor`] closes when it is dropped, and, but
//! for the standard ones, when the service is executed.
//! Paths are looked up from the process's root or, where they do not begin with a slash, from its working directory.
//! Only calls that every 64-bit architecture has are used: the *at family, no `open`, `mkdir`, `pipe` …
//!
//! - [`child`]: processes started and waited for.
//! - [`process`]: the process itself, its descriptors 0 to 2, its limits, what it becomes, how it ends.
//! - [`machine`]: time, disks, and the end of the machine.
//! - [`signal`]: signals blocked, waited for, sent.
//! - [`mount`]: mounts, and where `/` is.
//! - [`status`]: what is known of an open file.
//! - [`tree`]: a directory and what lies in it.
//! - [`file`](mod@file): files made, opened, read, written.
//! - `call`: where the kernel is entered.
#![allow(unsafe_code)]

mod call;
pub mod child;
pub mod file;
pub mod machine;
#[cfg(feature = "marks")]
pub mod marks;
pub mod mount;
pub mod process;
pub mod signal;
pub mod status;
pub mod tree;

pub use call::Errno;
pub use file::Descriptor;
