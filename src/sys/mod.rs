//! Typed system calls, one wrapper for each kernel operation, most of them as rows of a table; with start.rs the only unsafe
//! code of the init.
//!
//! Holds on entry: nothing but what the types say. Holds on exit: whatever was opened closes when the service is
//! executed, and every failure is an [`Errno`]; only the step that called adds what it was doing.
//! Only calls that every 64-bit architecture has are used: the *at family, no `open`, `mkdir`, `pipe` …

mod arguments;
mod call;
mod files;
mod frame;
#[cfg(feature = "marks")]
mod marks;
mod mounts;
mod process;
mod rows;
mod run;
mod text;
mod word;

pub use arguments::*;
pub use files::*;
pub use frame::{Frame, MAX_WORDS};
#[cfg(feature = "marks")]
pub use marks::*;
pub use mounts::*;
pub use process::*;
pub(crate) use rows::rows;
pub use rows::{Row, RowTable, Rows, pack, size, size_of_all};
pub use text::{MAX_LEN, Place, Span, Text};
pub use word::{List, Name, Tail, Word};

use core::num::NonZeroU32;

/// An error number of the kernel: errno(3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(NonZeroU32);

impl Errno {
    /// One of the constants of `linux_raw_sys::errno`.
    pub const fn of(number: u32) -> Self {
        match NonZeroU32::new(number) {
            Some(number) => Self(number),
            None => panic!("0 is no errno"),
        }
    }

    /// 4095 at most: MAX_ERRNO in include/linux/err.h.
    pub const fn number(self) -> u16 {
        self.0.get() as u16
    }
}
