//! The demo: a plan, its agent, crun and a bundle in an initramfs, and what must come of it.

mod guest;
mod parts;

use std::path::PathBuf;

use agent::Report;
use anyhow::{Context, Result, ensure};
use sources::workspace;

use crate::bundle;
use crate::qemu::Outcome;
pub use guest::{Guest, agent, agent_for};
pub use parts::{Parts, STRAIGHT};

/// The plan `cargo vm boot` uses unless told otherwise.
pub fn demo_plan() -> PathBuf {
    workspace::root().join("qemu/guests/demo.plan")
}

/// Holds only if the container ran, with pivot_root, and its exit code came back.
pub fn verdict<'r>(outcome: &Outcome, report: Option<&'r Report>) -> Result<&'r Report> {
    ensure!(!outcome.timed_out, "the guest hung");
    let report = report.with_context(|| format!("the agent gave no report: {}", outcome.ending()))?;
    ensure!(
        report.problems.is_empty(),
        "the service did not find what it was promised: {}",
        report.problems.join("; ")
    );
    let container = report.container.as_ref().context("no container ran")?;
    let pivots = !container.argv.iter().any(|word| word.starts_with("--no-pivot"));
    ensure!(pivots, "the container ran without pivot_root");
    let expected = i32::from(bundle::EXIT_CODE);
    ensure!(container.exit_code == expected, "the container exited {}, not {expected}", container.exit_code);
    ensure!(outcome.guest_code == Some(0), "{}", outcome.ending());
    Ok(report)
}
