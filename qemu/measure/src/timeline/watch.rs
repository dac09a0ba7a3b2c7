//! What this machine notes of a boot for its timeline: when QEMU was started, what came through the port of marks, and
//! what the firmware asked of QEMU.

use std::fs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use agent::port;
use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use super::Timeline;
use super::marks::Marks;
use machine::clock;
use machine::port::Live;

/// For the kernel's command line: the agent is to mark too, and the kernel to believe its clock. Under TCG on a busy
/// machine it would suspect the time stamp counter, and count ticks instead, of which it misses some.
pub const APPEND: &str = "agent_marks=1 tsc=reliable";

/// A boot that is watched, from just before QEMU's start.
pub struct Watch {
    port: Live,
    trace: NamedTempFile,
    started: Instant,
    started_at: SystemTime,
}

impl Watch {
    pub fn new() -> Result<Watch> {
        let trace = NamedTempFile::new().context("cannot make a temporary file")?;
        let port = Live::listen(port::MARKS)?;
        Ok(Watch { port, trace, started: Instant::now(), started_at: SystemTime::now() })
    }

    /// For QEMU's command line. The firmware asks for the kernel by the device fw_cfg, a dozen times in all.
    pub fn words(&self) -> Vec<String> {
        let mut words = self.port.words();
        words.extend(["-trace", "fw_cfg_select", "-msg", "timestamp=on", "-D"].map(String::from));
        words.push(self.trace.path().display().to_string());
        words
    }

    /// The timeline, when QEMU has ended. None where no mark came: the service is not one that marks.
    pub fn timeline(self, plan: &str) -> Result<Option<Timeline>> {
        let log = fs::read_to_string(self.trace.path()).context("cannot read QEMU's trace")?;
        let firmware = asked(&log).map(|(first, last)| (self.since_start(first), self.since_start(last)));
        let heard = self.port.heard()?;
        let marks = Marks::read(&heard.bytes)?;
        let khz = clock::tsc_khz() as f64;
        // What came through the fastest tells how the guest's clock stands to ours.
        let arrivals = marks.ends.iter().filter_map(|(end, ticks)| {
            let arrival = heard.arrival(*end)?.duration_since(self.started).as_secs_f64() * 1e6;
            Some((arrival, arrival - *ticks as f64 * 1000.0 / khz))
        });
        let arrivals: Vec<(f64, f64)> = arrivals.collect();
        let Some((whole, _)) = arrivals.last() else { return Ok(None) };
        let offset = arrivals.iter().map(|(_, offset)| *offset).fold(f64::INFINITY, f64::min);
        Timeline::in_time(&marks, plan, firmware, khz, offset, *whole).map(Some)
    }

    /// The same where the guest's clock counts instructions.
    pub fn counted(self, plan: &str) -> Result<Timeline> {
        Timeline::in_instructions(&Marks::read(&self.port.heard()?.bytes)?, plan)
    }

    /// Microseconds.
    fn since_start(&self, seconds: f64) -> f64 {
        let start = self.started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        (seconds - start.as_secs_f64()) * 1e6
    }
}

/// When the firmware asked first and last, in seconds of the epoch: lines begin with `PROCESS@SECONDS:EVENT`. What QEMU
/// asked of itself before, it asked by its main thread, whose number is the process's.
fn asked(log: &str) -> Option<(f64, f64)> {
    let event = |line: &str| {
        let (thread, rest) = line.split_once('@')?;
        Some((thread.to_string(), rest.split_once(':')?.0.parse::<f64>().ok()?))
    };
    let events: Vec<(String, f64)> = log.lines().filter_map(event).collect();
    let firmware = &events.last()?.0;
    let first = events.iter().find(|(thread, _)| thread == firmware)?.1;
    Some((first, events.last()?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firmwares_thread_is_told_from_qemus() {
        let log = "7@100.000001:fw_cfg_select 0x5 key 0x0000 'signature', ret: 1\n\
                   8@100.500000:fw_cfg_select 0x5 key 0x0001 'id', ret: 1\n\
                   8@101.250000:fw_cfg_select 0x5 key 0x0012 'initrd_data', ret: 1\n";
        assert_eq!(asked(log), Some((100.5, 101.25)));
        assert_eq!(asked(""), None);
    }
}
