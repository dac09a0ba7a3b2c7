//! The records in the tree: qemu/records, a file for each run that was kept.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sources::workspace;

/// Those of a command, the oldest first: their names have the date.
pub fn of(command: &str) -> Result<Vec<PathBuf>> {
    let directory = directory();
    let entries = directory.read_dir().with_context(|| format!("cannot read {}", directory.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let is_its = |name: &str| name.starts_with(&format!("{command}-")) && name.ends_with(".json");
    files.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_its));
    files.sort();
    Ok(files)
}

pub fn directory() -> PathBuf {
    workspace::root().join("qemu/records")
}
