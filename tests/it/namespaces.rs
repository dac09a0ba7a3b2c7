//! The real init as PID 1 of new namespaces: each promise of the plan language and of the contract.

mod binds;
mod built_in;
mod carry;
mod corners;
mod drops;
mod entry;
mod failures;
mod faults;
mod fixed;
mod furnish;
mod hostile;
mod interrupted;
mod limits;
mod links;
pub mod mountinfo;
mod other_plan;
mod plans;
mod programs;
mod service;
mod soak;
mod spawn;
mod tolerated;
pub mod troubleshooting;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use agent::Report;
use anyhow::{Result, ensure};
use vm::build;
use vm::sandbox::{Outcome, Sandbox};

/// The first steps of most plans here. The log is the initramfs' own, where the sandbox reads it.
const OPENING: &str = "root\nbind /dev/kmsg\nbind /sbin/agent\n";

/// The line after [`OPENING`].
const FIRST_LINE: i32 = 4;

/// What the agent has to complain of in a good boot.
const NO_PROBLEMS: [&str; 0] = [];

/// The release init, built once.
fn init() -> &'static Path {
    static INIT: OnceLock<PathBuf> = OnceLock::new();
    INIT.get_or_init(|| build::init(None).expect("cargo builds the init"))
}

/// The demo agent, built once.
fn agent() -> &'static Path {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    AGENT.get_or_init(|| build::agent().expect("cargo builds the agent"))
}

/// Debian's static busybox, fetched once.
fn busybox() -> &'static Path {
    static BUSYBOX: OnceLock<PathBuf> = OnceLock::new();
    BUSYBOX.get_or_init(|| vm::kernel::busybox().expect("busybox is there or can be fetched"))
}

/// An initramfs with the init and the agent in it.
pub fn initramfs() -> Result<Sandbox> {
    Sandbox::new()?.init(init())?.program("/sbin/agent", agent())
}

/// Boots; the steps stand between [`OPENING`] and the agent, which only reports.
fn boot(sandbox: Sandbox, steps: &str) -> Result<(Outcome, Report)> {
    let outcome = run(sandbox, &format!("{steps}\nexec /sbin/agent --report"))?;
    let report = outcome.report()?;
    ensure!(outcome.code == Some(0), "the agent exited {:?}: {outcome:#?}", outcome.code);
    ensure!(report.problems.is_empty(), "broken promises: {:#?}", report.problems);
    Ok((outcome, report))
}

/// Runs a plan that opens with [`OPENING`], to whatever end it comes to.
fn run(sandbox: Sandbox, steps: &str) -> Result<Outcome> {
    sandbox.plan(format!("{OPENING}{steps}\n"))?.run()
}

/// Bytes that no two offsets have in common by chance.
fn content(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}
