//! The process itself: who it is, its descriptors 0 to 2, what it becomes, how it ends.

use super::call::{Errno, call};
use super::file::Descriptor;
use core::mem::ManuallyDrop;
use language::{CStrPtr, Words};
use linux_raw_sys::errno::{E2BIG, EBADF};
use linux_raw_sys::general::{F_GETFD, rlimit64};

/// `getpid()`: whether this process is the first of its pid namespace. getpid(2).
pub fn is_pid_1() -> bool {
    // SAFETY: takes nothing, cannot fail.
    unsafe { call!(getpid) }.value() == Ok(1)
}

/// Descriptor 2, which is never closed.
pub fn standard_error() -> ManuallyDrop<Descriptor> {
    ManuallyDrop::new(Descriptor(2))
}

/// `fcntl(2, F_GETFD)`: whether descriptor 2 is open, closed only if EBADF: fcntl(2). The kernel opens all three or
/// none (console_on_rootfs in init/main.c).
pub fn has_standard_error() -> bool {
    // SAFETY: no memory is touched.
    !unsafe { call!(fcntl, 2, F_GETFD) }.is(EBADF)
}

/// `dup(stdin)` until 1 and 2 are open too: dup(2). `stdin` is descriptor 0, and stays open.
pub fn open_stdout_and_stderr(stdin: Descriptor) -> Result<(), Errno> {
    let stdin = ManuallyDrop::new(stdin);
    // SAFETY: no memory is touched.
    while unsafe { call!(dup, stdin.0) }.value()? < 2 {}
    Ok(())
}

/// What the kernel has passed of one kind, arguments or environment: pointers to strings up to a null pointer.
pub struct KernelWords(*const Option<CStrPtr<'static>>);

impl KernelWords {
    /// # Safety
    /// That is what is there, and it stays as it is.
    pub unsafe fn new(first: *const usize) -> Self {
        Self(first.cast())
    }
}

impl Iterator for KernelWords {
    type Item = CStrPtr<'static>;

    fn next(&mut self) -> Option<CStrPtr<'static>> {
        // SAFETY: not behind the null pointer.
        let word = unsafe { *self.0 }?;
        // SAFETY: this was not the null pointer.
        self.0 = unsafe { self.0.add(1) };
        Some(word)
    }
}

/// What the kernel has passed after argv[0], and memory before it for the arguments of the plan.
pub struct Arguments(*mut Option<CStrPtr<'static>>);

impl Arguments {
    /// # Safety
    /// There are pointers to strings up to a null pointer, which stay as they are, and before them memory for a line's words,
    /// which nobody else uses.
    pub unsafe fn new(first: *mut usize) -> Self {
        Self(first.cast())
    }

    /// Leaves out what the kernel has passed: for a program that is not the service, in a process that is not pid 1.
    pub fn drop_kernel_words(&mut self) {
        // SAFETY: there is a pointer at least, the null pointer.
        unsafe { self.0.write(None) };
    }

    /// Puts these words before the kernel's, and returns where the whole begins.
    fn with(&self, words: Words<'static>) -> *const Option<CStrPtr<'static>> {
        let first = self.0.wrapping_sub(words.len());
        let mut place = first;
        for word in words {
            // SAFETY: a line has no more words than there is memory for.
            unsafe { place.write(Some(word)) };
            place = place.wrapping_add(1);
        }
        first
    }
}

/// `execve(first of the words, words and arguments, environment)`: returns only to say why not. execve(2). E2BIG of an
/// environment that isn't ended by `None`.
pub fn execute(
    words: Words<'static>,
    arguments: &Arguments,
    environment: &[Option<CStrPtr<'static>>],
) -> Result<(), Errno> {
    if !matches!(environment, [.., None]) {
        return Err(Errno::of(E2BIG));
    }
    let argv = arguments.with(words);
    // SAFETY: both lists are pointers to NUL-terminated strings with a null pointer behind, and a line has a word at least.
    unsafe { call!(execve, *argv.cast::<usize>(), argv, environment.as_ptr()) }.done()
}

/// `prlimit64(limit, soft and hard)`, of this process and those it starts: setrlimit(2).
pub fn set_limit(limit: u8, soft: u64, hard: u64) -> Result<(), Errno> {
    let limits = rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: a struct rlimit64, and no memory for what was there before.
    unsafe { call!(prlimit64, 0, limit, &raw const limits, 0) }.done()
}

/// `exit_group(code)`: exit_group(2). For pid 1 the kernel panics and prints the code.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: does not return.
        let _ = unsafe { call!(exit_group, code) };
    }
}
