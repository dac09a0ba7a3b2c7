//! Signals, blocked, waited for and sent.

use super::call::{Errno, call};
use linux_raw_sys::general::SIG_SETMASK;

/// A set of signals as the kernel takes it: bit 0 is signal 1.
#[derive(Clone, Copy)]
pub struct Signals(u64);

impl Signals {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(u64::MAX);

    /// The set of these signals.
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
        // SAFETY: the kernel reads a set of this size.
        unsafe { call!(rt_sigprocmask, SIG_SETMASK, &raw const self.0, 0, size_of::<u64>()) }.done()
    }

    /// `rt_sigtimedwait(these)`: waits for one of these signals, which must be blocked, and returns its number: sigtimedwait(2).
    pub fn wait(self) -> Result<u32, Errno> {
        // SAFETY: a set of this size, and null pointers.
        unsafe { call!(rt_sigtimedwait, &raw const self.0, 0, 0, size_of::<u64>()) }.value()
    }
}

/// For [`send`] by pid 1: all processes but itself and the kernel's own: kill(2).
pub const EVERYONE: i32 = -1;

/// `kill(process, signal)`: kill(2). ESRCH if there is no such process.
pub fn send(process: i32, signal: u32) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(kill, process, signal) }.done()
}
