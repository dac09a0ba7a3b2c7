//! Programs of crates that the harness runs: cargo builds them into the cache when they are first needed.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// The program of that name and version, built with these options of cargo's, in the cache.
pub fn installed(name: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
    let lock = workspace::cache("programs")?.join("lock");
    let lock = File::create(&lock).with_context(|| format!("cannot create {}", lock.display()))?;
    lock.lock().context("cannot lock the directory of programs")?;
    let directory = workspace::cache("programs")?.join(format!("{name}-{version}"));
    let program = directory.join("bin").join(name);
    if program.is_file() {
        return Ok(program);
    }
    eprintln!("vm: {name} missing here: cargo builds version {version}, which takes a minute or two");
    let mut cargo = workspace::cargo();
    cargo.args(["install", "--quiet", "--locked", "--no-track", name, "--version", version, "--root"]).arg(&directory);
    cargo.args(options);
    cargo.arg("--target-dir").arg(workspace::cache("programs")?.join("build"));
    let status = cargo.status().with_context(|| format!("cannot run cargo to install {name}"))?;
    ensure!(status.success(), "cargo could not install {name} {version}: {status}");
    ensure!(program.is_file(), "cargo installed no {}", program.display());
    Ok(program)
}
