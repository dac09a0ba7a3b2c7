//! The first things a guest has or lacks: descriptors, a console, mounts.

use agent::Report;
use anyhow::Result;
use vm::qemu::Outcome;

use super::{NO_PROBLEMS, boot, report, small};

const ROOT_ONLY: &str = "root\nbind /sbin/agent\nexec /sbin/agent --report\n";

fn assert_good(outcome: &Outcome, report: &Report) {
    assert_eq!(report.problems, NO_PROBLEMS, "{}", outcome.evidence());
    assert_eq!(outcome.guest_code, Some(0), "{}", outcome.evidence());
    let devices: Vec<_> = report.descriptors.iter().map(|open| (open.number, open.device)).collect();
    assert_eq!(devices, [0, 1, 2].map(|number| (number, Some((5, 1)))), "{}", outcome.evidence());
}

/// For an agent that mounts everything itself.
#[test]
fn a_plan_that_mounts_only_the_root() -> Result<()> {
    let outcome = boot(&small(ROOT_ONLY)?, "", &[])?;
    let report = report(&outcome)?;
    assert_good(&outcome, &report);
    let paths: Vec<&str> = report.tree.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/sbin", "/sbin/agent"]);
    assert_eq!(report.mountinfo, None);
    Ok(())
}

/// A console that doesn't open: the kernel then starts init with no descriptor open. (To leave the node out isn't
/// enough: the kernel brings one along.)
fn without_console(plan: &str) -> Result<Outcome> {
    let mut tree = small(plan)?;
    tree.remove("/dev/console").dir("/dev/console", 0o755);
    let outcome = boot(&tree, "", &[])?;
    assert!(outcome.transcript.contains("unable to open an initial console"), "{}", outcome.evidence());
    Ok(outcome)
}

/// The agent cannot say what it found, but its code tells that descriptors 0, 1, 2 and all else were as promised.
#[test]
fn no_console_is_dev_null() -> Result<()> {
    let outcome = without_console("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    assert_eq!((outcome.guest_code, outcome.panic_code), (Some(0), None), "{}", outcome.evidence());
    Ok(())
}

/// The kernel's log, which may go to a serial port all the same, has the line.
#[test]
fn a_failure_without_a_console() -> Result<()> {
    let outcome = without_console("root\nbind /sbin/agents\nexec /sbin/agent\n")?;
    let message = "] moveroot: boot.plan:2: bind /sbin/agents: ENOENT (2)";
    assert!(outcome.transcript.lines().any(|line| line.ends_with(message)), "{}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(2), "{}", outcome.evidence());
    Ok(())
}
