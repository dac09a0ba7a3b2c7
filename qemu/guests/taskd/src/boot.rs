//! How long init took: both ends are in the kernel's log, by the kernel's clock.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::libc::O_NONBLOCK;

const LOG: &str = "/dev/kmsg";

/// The kernel's line right before it executes init, and ours; `<6>` is the priority of information.
const INIT: &str = "Run /init as init process";
const OURS: &str = "taskd: started";

/// More than a record has: Documentation/ABI/testing/dev-kmsg.
const RECORD: usize = 8192;

/// From init's execution to now.
pub fn time_of_init() -> Result<Duration> {
    // Without an end of line it could be gone on with, and can't be read yet.
    fs::write(LOG, format!("<6>{OURS}\n")).context(LOG)?;
    let mut log = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(LOG).context(LOG)?;
    let (mut init, mut ours) = (None, None);
    while let Some(record) = next(&mut log)? {
        // `PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT`
        let Some((head, text)) = record.split_once(';') else { continue };
        let time = head.split(',').nth(2).and_then(|time| time.parse().ok()).map(Duration::from_micros);
        match text.lines().next() {
            Some(INIT) => init = time,
            Some(OURS) => ours = time,
            _ => {}
        }
    }
    let init = init.with_context(|| format!("no line \"{INIT}\" in the kernel's log"))?;
    Ok(ours.context("our own line is not in the kernel's log")?.saturating_sub(init))
}

/// One record a read; none when all have been read.
fn next(log: &mut File) -> Result<Option<String>> {
    let mut record = [0; RECORD];
    loop {
        match log.read(&mut record) {
            Ok(length) => return Ok(Some(String::from_utf8_lossy(&record[..length]).into_owned())),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            // EPIPE: older records went before they were read.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error).context(LOG),
        }
    }
}
