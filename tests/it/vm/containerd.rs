//! A real containerd runs containers in VMs that moveroot boots.

mod faults;
mod many;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::containerd::daemon::{Daemon, said};
use vm::containerd::setup;
use vm::task::setup::Setup;
use vm::{accel, build};

use super::{alone, parts};

/// For ctr, whatever it does: a boot is in it.
const LIMIT: Duration = Duration::from_secs(90);

/// For what ends by itself after that.
const END_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

const GUEST_MB: u32 = 256;

fn daemon() -> Result<Daemon> {
    static BUILT: OnceLock<(PathBuf, Setup)> = OnceLock::new();
    let (shim, setup) = BUILT.get_or_init(|| {
        let parts = parts();
        let accel = accel::best(&parts.kernel).expect("QEMU runs");
        let setup = setup::of(parts, accel, GUEST_MB).expect("taskd can be built, crun fetched");
        (build::shim().expect("the shim can be built"), setup)
    });
    Daemon::start(shim, setup.clone(), "native")
}

/// Runs a command of ctr's to its end; one that hangs is ended.
fn ended(command: &mut Command) -> Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot run ctr")?;
    let deadline = Instant::now() + LIMIT;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        sleep(PAUSE);
    }
    // What these say fits into a pipe.
    Ok(child.wait_with_output()?)
}

/// The exit code and all that was said.
fn told(command: &mut Command) -> Result<(Option<i32>, String)> {
    let output = ended(command)?;
    Ok((output.status.code(), said(&output)))
}

/// The lines of `ctr tasks ls`, as (task, status).
fn tasks(daemon: &Daemon) -> Result<Vec<(String, String)>> {
    let list = daemon.done(&["tasks", "ls"])?;
    let mut tasks: Vec<(String, String)> = list
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|words| (words[0].to_string(), words[words.len() - 1].to_string()))
        .collect();
    tasks.sort();
    Ok(tasks)
}

fn expected(tasks: &[(&str, &str)]) -> Vec<(String, String)> {
    tasks.iter().map(|(task, status)| (task.to_string(), status.to_string())).collect()
}

/// No process, no mount, no socket and no directory of a task's.
fn nothing_is_left(daemon: &Daemon) -> Result<()> {
    let deadline = Instant::now() + END_LIMIT;
    loop {
        let left = left(daemon)?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "left: {left:?}\n{}", daemon.last_lines());
        sleep(PAUSE);
    }
}

fn left(daemon: &Daemon) -> Result<Vec<String>> {
    let path = daemon.path();
    let mut left: Vec<String> =
        daemon.processes().iter().flat_map(|process| fs::read_to_string(format!("/proc/{process}/cmdline"))).collect();
    for list in ["/proc/self/mountinfo", "/proc/net/unix"] {
        let text = fs::read_to_string(list)?;
        let ours = text.lines().filter(|line| line.contains(&*path.to_string_lossy()));
        left.extend(ours.filter(|line| !line.contains("/containerd.sock")).map(String::from));
    }
    let own = ["busybox.tar", "config.toml", "fifos", "log", "phases", "root", "setup.json", "state", "tmp"];
    for directory in [path.to_path_buf(), path.join("tmp"), path.join("state/io.containerd.runtime.v2.task/default")] {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !own.contains(&name.as_str()) && !name.starts_with("containerd.sock") {
                left.push(name);
            }
        }
    }
    Ok(left)
}

#[test]
fn a_container_prints_and_exits() -> Result<()> {
    let _alone = alone();
    // So that all that the command needs is fetched and built before its time runs.
    drop(daemon()?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
    let output = ended(command.args(["containerd"]).stdin(Stdio::null()))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(42), "{out}\n{err}");
    assert!(out.starts_with("hello from a container on Linux ") && out.lines().count() == 1, "{out}");
    for phase in ["shim started", "QEMU started", "agent called", "created", "started", "first line", "init, from"] {
        assert!(err.lines().any(|line| line.starts_with(phase)), "{phase}: {err}");
    }
    Ok(())
}

