//! What a host with real KVM can tell besides: why the guest was left (`perf kvm stat`) and the processor's cycles.
//! Whether this machine lets perf do so is found out by trying.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apt;
use crate::qemu::Accel;

/// Kind, perf's words to record, perf's words to report, the report's file.
const KINDS: [(&str, &[&str], &[&str], &str); 2] = [
    ("exits of the guest", &["kvm", "stat", "record", "--all-cpus"], &["kvm", "stat", "report"], "kvm-stat.txt"),
    ("cycles", &["record", "--all-cpus", "--event=cycles", "--call-graph=fp"], &["report", "--stdio"], "cycles.txt"),
];

/// perfs that record this machine.
pub struct HostPerf {
    running: Vec<(usize, Child)>,
}

impl HostPerf {
    /// Starts what works here, and says what doesn't.
    pub fn start(accel: Accel, out: &Path) -> Result<HostPerf> {
        let mut running = Vec::new();
        if accel == Accel::Tcg {
            eprintln!("vm: no KVM here: perf kvm stat and the processor's cycles are left out");
            return Ok(HostPerf { running });
        }
        for (place, (name, words, ..)) in KINDS.iter().enumerate() {
            let probe = perf(words, out, place)?.args(["sleep", "0.1"]).output().context("cannot run perf")?;
            if !probe.status.success() {
                let said = String::from_utf8_lossy(&probe.stderr);
                let reason = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("perf says nothing");
                eprintln!("vm: {name} are left out, perf cannot record them here: {}", reason.trim());
                continue;
            }
            running.push((place, perf(words, out, place)?.spawn().context("cannot run perf")?));
        }
        Ok(HostPerf { running })
    }

    /// Ends them and writes their reports.
    pub fn finish(self, out: &Path) -> Result<()> {
        for (place, mut child) in self.running {
            let (name, _, words, file) = KINDS[place];
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).context("cannot end perf")?;
            child.wait().context("cannot wait for perf")?;
            let program = apt::program("perf").context("perf is not on the path")?;
            let report = Command::new(program).args(words).arg("--input").arg(data(out, place)).output();
            let report = report.with_context(|| format!("cannot report {name}"))?;
            let path = out.join(file);
            fs::write(&path, report.stdout).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

fn perf(words: &[&str], out: &Path, place: usize) -> Result<Command> {
    let mut command = Command::new(apt::program("perf").context("perf is not on the path")?);
    command.args(words).arg("--output").arg(data(out, place));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

fn data(out: &Path, place: usize) -> std::path::PathBuf {
    out.join(format!("host-{place}.data"))
}
