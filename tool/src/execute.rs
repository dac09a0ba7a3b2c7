//! From a forked child to another program. What runs here runs between fork and exec in a program of several threads: it
//! makes system calls and nothing else, above all no allocation.

use std::convert::Infallible;
use std::ffi::{CString, c_char};
use std::io;

use anyhow::Result;

/// Every disposition default, none blocked. By system call: the C library refuses its own two signals. SIGKILL and
/// SIGSTOP refuse as well, and need nothing.
pub fn default_signals() {
    let default = [0_usize; 4];
    for signal in 1..=64 {
        let (none, set_size) = (std::ptr::null_mut::<usize>(), size_of::<u64>());
        // SAFETY: all zero is the kernel's sigaction of SIG_DFL; it takes a handler away and installs none.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, set_size) };
    }
    // SAFETY: an all-zero set is a valid, empty one.
    let none = unsafe { std::mem::zeroed() };
    // SAFETY: reads one signal set, writes none.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut()) };
}

/// The arguments of execve(2), laid out before the fork. The environment keeps its order, which
/// `std::process::Command` would sort.
pub struct ProgramImage {
    path: CString,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    /// What the two lists point to.
    _words: Vec<CString>,
}

// SAFETY: the pointers lead into the struct's own words, which never change.
unsafe impl Send for ProgramImage {}
// SAFETY: as above; nothing is written after `new`.
unsafe impl Sync for ProgramImage {}

impl ProgramImage {
    pub fn new(path: &str, arguments: &[String], environment: &[String]) -> Result<ProgramImage> {
        let words = arguments.iter().chain(environment).map(|word| CString::new(word.as_str()));
        let words = words.collect::<Result<Vec<_>, _>>()?;
        let (first, rest) = words.split_at(arguments.len());
        let list = |words: &[CString]| {
            let pointers = words.iter().map(|word| word.as_ptr());
            pointers.chain([std::ptr::null()]).collect::<Vec<_>>()
        };
        let (arguments, environment) = (list(first), list(rest));
        Ok(ProgramImage { path: CString::new(path)?, arguments, environment, _words: words })
    }

    /// Becomes the program; returns only to say why not.
    pub fn execute(&self) -> io::Result<Infallible> {
        let (arguments, environment) = (self.arguments.as_ptr(), self.environment.as_ptr());
        // SAFETY: both lists end with a null pointer, and their words live as long as they do.
        unsafe { libc::execve(self.path.as_ptr(), arguments, environment) };
        Err(io::Error::last_os_error())
    }
}
