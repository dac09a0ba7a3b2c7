//! Where this workspace keeps its things: the repository's root, cargo's target directory, the harness's cache in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The repository's root directory.
pub fn root() -> &'static Path {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory.ancestors().nth(2).unwrap_or(crate_directory)
}

/// Cargo's target directory, wherever configuration or environment put it.
pub fn target() -> Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target.clone());
    }
    let target = ask_cargo_for_target()?;
    Ok(TARGET.get_or_init(|| target).clone())
}

/// A directory of the harness's cache, made when missing.
pub fn cache(name: &str) -> Result<PathBuf> {
    let directory = target()?.join("vm").join(name);
    fs::create_dir_all(&directory).with_context(|| format!("cannot make the directory {}", directory.display()))?;
    Ok(directory)
}

/// The cargo that runs us, or the one on the path.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Set in a guest that runs tests, where there is no cargo: the directory with the programs that were built for it.
pub const BUILT: &str = "MOVEROOT_BUILT";

/// A program that was built for this guest, if this is one.
pub fn given(name: &str) -> Option<PathBuf> {
    std::env::var_os(BUILT).map(|directory| Path::new(&directory).join(name))
}

fn ask_cargo_for_target() -> Result<PathBuf> {
    let output =
        cargo().args(["metadata", "--format-version=1", "--no-deps"]).output().context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata's answer")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
    Ok(PathBuf::from(target))
}
