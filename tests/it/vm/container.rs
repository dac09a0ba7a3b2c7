//! The main job: a container that pivots, and what it needs.

use std::sync::OnceLock;

use agent::Report;
use anyhow::{Context, Result, ensure};
use vm::bundle::{Bundle, EXIT_CODE};
use vm::demo::{STRAIGHT, demo_plan};
use vm::qemu::Outcome;

use super::{NO_PROBLEMS, boot, parts, report};

/// Words behind `--`.
const WORDS: [&str; 3] = ["--vsock-port=1024", "-x", "word"];

/// One boot of the demo, which several tests look at.
fn demo() -> &'static (Outcome, Report) {
    static DEMO: OnceLock<(Outcome, Report)> = OnceLock::new();
    DEMO.get_or_init(|| {
        let run = || -> Result<_> {
            let outcome = boot(&parts().initramfs(Some(&demo_plan()), &Bundle::default())?, "", &WORDS)?;
            let report = report(&outcome)?;
            Ok((outcome, report))
        };
        run().unwrap_or_else(|error| panic!("the demo does not boot: {error:#}"))
    })
}

pub fn assert_container_ran(outcome: &Outcome, report: &Report) {
    let container = report.container.as_ref().unwrap_or_else(|| panic!("no container: {}", outcome.evidence()));
    assert_eq!(container.exit_code, i32::from(EXIT_CODE), "{}", outcome.evidence());
    assert!(container.argv.iter().all(|word| !word.contains("no-pivot")), "{:?}", container.argv);
    assert_eq!(report.problems, NO_PROBLEMS, "{}", outcome.evidence());
    assert_eq!(outcome.guest_code, Some(0), "{}", outcome.evidence());
}

#[test]
fn runs_with_pivot_root() {
    let (outcome, report) = demo();
    assert_container_ran(outcome, report);
    let output = report.container.as_ref().map(|container| container.output.as_str()).unwrap_or_default();
    assert!(output.contains("hello from a container"), "{output}");
    assert!(output.contains("memory limit 67108864"), "{output}");
    let times = &report.times_us;
    let marks = [times.init, Some(times.service), times.container_start, times.container_end];
    assert!(marks.iter().all(Option::is_some) && marks.is_sorted(), "{marks:?}");
}

#[test]
fn controllers_are_enabled() {
    let (outcome, report) = demo();
    let mut enabled: Vec<_> = report.subtree_control.as_deref().unwrap_or_default().split_whitespace().collect();
    enabled.sort();
    assert_eq!(enabled, ["cpu", "cpuset", "io", "memory", "pids"], "{}", outcome.evidence());
    assert!(!outcome.transcript.contains("moveroot: "), "a warning: {}", outcome.evidence());
}

#[test]
fn crun_is_carried() -> Result<()> {
    let (_, report) = demo();
    let crun = report.file("/sbin/crun").context("crun is not in the new root")?;
    let original = std::fs::read(&parts().crun)?;
    assert_eq!((crun.kind.as_str(), crun.mode, crun.uid, crun.gid), ("file", 0o755, 0, 0));
    assert_eq!((crun.size, &crun.sha256), (original.len() as u64, &Some(agent::sha256(&original))));
    Ok(())
}

#[test]
fn the_kernels_words_are_the_agents() {
    let (outcome, report) = demo();
    assert_eq!(report.argv[..1], ["/sbin/agent"]);
    assert_eq!(report.argv[1..], WORDS, "{}", outcome.command_line);
    assert_eq!(report.environment[..2], ["HOME=/", "TERM=linux"]);
    assert!(report.environment.contains(&"agent_exit=0xf4".to_string()), "{:?}", report.environment);
}

/// With `root=` on the command line rootfs is ramfs, not tmpfs.
#[test]
fn runs_from_a_ramfs() -> Result<()> {
    let tree = parts().initramfs(Some(&demo_plan()), &Bundle::default())?;
    let outcome = boot(&tree, "root=LABEL=nothing", &[])?;
    assert_container_ran(&outcome, &report(&outcome)?);
    Ok(())
}

/// Why moveroot is there: the same bundle, the same crun, straight from the initramfs.
#[test]
fn counter_proof() -> Result<()> {
    let outcome = boot(&parts().straight(&Bundle::default())?, STRAIGHT, &[])?;
    let report = report(&outcome)?;
    let container = report.container.context("crun did not run")?;
    if kernel_major()? >= 7 {
        assert_eq!(container.exit_code, i32::from(EXIT_CODE), "{}", outcome.evidence());
        return Ok(());
    }
    assert!(container.output.contains("pivot_root"), "{}", outcome.evidence());
    assert!(container.output.contains("Invalid argument"), "{}", outcome.evidence());
    assert_ne!(container.exit_code, i32::from(EXIT_CODE));
    assert_eq!(outcome.guest_code, Some(1), "{}", outcome.evidence());
    Ok(())
}

/// From `vmlinuz-6.1.0-…`.
fn kernel_major() -> Result<u32> {
    let path = parts().kernel.display().to_string();
    let version = path.rsplit('/').next().and_then(|name| name.strip_prefix("vmlinuz-"));
    let major = version.and_then(|version| version.split('.').next());
    ensure!(major.is_some(), "{path} names no version");
    major.unwrap_or_default().parse().with_context(|| format!("the version of {path}"))
}
