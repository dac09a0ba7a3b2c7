//! What comes of a started init: its end, in time or by the limit, and what it wrote until then.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tool::tracer::End;

pub struct Ending {
    pub end: End,
    /// It was killed, because it had not ended in time.
    pub timed_out: bool,
}

impl Ending {
    /// One that was to be killed may have ended by itself before.
    pub fn of(end: End, is_late: bool) -> Ending {
        let timed_out = is_late && matches!(end, End::Killed(nix::sys::signal::Signal::SIGKILL));
        Ending { end, timed_out }
    }
}

/// Waits for the end, or kills at the time limit.
pub fn until_end(pid: Pid, limit: Duration) -> Result<Ending> {
    let process = pidfd(pid)?;
    let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&Timespec::try_from(limit)?));
    let is_late = ended.context("cannot wait for init: poll(2)")? == 0;
    if is_late {
        kill(&process);
    }
    Ok(Ending::of(End::of(pid)?, is_late))
}

/// A process that stays this one, whoever gets its number.
pub fn pidfd(pid: Pid) -> Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid.as_raw()).context("no process has the number 0")?;
    pidfd_open(pid, PidfdFlags::empty()).context("cannot open a process: pidfd_open(2)")
}

/// One that has ended in the meantime needs no killing.
pub fn kill(process: impl AsFd) {
    let _ = pidfd_send_signal(process, Signal::KILL);
}

/// A file that is nowhere but in memory.
pub fn memory() -> Result<File> {
    Ok(memfd_create("sandbox", MemfdFlags::CLOEXEC).context("cannot make a file in memory")?.into())
}

/// All that was written to a file in memory.
pub fn written(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Everything that is in a pipe by now.
pub fn drain(pipe: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    match pipe.read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error).context("cannot read kmsg"),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
