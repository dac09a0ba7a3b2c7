//! The ground floor: the one place where registers are loaded and the kernel is entered.
//!
//! Every typed call above goes through [`call`] or [`call5`], functions that are never inlined: loading their
//! arguments is what any function call costs, and the instruction stands in the program twice.

use super::Errno;
use core::num::NonZeroU32;
use linux_raw_sys::errno::EINTR;
use syscalls::{Sysno, raw};

/// What a system call answered: a value, or an errno as a negative number.
#[derive(Clone, Copy)]
#[must_use]
pub(super) struct Answer(isize);

impl Answer {
    /// The value, or the errno.
    #[inline(always)]
    pub fn value(self) -> Result<usize, Errno> {
        if self.0 >= 0 {
            return Ok(self.0 as usize);
        }
        // SAFETY: a negative answer is -4095 at the least (MAX_ERRNO in include/linux/err.h), so this is not 0.
        Err(Errno(unsafe { NonZeroU32::new_unchecked(self.0.wrapping_neg() as u32) }))
    }

    /// For calls whose only value is 0: the errno follows without a branch.
    #[inline(always)]
    pub fn done(self) -> Result<(), Errno> {
        match NonZeroU32::new(self.0.wrapping_neg() as u32) {
            Some(errno) => Err(Errno(errno)),
            None => Ok(()),
        }
    }

    #[inline(always)]
    pub fn is(self, errno: Errno) -> bool {
        self.0 as i32 == -(errno.0.get() as i32)
    }
}

/// Issues a system call of up to three arguments, again if a signal interrupted it (`EINTR`, signal(7)). The number
/// comes last, so that the arguments are in the registers that the kernel wants them in.
///
/// # Safety
/// The arguments must be what the call of that number asks for: see its man page.
#[inline(never)]
pub(super) unsafe fn call(a: usize, b: usize, c: usize, number: Sysno) -> Answer {
    loop {
        // SAFETY: the caller's promise, handed on unchanged.
        let answer = unsafe { raw::syscall3(number as usize, a, b, c) } as isize;
        if answer != -(EINTR as isize) {
            return Answer(answer);
        }
    }
}

/// The same with up to five arguments.
///
/// # Safety
/// As for [`call`].
#[inline(never)]
pub(super) unsafe fn call5(a: usize, b: usize, c: usize, d: usize, e: usize, number: Sysno) -> Answer {
    loop {
        // SAFETY: the caller's promise, handed on unchanged.
        let answer = unsafe { raw::syscall5(number as usize, a, b, c, d, e) } as isize;
        if answer != -(EINTR as isize) {
            return Answer(answer);
        }
    }
}
