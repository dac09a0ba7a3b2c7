//! Typed system calls, one wrapper for each kernel operation; with start.rs the only unsafe code of the init.
//!
//! Holds on entry: nothing but what the types say. Holds on exit: whatever was opened closes when the service is
//! executed, and every failure is an [`Errno`]; only the step that called adds what it was doing.
//! Only calls that every 64-bit architecture has are used: the *at family, no `open`, `mkdir`, `pipe` …

mod call;
mod files;
#[cfg(feature = "marks")]
mod marks;
mod modules;
mod mounts;
mod process;
mod status;
mod word;

pub use files::*;
#[cfg(feature = "marks")]
pub use marks::*;
pub use modules::*;
pub use mounts::*;
pub use process::*;
pub use status::Status;
pub use word::{Name, Place, Table, Word};

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
