//! What comes of a started init: its end, in time or by the limit, and what it wrote until then.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::fs::{MemfdFlags, memfd_create};

/// How PID 1 ended.
pub struct Ending {
    pub status: ExitStatus,
    /// It was killed, because it had not ended in time.
    pub timed_out: bool,
}

/// Waits for the end, or kills at the time limit.
pub fn until_end(mut child: Child, limit: Duration) -> Result<Ending> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ending { status, timed_out: false });
        }
        if Instant::now() > deadline {
            child.kill()?;
            return Ok(Ending { status: child.wait()?, timed_out: true });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
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
