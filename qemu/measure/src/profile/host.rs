//! What a host with real KVM can tell besides: why the guest was left (`perf kvm stat`) and the processor's cycles.
//! Whether this machine lets perf do so is found out by trying.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::perf::program;
use machine::qemu::Accel;

/// Stands for the recording's file among perf's arguments.
const DATA: &str = "DATA";

/// Kind, perf's arguments to record, its arguments to report, the report's file.
const KINDS: [(&str, &[&str], &[&str], &str); 2] = [
    (
        "exits of the guest",
        &["kvm", "stat", "record", "--all-cpus"],
        &["kvm", "-i", DATA, "stat", "report"],
        "kvm-stat.txt",
    ),
    // Without these letters perf leaves out what the guest itself takes: perf-list(1), event modifiers.
    (
        "cycles",
        &["record", "--all-cpus", "--event=cycles:H,cycles:G"],
        &["report", "--stdio", "-i", DATA],
        "cycles.txt",
    ),
];

/// perfs that record this machine.
pub struct HostPerf {
    running: Vec<(usize, Child)>,
}

impl HostPerf {
    /// Starts what works here, and says what doesn't.
    pub fn start(accel: Accel, out: &Path) -> HostPerf {
        let mut running = Vec::new();
        if accel == Accel::Tcg {
            eprintln!("vm: no KVM here: perf kvm stat and the processor's cycles are left out");
            return HostPerf { running };
        }
        for (place, (name, words, ..)) in KINDS.iter().enumerate() {
            match started(words, out, place) {
                Ok(child) => running.push((place, child)),
                Err(error) => eprintln!("vm: {name} are left out, perf cannot record them here: {error:#}"),
            }
        }
        HostPerf { running }
    }

    /// Ends them and writes their reports; what cannot be is said, and leaves the guest's own profile as it is.
    pub fn finish(mut self, out: &Path) {
        for (place, child) in std::mem::take(&mut self.running) {
            let (name, _, words, file) = KINDS[place];
            if let Err(error) = ended(child).and_then(|()| report(words, &data(out, place), &out.join(file))) {
                eprintln!("vm: {name} are left out: {error:#}");
            }
        }
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

/// Starts to record, after a try.
fn started(words: &[&str], out: &Path, place: usize) -> Result<Child> {
    try_out(words, &data(out, place))?;
    perf(words, &data(out, place))?.stderr(Stdio::null()).spawn().context("cannot run perf")
}

/// Records for a moment. Where the processor's counter is missing perf takes a clock in its place: the recording tells.
fn try_out(words: &[&str], data: &Path) -> Result<()> {
    let events = events(words, data);
    // perf makes the file before it is refused.
    match fs::remove_file(data) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).context("cannot remove the recording of the try")?
        }
        _ => {}
    }
    let events = events?;
    let is_there = events.lines().any(|event| event.starts_with("kvm:") || event.starts_with("cycles"));
    ensure!(is_there, "it takes {} in their place", events.lines().next().unwrap_or("nothing"));
    Ok(())
}

/// What perf records here when it is given these arguments, an event a line.
fn events(words: &[&str], data: &Path) -> Result<String> {
    let tried = perf(words, data)?.args(["sleep", "0.1"]).output().context("cannot run perf")?;
    ensure!(tried.status.success(), "{}", reason(&tried.stderr));
    let list = program()?.args(["evlist", "-i"]).arg(data).output().context("cannot run perf")?;
    ensure!(list.status.success(), "{}", reason(&list.stderr));
    Ok(String::from_utf8_lossy(&list.stdout).into_owned())
}

/// perf ends by the same signal, so its status says nothing; whether it wrote all, the report tells.
fn ended(mut child: Child) -> Result<()> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).context("cannot end perf")?;
    child.wait().map(drop).context("cannot wait for perf")
}

