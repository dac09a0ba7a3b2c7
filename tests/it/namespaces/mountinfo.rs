//! The mounts that a report has, as tests compare them: proc_pid_mountinfo(5).

use std::collections::HashMap;

use agent::Report;
use anyhow::{Context, Result};
use procfs_core::process::{MountInfo, MountOptFields};

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
    text.lines().map(|line| Ok(Mount::of(MountInfo::from_line(line)?))).collect()
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

impl Mount {
    fn of(info: MountInfo) -> Mount {
        Mount {
            root: info.root,
            target: info.mount_point.display().to_string(),
            options: joined(info.mount_options),
            propagation: propagation(&info.opt_fields),
            fstype: info.fs_type,
            source: info.mount_source.unwrap_or("none".to_string()),
            super_options: joined(info.super_options),
        }
    }
}

fn joined(options: HashMap<String, Option<String>>) -> Vec<String> {
    let joined = |(name, value)| [Some(name), value].into_iter().flatten().collect::<Vec<String>>().join("=");
    let mut options: Vec<String> = options.into_iter().map(joined).collect();
    options.sort();
    options
}

fn propagation(fields: &[MountOptFields]) -> String {
    let kind = |field: &MountOptFields| match field {
        MountOptFields::Shared(_) => "shared",
        MountOptFields::Master(_) => "master",
        MountOptFields::PropagateFrom(_) => "propagate_from",
        MountOptFields::Unbindable => "unbindable",
    };
    let kinds: Vec<&str> = fields.iter().map(kind).collect();
    if kinds.is_empty() { "private".to_string() } else { kinds.join(" ") }
}
