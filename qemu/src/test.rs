//! `cargo vm test`: everything CI runs, after installing what it needs. Where the user isn't root, the tests that need
//! root run in a second pass, by sudo.

mod guest;
mod root;

use std::env;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

use machine::demo::Parts;
use machine::sandbox::fixed::FIXED;
use root::RootPass;
use sources::arch::Arch;
use sources::{apt, workspace};

/// The programs the tests drive, besides those a boot needs.
const PROGRAMS: [&str; 10] =
    ["strace", "unshare", "readelf", "mkfs.erofs", "mandoc", "cpio", "bsdcpio", "lsinitramfs", "lz4", "zstd"];

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only the tests whose name contains one of these
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Every test in its long form: all faults, all kernels, millions of plans; this takes an hour or more
    #[arg(long)]
    pub long: bool,
    /// The tests that boot a plan of their own, each of these plans fixed in an init of its own: the feature fixed-plan
    #[arg(long, conflicts_with = "arch")]
    pub fixed: bool,
    /// The processor: of another one the tests of init itself run in a guest, natively there, then those that boot guests of it
    #[arg(long, value_name = "NAME", default_value = "x86_64", value_parser = Arch::named)]
    pub arch: &'static Arch,
}

/// Tests that boot a plan of their own.
const HAVE_A_PLAN: [&str; 8] = [
    "namespaces",
    "vm::before",
    "vm::console",
    "vm::container::",
    "vm::failures",
    "vm::plans",
    "vm::roots",
    "vm::spawn",
];

/// Tests of how a plan's file is found and read.
const NEED_A_PLAN_FILE: [&str; 1] = ["namespaces::other_plan"];

/// Set in the tests' environment where they are to run in their long form.
const LONG: &str = "MOVEROOT_LONG";

/// Whether the tests are to run in their long form.
pub fn long() -> bool {
    env::var_os(LONG).is_some()
}

/// The command. The last lines are cargo test's own.
pub fn run(options: &Options) -> Result<ExitCode> {
    if !options.arch.is_native() {
        return foreign(options);
    }
    ensure_component("fmt", "rustfmt")?;
    ensure_component("clippy", "clippy")?;
    apt::ensure_programs(&PROGRAMS)?;
    Parts::gather()?;
    let is_root = rustix::process::geteuid().is_root();
    let root_pass = if is_root { None } else { RootPass::of(&options.filters)? };
    let mut passes = vec![cargo_test(options, root_pass.is_some())];
    if let Some(root_pass) = &root_pass {
        eprintln!("vm: {} tests need root: they run by sudo after the others", root_pass.count());
        passes.push(root_pass.command()?);
    }
    let mut is_good = true;
    for mut pass in passes {
        if options.long {
            pass.env(LONG, "1");
        }
        if options.fixed {
            pass.env(FIXED, "1");
        }
        // A pass that fails doesn't keep the other from showing its failures.
        let program = pass.get_program().display().to_string();
        is_good &= pass.status().with_context(|| format!("cannot run {program}"))?.success();
    }
    if !is_good && root_pass.is_some() {
        eprintln!("vm: tests failed, as the user or by sudo: see above");
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// In a guest, and where no test is named on this machine those that boot guests.
fn foreign(options: &Options) -> Result<ExitCode> {
    let mut is_good = guest::run(options)?;
    if options.filters.is_empty() {
        let mut cargo = workspace::cargo();
        cargo.args(["test", "--package", "vm", "--test", "it", "--", &format!("on_{}", options.arch)]);
        is_good &= cargo.status().context("cannot run cargo test")?.success();
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All tests, or those that don't need root.
fn cargo_test(options: &Options, without_root: bool) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast", "--"]).args(&options.filters);
    if options.fixed {
        let all = if options.filters.is_empty() { &HAVE_A_PLAN[..] } else { &[] };
        cargo.args(all).args(NEED_A_PLAN_FILE.iter().flat_map(|part| ["--skip", part]));
    }
    if without_root {
        cargo.args(root::NEED_ROOT.iter().flat_map(|part| ["--skip", part]));
    }
    cargo
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
