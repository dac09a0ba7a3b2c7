//! A system call's arguments and result. `processor` loads the registers and enters the kernel.

use core::num::NonZeroI32;

#[cfg_attr(target_arch = "x86_64", path = "call/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "call/aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "call/riscv64.rs")]
pub(super) mod processor;

/// An error number of the kernel: errno(3). Kept negative, as calls return it: changing the sign at each call took 400 bytes.
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

    /// From a number that is known only at run time; none for 0.
    pub fn numbered(number: u8) -> Option<Self> {
        NonZeroI32::new(-i32::from(number)).map(Self)
    }

    /// 4095 at most: MAX_ERRNO in include/linux/err.h.
    pub const fn number(self) -> u16 {
        self.0.get().wrapping_neg() as u16
    }
}

/// What a call has returned: a value, or a negative errno. 32 bits hold it: no call made here returns more than MAX_RW_COUNT
/// (include/linux/fs.h), which is below 2^31.
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

/// Makes the system call of this name, and repeats it if a signal interrupted it: signal(7). With `@` before it the call's number may be
/// known only at run time. Unsafe: the arguments must be those that the call's man page asks for.
macro_rules! call {
    ($name:ident $(, $argument:expr)*) => { $crate::sys::call::call!(@ syscalls::Sysno::$name $(, $argument)*) };
    (@ $number:expr) => { $crate::sys::call::call!(@ $number, 0) };
    (@ $number:expr $(, $argument:expr)*) => {
        $crate::sys::call::Answer::new($crate::sys::call::processor::enter_with!($crate::sys::call::processor::enter, $number $(, $argument)*))
    };
}
pub(super) use call;
