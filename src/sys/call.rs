//! The ground floor: where registers are loaded and the kernel is entered.
//!
//! A system call is made where it is needed, not in a function: the instruction takes two bytes where a call takes
//! five, and it leaves every register but two as it was.

use super::Errno;
use core::num::NonZeroU32;

/// What a system call answered: a value, or an errno as a negative number.
#[derive(Clone, Copy)]
#[must_use]
pub(super) struct Answer(isize);

impl Answer {
    #[inline(always)]
    pub fn new(raw: usize) -> Self {
        Self(raw as isize)
    }

    #[inline(always)]
    pub fn raw(self) -> isize {
        self.0
    }

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

/// Issues a system call, with as many arguments as there are. Unsafe: they must be what the call asks for, see its man
/// page.
macro_rules! call {
    ($name:ident) => {
        call!(@ syscall0, $name)
    };
    ($name:ident, $a:expr) => {
        call!(@ syscall1, $name, $a)
    };
    ($name:ident, $a:expr, $b:expr) => {
        call!(@ syscall2, $name, $a, $b)
    };
    ($name:ident, $a:expr, $b:expr, $c:expr) => {
        call!(@ syscall3, $name, $a, $b, $c)
    };
    ($name:ident, $a:expr, $b:expr, $c:expr, $d:expr) => {
        call!(@ syscall4, $name, $a, $b, $c, $d)
    };
    ($name:ident, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr) => {
        call!(@ syscall5, $name, $a, $b, $c, $d, $e)
    };
    (@ $raw:ident, $name:ident $(, $argument:expr)*) => {
        $crate::sys::call::Answer::new(syscalls::raw::$raw(syscalls::Sysno::$name as usize $(, $argument as usize)*))
    };
}
pub(super) use call;
