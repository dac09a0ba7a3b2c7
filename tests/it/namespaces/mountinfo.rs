//! `/proc/self/mountinfo`, taken apart: proc_pid_mountinfo(5).

use agent::Report;
use anyhow::{Context, Result};

#[derive(Debug, PartialEq, Eq)]
pub struct Mount {
    /// What of the filesystem is mounted.
    pub root: String,
    pub target: String,
    /// Of the mount, sorted.
    pub options: Vec<String>,
    /// `private`, or the kinds that there are, without their numbers.
    pub propagation: String,
    pub fstype: String,
    pub source: String,
    /// Of the filesystem, sorted.
    pub super_options: Vec<String>,
}

/// All mounts, in order.
pub fn mounts(report: &Report) -> Result<Vec<Mount>> {
    let text = report.mountinfo.as_ref().context("the plan mounts no proc")?;
    text.lines().map(|line| parse(line).with_context(|| format!("mountinfo: {line}"))).collect()
}

/// The topmost mount there.
pub fn mount(report: &Report, target: &str) -> Result<Mount> {
    let found = mounts(report)?.into_iter().rfind(|mount| mount.target == target);
    found.with_context(|| format!("nothing is mounted on {target}"))
}

/// Comma-separated options as [`Mount`] has them.
pub fn sorted(options: &str) -> Vec<String> {
    let mut options: Vec<String> = options.split(',').map(str::to_string).collect();
    options.sort();
    options
}

fn parse(line: &str) -> Option<Mount> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let mount: Vec<&str> = mount.split(' ').collect();
    let filesystem: Vec<&str> = filesystem.split(' ').collect();
    Some(Mount {
        root: mount.get(3)?.to_string(),
        target: mount.get(4)?.to_string(),
        options: sorted(mount.get(5)?),
        propagation: propagation(mount.get(6..)?),
        fstype: filesystem.first()?.to_string(),
        source: filesystem.get(1)?.to_string(),
        super_options: sorted(filesystem.get(2)?),
    })
}

fn propagation(fields: &[&str]) -> String {
    let kinds: Vec<&str> = fields.iter().map(|field| field.split(':').next().unwrap_or(field)).collect();
    if kinds.is_empty() { "private".to_string() } else { kinds.join(" ") }
}
