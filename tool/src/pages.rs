//! What the program writes of itself: its man pages, the init.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// The page of boot plans.
const PLAN: &str = include_str!("../moveroot.plan.5");

/// moveroot(1), a page for each command, and moveroot.plan(5).
pub fn write(command: &clap::Command, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make the directory {}", directory.display()))?;
    clap_mangen::generate_to(command.clone(), directory).context("cannot write the man pages")?;
    let page = directory.join("moveroot.plan.5");
    fs::write(&page, PLAN).with_context(|| format!("cannot write {}", page.display()))
}

/// A program that can be executed.
pub fn write_init(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    fs::write(path, bytes).with_context(context)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).with_context(context)
}
