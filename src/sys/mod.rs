//! Typed system calls: one function for each operation that init asks of the kernel, with its man page.
//!
//! Holds on entry: nothing but what the types say. Holds on exit: every failure is an [`Errno`]; the calling step adds what it was
//! doing. A call that a signal interrupted was repeated. A [`Descriptor`] closes when it is dropped and, unless it is 0, 1 or 2, when
//! the service is executed.
//! Paths are looked up from the process's root or, where they do not begin with a slash, from its working directory.
//! Only calls that every 64-bit architecture has are used: the *at family, no `open`, `mkdir`, `pipe` …
//!
//! From the top down; each imports only from those below it:
//! - [`child`]: child processes, started and waited for.
//! - [`process`]: init's own process: descriptors 0 to 2, limits, becoming a program, exit.
//! - [`mount`]: mounts, and which directory `/` is.
//! - [`status`]: what fstat(2) says of an open file.
//! - [`tree`]: a directory and its entries.
//! - [`file`](mod@file): files made, opened, read, written.
//! - [`machine`]: time, disks, and the end of the machine.
//! - [`signal`]: signals blocked, waited for, sent.
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
