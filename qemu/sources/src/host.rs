//! What a record says of where and when it was made.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Today, as ISO 8601 writes it.
pub fn date() -> Result<String> {
    output(Command::new("date").args(["--utc", "+%Y-%m-%d"]))
}

/// Kernel, processor and how many.
pub fn description() -> Result<String> {
    let kernel = output(Command::new("uname").args(["-s", "-r"]))?;
    let processors = std::fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let name = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(format!("{kernel}, {count} × {}", name.trim_start_matches([' ', '\t', ':'])))
}

/// The compiler that this workspace is pinned to.
pub fn toolchain() -> Result<String> {
    output(Command::new("rustc").arg("--version").current_dir(workspace::root()))
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    ensure!(output.status.success(), "{program} ended with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}
