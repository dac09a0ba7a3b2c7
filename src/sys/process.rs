//! The process itself: who it is, its descriptors 0 to 2, what it becomes, how it ends.

use super::arguments::*;
use super::call::call;
use super::rows::Row;
use super::{Descriptor, Errno, Frame, Tail};
use linux_raw_sys::errno::EBADF;
use linux_raw_sys::general::F_GETFD;
use syscalls::Sysno;

/// `getpid()`: getpid(2).
pub fn process_id() -> usize {
    // SAFETY: takes nothing, cannot fail.
    unsafe { call!(getpid) }.value().unwrap_or(0)
}

/// Standard error.
pub const STANDARD_ERROR: Descriptor = Descriptor(2);

/// `fcntl(2, F_GETFD)`: whether standard error is open, which nothing but EBADF denies: fcntl(2). The kernel opens all
/// three or none (console_on_rootfs in init/main.c).
pub fn has_standard_error() -> bool {
    // SAFETY: no memory is touched.
    !unsafe { call!(fcntl, 2, F_GETFD) }.is(Errno::of(EBADF))
}

/// `dup(file)` until 0, 1 and 2 are open, `file` itself being the first of them: dup(2).
pub fn become_standard(file: Descriptor) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    while unsafe { call!(dup, file.0) }.value()? < 2 {}
    Ok(())
}

/// `execve(path, ARGUMENTS, ENVIRONMENT)`: returns only to say why not. execve(2).
pub const fn execute(path: Argument) -> Row {
    Row::call(Sysno::execve, [path, ARGUMENTS, ENVIRONMENT])
}

impl Frame<'_> {
    /// What [`execute`] passes on: the words behind the verb, `count` with it, then those of the list.
    #[inline(always)]
    pub fn set_arguments(&mut self, count: usize, list: &Tail) {
        self.set(ARGUMENTS, list.behind(self, count));
    }
}

/// `exit_group(code)`: exit_group(2). For pid 1 the kernel panics and prints the code.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: does not return.
        let _ = unsafe { call!(exit_group, code) };
    }
}
