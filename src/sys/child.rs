//! Child processes, started and waited for.

use super::call::{Errno, call};
use super::process::exit;
use linux_raw_sys::errno::{ECHILD, EIO};
use linux_raw_sys::general::{__WCLONE, CLONE_VFORK, WNOHANG};
use linux_raw_sys::ioctl::TIOCSCTTY;

/// A process's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pid(i32);

impl Pid {
    /// No process: what wait4(2) returns with WNOHANG if no child has ended.
    pub const NONE: Self = Self(0);

    pub fn number(self) -> i32 {
        self.0
    }
}

/// How a process has ended: a wait status, wait(2).
#[derive(Clone, Copy)]
pub struct Ended(u32);

impl Ended {
    /// The signal that ended it, if one did.
    pub fn signal(self) -> Option<u8> {
        Some(self.0 as u8 & 0x7f).filter(|signal| *signal != 0)
    }

    /// Its argument to exit(3), if no signal ended it.
    pub fn exit_status(self) -> u8 {
        (self.0 >> 8) as u8
    }

    pub fn is_success(self) -> bool {
        self.0 == 0
    }

    /// As a shell reports it: the exit status, or 128 plus the signal.
    pub fn code(self) -> u8 {
        self.signal().map_or(self.exit_status(), |signal| 128 + signal)
    }
}

/// `clone(CLONE_VFORK)`: starts a program in a child. There `execute` runs, which must end with execve(2) and returns only on failure.
/// Returns when the child has become the program, else fails with the errno of `execute`: clone(2).
pub fn start(execute: &mut dyn FnMut() -> Result<(), Errno>) -> Result<Pid, Errno> {
    // SAFETY: without CLONE_VM the child has its own copy of all memory, this stack included.
    let child = unsafe { call!(clone, CLONE_VFORK, 0, 0, 0, 0) }.value()?;
    if child == 0 {
        // The errnos of execve(2), and of the calls before it, fit into an exit status.
        exit(execute().map_or_else(|errno| errno.number() as u8, |()| 0))
    }
    // clone(2) was told no signal for the child's end. __WCLONE finds only such children (wait(2)), and execve(2) makes the signal
    // SIGCHLD. So a child that is found here has not become the program.
    let child = child as i32;
    match wait(child, __WCLONE) {
        Err(errno) if errno == Errno::of(ECHILD) => Ok(Pid(child)),
        Err(errno) => Err(errno),
        Ok((_, ended)) => Err(Errno::numbered(ended.exit_status()).unwrap_or(Errno::of(EIO))),
    }
}

/// `wait4(-1)`: waits for any child's end: wait(2). ECHILD if there is none.
pub fn wait_for_any() -> Result<(Pid, Ended), Errno> {
    wait(ANY, 0)
}

/// `wait4(-1, WNOHANG)`: a child that has ended, [`Pid::NONE`] if all are still running: wait(2). ECHILD if there is none.
pub fn reap() -> Result<(Pid, Ended), Errno> {
    wait(ANY, WNOHANG)
}

/// Any child: wait(2).
const ANY: i32 = -1;

fn wait(child: i32, flags: u32) -> Result<(Pid, Ended), Errno> {
    let mut status = 0;
    // SAFETY: there is memory for an int.
    let pid = unsafe { call!(wait4, child, &raw mut status, flags, 0) }.value()?;
    Ok((Pid(pid as i32), Ended(status)))
}

/// `setsid()`, `ioctl(0, TIOCSCTTY)`: a new session, with descriptor 0 as its controlling terminal if it is a terminal: setsid(2),
/// ioctl_tty(2).
pub fn begin_session() -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(setsid) }.value()?;
    // Fails if it is no terminal, or another session's: then this session has none.
    // SAFETY: no memory is touched.
    let _ = unsafe { call!(ioctl, 0, TIOCSCTTY, 0) };
    Ok(())
}
