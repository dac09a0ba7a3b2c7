//! The built-in plan: what it mounts, and what it carries.

use std::os::unix::fs::MetadataExt;

use agent::Report;
use anyhow::Result;
use vm::sandbox::Outcome;

use super::mountinfo::{mounts, sorted};
use super::{NO_PROBLEMS, content, initramfs};

const CRUN_LENGTH: usize = 300_001;

/// Mount point, type, source, options of the mount, options that the filesystem has among its own.
const MOUNTS: [(&str, &str, &str, &str, &str); 7] = [
    ("/", "tmpfs", "tmpfs", "rw,relatime", "rw,size=131072k,mode=755"),
    ("/proc", "proc", "proc", "rw,nosuid,nodev,noexec,relatime", "rw"),
    ("/sys", "sysfs", "sysfs", "rw,nosuid,nodev,noexec,relatime", "rw"),
    ("/sys/fs/cgroup", "cgroup2", "cgroup2", "rw,nosuid,nodev,noexec,relatime", "rw"),
    ("/dev", "devtmpfs", "devtmpfs", "rw,nosuid,noexec,relatime", "rw"),
    ("/run", "tmpfs", "tmpfs", "rw,nosuid,nodev,noexec,relatime", "rw,size=65536k,mode=755"),
    ("/sbin/agent", "tmpfs", "none", "rw,relatime", "rw"),
];

fn boot() -> Result<(Outcome, Report)> {
    let sandbox = initramfs()?.file("/sbin/crun", content(CRUN_LENGTH), 0o755)?.args(["--report"]);
    let outcome = sandbox.run()?;
    let report = outcome.report()?;
    Ok((outcome, report))
}

#[test]
fn mounts_what_it_says() -> Result<()> {
    let (_, report) = boot()?;
    let found = mounts(&report)?;
    let targets: Vec<&str> = found.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, MOUNTS.map(|(target, ..)| target));
    for (mount, (target, fstype, source, options, among)) in found.iter().zip(MOUNTS) {
        assert_eq!((mount.fstype.as_str(), mount.source.as_str()), (fstype, source), "{target}");
        assert_eq!(mount.options, sorted(options), "{target}");
        for option in sorted(among) {
            assert!(mount.super_options.contains(&option), "{target}: no {option} in {mount:?}");
        }
        let whole = if target == "/sbin/agent" { "/sbin/agent" } else { "/" };
        assert_eq!(mount.root, whole, "{target}");
    }
    Ok(())
}

#[test]
fn carries_crun_and_frees_the_original() -> Result<()> {
    let (outcome, report) = boot()?;
    let crun = report.file("/sbin/crun").expect("crun is in the new root");
    assert_eq!((crun.kind.as_str(), crun.mode, crun.uid, crun.gid), ("file", 0o755, 0, 0));
    assert_eq!(crun.sha256, Some(agent::sha256(&content(CRUN_LENGTH))));
    assert!(!outcome.path("/sbin/crun").exists(), "the original is still there");
    Ok(())
}

#[test]
fn binds_the_agent_and_becomes_it() -> Result<()> {
    let (outcome, report) = boot()?;
    let original = outcome.path("/sbin/agent").metadata()?;
    let bound = report.file("/sbin/agent").expect("the agent is in the new root");
    assert_eq!((bound.device, bound.inode), (original.dev(), original.ino()));
    assert_eq!(report.exe.as_deref(), Some("/sbin/agent"));
    assert_eq!(report.argv, ["/sbin/agent", "--report"]);
    assert_eq!(report.problems, NO_PROBLEMS);
    assert_eq!(outcome.code, Some(0));
    Ok(())
}

#[test]
fn makes_nothing_that_it_does_not_say() -> Result<()> {
    let (_, report) = boot()?;
    let paths: Vec<&str> = report.tree.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/dev", "/etc", "/proc", "/run", "/sbin", "/sbin/agent", "/sbin/crun", "/sys"]);
    let directories = report.tree.iter().filter(|file| ["/etc", "/sbin", "/run"].contains(&file.path.as_str()));
    assert!(directories.map(|file| file.mode).all(|mode| mode == 0o755));
    Ok(())
}

/// This machine may lack any controller: then its name is in one warning, and boot goes on.
#[test]
fn names_the_controllers_it_cannot_enable() -> Result<()> {
    let (outcome, report) = boot()?;
    let enabled = report.subtree_control.unwrap_or_default();
    for name in ["cpu", "cpuset", "io", "memory", "pids"] {
        let is_enabled = enabled.split_whitespace().any(|one| one == name);
        let warning = outcome.stderr.lines().find(|line| line.starts_with("moveroot: default.plan:9: controllers"));
        let is_named = warning.is_some_and(|line| line.split([' ', ':']).any(|word| word == name));
        assert!(is_enabled != is_named, "{name}: enabled {is_enabled}, named in the warning {is_named}: {outcome:#?}");
    }
    Ok(())
}