/// Two at once: states, further processes, signals; and a containerd that is killed and comes back.
#[test]
fn two_at_once() -> Result<()> {
    let _alone = alone();
    let mut daemon = daemon()?;
    let start = |id: &str| told(&mut daemon.run(&["--detach"], id, &["sleep", "1000"]));
    let started =
        std::thread::scope(|scope| ["one", "two"].map(|id| scope.spawn(move || start(id))).map(|run| run.join()));
    for run in started {
        assert_eq!(run.expect("no panic")?, (Some(0), String::new()));
    }
    assert_eq!(tasks(&daemon)?, expected(&[("one", "RUNNING"), ("two", "RUNNING")]));
    assert_eq!(daemon.done(&["tasks", "ps", "one"])?.lines().count(), 2);
    let metrics = daemon.done(&["tasks", "metrics", "--format", "json", "one"])?;
    let metrics: serde_json::Value = serde_json::from_str(&metrics)?;
    assert!(metrics["pids"]["current"] == 1 && metrics["memory"]["usage"].as_u64() > Some(0), "{metrics}");
    further_processes(&daemon)?;

    daemon.done(&["tasks", "kill", "--signal", "SIGTERM", "--all", "two"])?;
    daemon.done(&["tasks", "kill", "--signal", "SIGKILL", "one"])?;
    let deadline = Instant::now() + END_LIMIT;
    while tasks(&daemon)? != expected(&[("one", "STOPPED"), ("two", "RUNNING")]) {
        ensure!(Instant::now() < deadline, "{:?}", tasks(&daemon)?);
        sleep(PAUSE);
    }
    let removed = daemon.done(&["tasks", "rm", "one"])?;
    assert!(removed.contains("exit code 137"), "{removed}");

    daemon.kill()?;
    daemon.start_again()?;
    assert_eq!(tasks(&daemon)?, expected(&[("two", "RUNNING")]));
    let (code, text) = told(&mut daemon.exec(&["--exec-id", "after"], "two", &["sh", "-c", "echo again; exit 4"]))?;
    assert_eq!((code, text.as_str()), (Some(4), "again"));
    let removed = daemon.done(&["tasks", "rm", "--force", "two"])?;
    assert!(removed.contains("exit code 137"), "{removed}");
    daemon.done(&["containers", "rm", "one", "two"])?;
    nothing_is_left(&daemon)
}

fn further_processes(daemon: &Daemon) -> Result<()> {
    let (code, text) = told(&mut daemon.exec(&["--exec-id", "more"], "one", &["sh", "-c", "echo there >&2; exit 7"]))?;
    assert_eq!((code, text.as_str()), (Some(7), "there"));
    let refused = [
        (daemon.exec(&["--exec-id", "none"], "one", &["/none"]), "executable file `/none` not found"),
        (daemon.ctr(&["tasks", "pause", "one"]), "is not supported"),
    ];
    for (mut command, why) in refused {
        let (code, text) = told(&mut command)?;
        assert!(code == Some(1) && text.contains(why), "{code:?} {text}");
    }
    Ok(())
}

/// As far as a pipe goes, and in order.
#[test]
fn standard_streams() -> Result<()> {
    let _alone = alone();
    let daemon = daemon()?;
    let input = daemon.path().join("tmp/input");
    let lines: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    fs::write(&input, &lines)?;
    let out = daemon.path().join("tmp/output");
    let mut ctr = daemon.run(&["--rm"], "streams", &["sh", "-c", "cat; echo done >&2; exit 3"]);
    ctr.stdin(fs::File::open(&input)?).stdout(fs::File::create(&out)?);
    let mut ctr = ctr.stderr(Stdio::piped()).spawn()?;
    let status = ctr.wait()?;
    let said = std::io::read_to_string(ctr.stderr.take().context("no stderr")?)?;
    assert_eq!((status.code(), said.as_str()), (Some(3), "done\n"), "{}", daemon.last_lines());
    assert!(fs::read_to_string(&out)? == lines, "{} bytes", fs::metadata(&out)?.len());
    [input, out].iter().try_for_each(fs::remove_file)?;
    nothing_is_left(&daemon)
}
