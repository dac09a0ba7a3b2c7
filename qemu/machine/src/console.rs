//! What a running QEMU says: the guest's serial console and QEMU's own errors, read line by line until both end or
//! a deadline comes.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

/// All that was said.
#[derive(Debug, Default)]
pub struct Said {
    /// The guest's serial console.
    pub console: String,
    /// QEMU's standard error.
    pub errors: String,
    /// The deadline came before the end.
    pub timed_out: bool,
}

/// The two outputs of a running QEMU.
pub struct Console {
    lines: Receiver<(Source, String)>,
}

#[derive(Clone, Copy)]
enum Source {
    Serial,
    Errors,
}

impl Console {
    /// Takes the outputs over; both must be pipes.
    pub fn of(qemu: &mut Child) -> Result<Self> {
        let serial = qemu.stdout.take().context("QEMU's output is no pipe")?;
        let errors = qemu.stderr.take().context("QEMU's error output is no pipe")?;
        let (sender, lines) = mpsc::channel();
        let second = sender.clone();
        thread::spawn(move || send_lines(serial, Source::Serial, &sender));
        thread::spawn(move || send_lines(errors, Source::Errors, &second));
        Ok(Console { lines })
    }

    /// Reads to the end or to the deadline, showing each line of the serial console as it comes.
    pub fn read_until(self, deadline: Instant, show: &mut impl FnMut(&str)) -> Said {
        let mut said = Said::default();
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((Source::Errors, line)) => said.errors.extend([line.as_str(), "\n"]),
                Ok((Source::Serial, line)) => {
                    show(&line);
                    said.console.extend([line.as_str(), "\n"]);
                }
                Err(RecvTimeoutError::Disconnected) => return said,
                Err(RecvTimeoutError::Timeout) => return Said { timed_out: true, ..said },
            }
        }
    }
}

fn send_lines(output: impl Read, source: Source, sender: &Sender<(Source, String)>) {
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end_matches(['\r', '\n']).to_string();
        if sender.send((source, line)).is_err() {
            return;
        }
        bytes.clear();
    }
}
