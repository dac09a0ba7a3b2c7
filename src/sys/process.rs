//! Init's own process: its number, its descriptors 0 to 2, its limits, becoming a program, exit.

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

/// `fcntl(2, F_GETFD)`: whether descriptor 2 is open: fcntl(2). Only EBADF says that it is not. The kernel opens all three or
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

/// The arguments or the environment that the kernel has passed: pointers to strings up to a null pointer.
pub struct KernelWords(*const Option<CStrPtr<'static>>);

impl KernelWords {
    /// # Safety
    /// `first` points to pointers to NUL-terminated strings, up to a null pointer, and none of that changes while the process runs.
    pub unsafe fn new(first: *const usize) -> Self {
        Self(first.cast())
    }
}

impl Iterator for KernelWords {
    type Item = CStrPtr<'static>;

    fn next(&mut self) -> Option<CStrPtr<'static>> {
        // SAFETY: this is not past the null pointer.
        let word = unsafe { *self.0 }?;
        // SAFETY: this was not the null pointer.
        self.0 = unsafe { self.0.add(1) };
        Some(word)
    }
}

/// What the kernel has passed after argv[0], and memory before that for the words of one line of the plan.
pub struct Arguments(*mut Option<CStrPtr<'static>>);

impl Arguments {
    /// # Safety
    /// `first` points to pointers to NUL-terminated strings, up to a null pointer, and the strings don't change while the process runs.
    /// Nothing else uses the memory for [`MAX_WORDS`](language::MAX_WORDS) pointers right before `first`, nor the pointer at `first`.
    pub unsafe fn new(first: *mut usize) -> Self {
        Self(first.cast())
    }

    /// Removes what the kernel has passed: `run`'s program gets none of it.
    pub fn drop_kernel_words(&mut self) {
        // SAFETY: at least the null pointer is there.
        unsafe { self.0.write(None) };
    }

    /// Puts these words before the kernel's, and returns the first: argv for execve(2).
    fn with(&self, words: Words<'static>) -> *const Option<CStrPtr<'static>> {
        let first = self.0.wrapping_sub(words.len());
        let mut place = first;
        for word in words {
            // SAFETY: a line has at most `MAX_WORDS` words.
            unsafe { place.write(Some(word)) };
            place = place.wrapping_add(1);
        }
        first
    }
}

/// `execve(first of the words, words and arguments, environment)`: returns on failure only: execve(2). E2BIG too if the last place of
/// `environment` is in use.
pub fn execute(
    words: Words<'static>,
    arguments: &Arguments,
    environment: &[Option<CStrPtr<'static>>],
) -> Result<(), Errno> {
    if !matches!(environment, [.., None]) {
        return Err(Errno::of(E2BIG));
    }
    let argv = arguments.with(words);
    // SAFETY: both lists are pointers to NUL-terminated strings with a null pointer at the end, and there is at least one word.
    unsafe { call!(execve, *argv.cast::<usize>(), argv, environment.as_ptr()) }.done()
}

/// `prlimit64(limit, soft and hard)`, of this process and those that it starts: setrlimit(2). `limit` is a RLIMIT_*.
pub fn set_limit(limit: u8, soft: u64, hard: u64) -> Result<(), Errno> {
    let limits = rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: a struct rlimit64 to read, and a null pointer for the old one.
    unsafe { call!(prlimit64, 0, limit, &raw const limits, 0) }.done()
}

/// `exit_group(code)`: exit_group(2). If pid 1 exits, the kernel panics and prints the code.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: does not return.
        let _ = unsafe { call!(exit_group, code) };
    }
}