fn report(words: &[&str], data: &Path, path: &Path) -> Result<()> {
    let words = words.iter().map(|word| if *word == DATA { data.into() } else { OsString::from(word) });
    let report = program()?.args(words).stdin(Stdio::null()).output().context("cannot run perf")?;
    ensure!(report.status.success(), "{}", reason(&report.stderr));
    // `perf kvm stat report` writes its table to standard error.
    let text = [report.stdout, report.stderr].concat();
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The line of what perf says that tells most: a word alone, as `Error:`, tells nothing.
fn reason(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines = || said.lines().map(str::trim).filter(|line| line.contains(' ') || line.contains('\t'));
    let line = lines().find(|line| line.starts_with("Error:")).or(lines().next()).unwrap_or("perf says nothing");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn perf(words: &[&str], data: &Path) -> Result<Command> {
    let mut command = program()?;
    command.args(words).arg("--output").arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

fn data(out: &Path, place: usize) -> PathBuf {
    out.join(format!("host-{place}.data"))
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use sources::apt;

    /// What this machine's perf can is recorded, ended and reported; what it cannot leaves no file.
    #[test]
    fn what_works_here_is_reported() {
        apt::ensure_programs(&["perf"]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let perf = HostPerf::start(Accel::Kvm, directory.path());
        let started: Vec<usize> = perf.running.iter().map(|(place, _)| *place).collect();
        sleep(Duration::from_millis(500));
        perf.finish(directory.path());
        for (place, (name, _, _, file)) in KINDS.iter().enumerate() {
            let text = fs::read_to_string(directory.path().join(file)).unwrap_or_default();
            assert_eq!(started.contains(&place), text.contains("Samples"), "{name}: {text}");
            assert_eq!(started.contains(&place), data(directory.path(), place).exists(), "{name}");
        }
    }

    /// Whole command lines, with an event that every machine has in the place of those that this one may not have.
    #[test]
    fn perf_takes_the_words() {
        apt::ensure_programs(&["perf"]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let words = KINDS[1].1.iter().map(|word| word.replace("cycles", "cpu-clock"));
        let words: Vec<String> = words.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let nothing = try_out(&["record", "--event=nosuch"], &data).unwrap_err().to_string();
        assert!(nothing.contains("nosuch") && nothing.lines().count() == 1, "{nothing}");
        let out = directory.path().join("out");
        let none = report(KINDS[0].2, &directory.path().join("none"), &out).unwrap_err().to_string();
        assert!(none.contains("No such file or directory") && none.lines().count() == 1, "{none}");
        if let Err(why) = events(&words, &data) {
            eprintln!("skipped: perf records nothing here: {why:#}");
            try_out(&words, &data).unwrap_err();
            assert!(!data.exists(), "the try has left its recording");
            return;
        }
        assert_eq!(try_out(&words, &data).unwrap_err().to_string(), "it takes cpu-clock:H in their place");
        assert!(!data.exists(), "the try has left its recording");
        let child = perf(&words, &data).unwrap().stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(500));
        ended(child).unwrap();
        report(KINDS[1].2, &data, &out).unwrap();
        assert!(fs::read_to_string(&out).unwrap().contains("of event 'cpu-clock:H'"));
    }

    /// As where perf is refused: it makes the file first. And one that evlist can't read.
    #[test]
    fn a_try_leaves_no_recording() {
        apt::ensure_programs(&["perf"]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        for words in [["record", "--event=nosuch"], ["stat", "--event=task-clock"]] {
            fs::write(&data, "made").unwrap();
            try_out(&words, &data).unwrap_err();
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{words:?}");
        }
    }

    #[test]
    fn the_reason_is_one_line_that_tells_something() {
        let no_right = "event syntax error: 'kvm:kvm_entry'\n   \\___ can't access\n\nError:\tNo permissions to read x\nHint:\ty\n";
        assert_eq!(reason(no_right.as_bytes()), "Error: No permissions to read x");
        assert_eq!(reason(b"Error:\nAccess is limited.\nMore\n"), "Access is limited.");
        assert_eq!(reason(b""), "perf says nothing");
    }
}
