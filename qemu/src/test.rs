//! `cargo vm test`: everything CI runs, after installing what it needs.

use std::env;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::boot::Parts;
use crate::{apt, workspace};

/// The programs the tests drive, besides those a boot needs.
const PROGRAMS: [&str; 10] =
    ["strace", "unshare", "readelf", "mkfs.erofs", "mandoc", "cpio", "bsdcpio", "lsinitramfs", "lz4", "zstd"];

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only the tests whose name contains this
    pub filter: Option<String>,
    /// Every test in its long form: all faults, all kernels, millions of plans; this takes an hour or more
    #[arg(long)]
    pub long: bool,
}

/// Set in the tests' environment where they are to run in their long form.
const LONG: &str = "MOVEROOT_LONG";

/// Whether the tests are to run in their long form.
pub fn long() -> bool {
    env::var_os(LONG).is_some()
}

/// The command. The last lines are cargo test's own.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure_component("fmt", "rustfmt")?;
    ensure_component("clippy", "clippy")?;
    apt::ensure_programs(&PROGRAMS)?;
    Parts::gather()?;
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace"]).args(&options.filter);
    if options.long {
        cargo.env(LONG, "1");
    }
    let status = cargo.status().context("cannot run cargo test")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// rustup's minimal profile comes without these.
fn ensure_component(subcommand: &str, component: &str) -> Result<()> {
    let mut probe = workspace::cargo();
    probe.args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().context("cannot run cargo")?.success() {
        return Ok(());
    }
    eprintln!("vm: adding {component} by rustup");
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", component]).current_dir(workspace::root());
    let status = rustup.status().context("cannot run rustup")?;
    ensure!(status.success(), "rustup could not add {component}: {status}");
    Ok(())
}
