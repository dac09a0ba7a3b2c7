//! What a host with real KVM can tell besides: why the guest was left (`perf kvm stat`) and the processor's cycles.
//! Whether this machine lets perf do so is found out by trying.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apt;
use crate::qemu::Accel;

/// Stands for the file of the recording among perf's words.
const DATA: &str = "DATA";

/// Kind, perf's words to record, perf's words to report, the report's file.
const KINDS: [(&str, &[&str], &[&str], &str); 2] = [
    (
        "exits of the guest",
        &["kvm", "stat", "record", "--all-cpus"],
        &["kvm", "-i", DATA, "stat", "report"],
        "kvm-stat.txt",
    ),
    ("cycles", &["record", "--all-cpus", "--event=cycles"], &["report", "--stdio", "-i", DATA], "cycles.txt"),
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
            if let Some(reason) = missing(words, out, place)? {
                eprintln!("vm: {name} are left out, perf cannot record them here: {reason}");
                continue;
            }
            let child = perf(words, out, place)?.stderr(Stdio::null()).spawn().context("cannot run perf")?;
            running.push((place, child));
        }
        Ok(HostPerf { running })
    }

    /// Ends them and writes their reports.
    pub fn finish(mut self, out: &Path) -> Result<()> {
        for (place, mut child) in std::mem::take(&mut self.running) {
            let (name, _, words, file) = KINDS[place];
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).context("cannot end perf")?;
            child.wait().context("cannot wait for perf")?;
            let program = apt::program("perf").context("perf is not on the path")?;
            let words =
                words.iter().map(|word| if *word == DATA { data(out, place).into() } else { OsString::from(word) });
            let report = Command::new(program).args(words).output().with_context(|| format!("cannot report {name}"))?;
            let path = out.join(file);
            // `perf kvm stat report` writes its table to standard error.
            fs::write(&path, [report.stdout, report.stderr].concat())
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// Where the guest went wrong, nobody waits for what they recorded.
impl Drop for HostPerf {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                eprintln!("vm: cannot end perf: {error}");
            }
        }
    }
}

/// Why perf can't, by a try. Where the processor's counter is missing perf takes a clock in its place: the file tells.
fn missing(words: &[&str], out: &Path, place: usize) -> Result<Option<String>> {
    let probe = perf(words, out, place)?.args(["sleep", "0.1"]).output().context("cannot run perf")?;
    if !probe.status.success() {
        let said = String::from_utf8_lossy(&probe.stderr);
        let reason = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("perf says nothing");
        return Ok(Some(reason.trim().to_string()));
    }
    let program = apt::program("perf").context("perf is not on the path")?;
    let list =
        Command::new(program).args(["evlist", "-i"]).arg(data(out, place)).output().context("cannot run perf")?;
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    fs::remove_file(data(out, place)).context("cannot remove the file of the try")?;
    let is_there = list.lines().any(|event| event.starts_with("kvm:") || event.starts_with("cycles"));
    Ok((!is_there).then(|| format!("it takes {} in their place", list.lines().next().unwrap_or("nothing"))))
}

fn perf(words: &[&str], out: &Path, place: usize) -> Result<Command> {
    let mut command = Command::new(apt::program("perf").context("perf is not on the path")?);
    command.args(words).arg("--output").arg(data(out, place));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

fn data(out: &Path, place: usize) -> PathBuf {
    out.join(format!("host-{place}.data"))
}
