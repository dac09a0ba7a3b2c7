//! Child processes: started, waited for.

use super::call::{Errno, call};
use super::process::exit;
use linux_raw_sys::errno::{ECHILD, EIO};
use linux_raw_sys::general::{__WCLONE, CLONE_VFORK, WNOHANG};
use linux_raw_sys::ioctl::TIOCSCTTY;

/// A process's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pid(i32);

impl Pid {
    /// No process has this number.
    pub const NONE: Self = Self(0);

    pub fn number(self) -> i32 {
        self.0
    }
}

/// How a process has ended: a wait status, wait(2).
#[derive(Clone, Copy)]
pub struct Ended(u32);

impl Ended {
    /// The signal that ended it.
    pub fn signal(self) -> Option<u8> {
        Some(self.0 as u8 & 0x7f).filter(|signal| *signal != 0)
    }

    /// What it has passed to exit(3), if no signal ended it.
    pub fn exit_status(self) -> u8 {
        (self.0 >> 8) as u8
    }

    pub fn is_success(self) -> bool {
        self.0 == 0
    }

    /// As a shell says it: the exit status, or 128 and the signal.
    pub fn code(self) -> u8 {
        self.signal().map_or(self.exit_status(), |signal| 128 + signal)
    }
}

/// `clone(CLONE_VFORK)`: starts a program in a child, where `execute` must call execve(2) and returns only to say why it could not.
/// Returns when the child has become the program, or with that errno. clone(2)
pub fn start(execute: &mut dyn FnMut() -> Result<(), Errno>) -> Result<Pid, Errno> {
    // SAFETY: the child has a copy of all memory, and goes on with its own copy of this stack.
    let child = unsafe { call!(clone, CLONE_VFORK, 0, 0, 0, 0) }.value()?;
    if child == 0 {
        // Errnos of execve(2) and of what comes before it are below 256.
        exit(execute().map_or_else(|errno| errno.number() as u8, |()| 0))
    }
    // A child without a signal for its end is one that __WCLONE finds (wait(2)), until it executes a program: then that signal is
    // SIGCHLD (execve(2)). So whoever is found has failed.
    let child = child as i32;
    match wait(child, __WCLONE) {
        Err(errno) if errno == Errno::of(ECHILD) => Ok(Pid(child)),
        Err(errno) => Err(errno),
        Ok((_, ended)) => Err(Errno::numbered(ended.exit_status()).unwrap_or(Errno::of(EIO))),
    }
}

/// `wait4(-1)`: the next child that ends: wait(2). ECHILD where there is none.
pub fn wait_for_any() -> Result<(Pid, Ended), Errno> {
    wait(ANY, 0)
}

/// `wait4(-1, WNOHANG)`: a child that has ended already, `Pid::NONE` if all go on: wait(2). ECHILD where there is none.
pub fn reap() -> Result<(Pid, Ended), Errno> {
    wait(ANY, WNOHANG)
}

const ANY: i32 = -1;

fn wait(child: i32, flags: u32) -> Result<(Pid, Ended), Errno> {
    let mut status = 0;
    // SAFETY: there is memory for an int.
    let pid = unsafe { call!(wait4, child, &raw mut status, flags, 0) }.value()?;
    Ok((Pid(pid as i32), Ended(status)))
}

/// `setsid()`, `ioctl(0, TIOCSCTTY)`: a session of one's own, with descriptor 0 as its terminal if it is one. setsid(2), ioctl_tty(2)
pub fn begin_session() -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(setsid) }.value()?;
    // What is no terminal, or is that of another session, is none for this one.
    // SAFETY: no memory is touched.
    let _ = unsafe { call!(ioctl, 0, TIOCSCTTY, 0) };
    Ok(())
}
