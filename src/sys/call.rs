//! What a system call is given and answers; `processor` loads the registers and enters the kernel.

use core::num::NonZeroI32;

#[cfg_attr(target_arch = "x86_64", path = "call/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "call/aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "call/riscv64.rs")]
pub(super) mod processor;

/// An error number of the kernel: errno(3). Kept negative, as calls answer it: 400 bytes less than with a sign changed at each call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(NonZeroI32);

impl Errno {
    /// One of the constants of `linux_raw_sys::errno`.
    pub const fn of(number: u32) -> Self {
        match NonZeroI32::new(-(number as i32)) {
            Some(number) => Self(number),
            None => panic!("0 is no errno"),
        }
    }

    /// Of a number that is known at run time alone; none for 0.
    pub fn numbered(number: u8) -> Option<Self> {
        NonZeroI32::new(-i32::from(number)).map(Self)
    }

    /// 4095 at most: MAX_ERRNO in include/linux/err.h.
    pub const fn number(self) -> u16 {
        self.0.get().wrapping_neg() as u16
    }
}

/// What a call has answered: a value, or a negative errno. None called here answers more than MAX_RW_COUNT (include/linux/fs.h), so
/// 32 bits hold it.
#[derive(Clone, Copy)]
#[must_use]
pub(super) struct Answer(i32);

impl Answer {
    pub fn new(answer: usize) -> Self {
        Self(answer as i32)
    }

    /// The value, or the errno.
    pub fn value(self) -> Result<u32, Errno> {
        match NonZeroI32::new(self.0) {
            Some(number) if self.0 < 0 => Err(Errno(number)),
            _ => Ok(self.0 as u32),
        }
    }

    /// For calls whose only value is 0.
    pub fn done(self) -> Result<(), Errno> {
        NonZeroI32::new(self.0).map_or(Ok(()), |number| Err(Errno(number)))
    }

    /// Whether the errno is this one; 0 is success.
    pub fn is(self, errno: u32) -> bool {
        self.0 == -(errno as i32)
    }
}

/// Makes a system call, and makes it again where a signal came between: signal(7). Unsafe: the arguments must be what the call
/// asks for, see its man page.
macro_rules! call {
    ($name:ident $(, $argument:expr)*) => { $crate::sys::call::call!(@ syscalls::Sysno::$name $(, $argument)*) };
    (@ $number:expr) => { $crate::sys::call::call!(@ $number, 0) };
    (@ $number:expr $(, $argument:expr)*) => {
        $crate::sys::call::Answer::new($crate::sys::call::processor::enter_with!($crate::sys::call::processor::enter, $number $(, $argument)*))
    };
}
pub(super) use call;
