//! Signals: blocked, waited for, sent.

use super::call::{Errno, call};
use linux_raw_sys::general::SIG_SETMASK;

/// A set of signals, as the kernel has it: bit 0 for signal 1. sigsetops(3)
#[derive(Clone, Copy)]
pub struct Signals(u64);

impl Signals {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u64::MAX);

    /// Those that are listed.
    pub const fn of(signals: &[u32]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < signals.len() {
            set |= 1 << (signals[at] - 1);
            at += 1;
        }
        Self(set)
    }

    /// `rt_sigprocmask(SIG_SETMASK, these)`: blocks these signals and no others: sigprocmask(2).
    pub fn block(self) -> Result<(), Errno> {
        // SAFETY: the kernel reads a set of the size that it is told.
        unsafe { call!(rt_sigprocmask, SIG_SETMASK, &raw const self.0, 0, size_of::<u64>()) }.done()
    }

    /// `rt_sigtimedwait(these)`: takes a signal of these, which must be blocked, when one comes: sigtimedwait(2).
    pub fn wait(self) -> Result<u32, Errno> {
        // SAFETY: a set of the size that is told, and null pointers.
        unsafe { call!(rt_sigtimedwait, &raw const self.0, 0, 0, size_of::<u64>()) }.value()
    }
}

/// All processes but this one and the kernel's own, for pid 1: kill(2).
pub const EVERYONE: i32 = -1;

/// `kill(process, signal)`: kill(2). ESRCH where nobody is there.
pub fn send(process: i32, signal: u32) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(kill, process, signal) }.done()
}
