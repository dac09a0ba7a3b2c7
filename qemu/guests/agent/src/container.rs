//! The container: `crun run` on `/bundle`, its output passed through and kept, what it leaves running reaped.

use std::io::{PipeReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::facts::now_us;
use crate::port::Mark;
use crate::{Container, EXPECTED_EXIT, Report, marks, recorder};

/// The runtime's words. There is no `--no-pivot` among them: moving the root is what makes that so.
const WORDS: [&str; 6] = ["--root", "/run/crun", "run", "--bundle", "/bundle", "demo"];

/// Runs the bundle's container, if there is a bundle, with the runtime at this path.
pub fn run_bundle(report: &mut Report, runtime: &str) -> Result<()> {
    if !std::fs::exists("/bundle/config.json").unwrap_or(false) {
        println!("agent: no /bundle/config.json, no container");
        return Ok(());
    }
    println!("agent: {runtime} {}", WORDS.join(" "));
    report.times_us.container_start = Some(now_us());
    marks::make(Mark::ContainerStart);
    let (status, output) = run(runtime)?;
    report.times_us.container_end = Some(now_us());
    marks::make(Mark::ContainerEnd);
    marks::send_log();
    recorder::stop()?;
    reap();
    report.container = Some(Container {
        argv: [runtime].iter().chain(&WORDS).map(ToString::to_string).collect(),
        exit_code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        expected: expected(),
        output,
    });
    Ok(())
}

fn run(runtime: &str) -> Result<(ExitStatus, String)> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    let mut command = Command::new(runtime);
    command.args(WORDS).env_clear().env("HOME", "/").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run {runtime}"))?;
    // The command holds the pipe's writing end, and the pipe ends with the last of them.
    drop(command);
    let output = pass_on(reader);
    Ok((child.wait().context("cannot wait for the runtime")?, output))
}

/// Copies the pipe to our own output until its last writer ends, and keeps a copy.
fn pass_on(mut reader: PipeReader) -> String {
    let mut kept = Vec::new();
    let mut part = [0_u8; 4096];
    while let Ok(length @ 1..) = reader.read(&mut part) {
        let mut output = std::io::stdout().lock();
        if let Err(error) = output.write_all(&part[..length]).and_then(|()| output.flush()) {
            eprintln!("agent: cannot pass the container's output on: {error}");
        }
        kept.extend_from_slice(&part[..length]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Collects every orphan that ended: as PID 1 nobody else does.
fn reap() {
    while let Ok(ended) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if ended == WaitStatus::StillAlive {
            println!("agent: the runtime left a process running");
            return;
        }
    }
}

fn expected() -> i32 {
    let text = std::fs::read_to_string("/bundle/expect").unwrap_or_default();
    text.trim().parse().unwrap_or(EXPECTED_EXIT)
}
