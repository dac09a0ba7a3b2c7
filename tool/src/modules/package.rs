//! The modules that `pack` is asked for, and the kernel package they come from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::{Module, Modules};

#[derive(Args, Clone, Debug, Default)]
pub struct Wanted {
    /// A kernel module to pack, with all it needs, and to load by the plan
    #[arg(long = "module", value_name = "NAME")]
    pub modules: Vec<String>,
    /// Where modules come from: a kernel's Debian package, or a directory with lib/modules/VERSION [default of
    /// `cargo vm`: the newest cloud kernel of this Debian release]
    #[arg(long, value_name = "DIR|DEB", requires = "modules")]
    pub kernel_package: Option<PathBuf>,
}

impl Wanted {
    /// The modules and all they need, in the order to load them. `default` says where they lie if nobody else does.
    pub fn modules(&self, default: fn() -> Result<PathBuf>) -> Result<Vec<Module>> {
        if self.modules.is_empty() {
            return Ok(Vec::new());
        }
        let Some(package) = &self.kernel_package else {
            return Modules::of(&default()?)?.needed(&self.modules);
        };
        if package.is_dir() {
            return Modules::of(&directory(package)?)?.needed(&self.modules);
        }
        let unpacked = tempfile::tempdir().context("cannot make a temporary directory")?;
        unpack(package, unpacked.path())?;
        let found = directory(unpacked.path()).with_context(|| package.display().to_string())?;
        Modules::of(&found)?.needed(&self.modules)
    }
}

fn unpack(package: &Path, directory: &Path) -> Result<()> {
    ensure!(package.is_file(), "there is no kernel package {}", package.display());
    let output = Command::new("dpkg-deb").arg("--extract").arg(package).arg(directory).output();
    let output = output.context("cannot run dpkg-deb")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} is no Debian package: {}", package.display(), said.trim());
    Ok(())
}

/// `…/lib/modules/VERSION` in an unpacked package or a root, or that directory itself.
fn directory(top: &Path) -> Result<PathBuf> {
    if top.join("kernel").is_dir() {
        // A name of its own, which tells the version: `.` has none.
        return top.canonicalize().with_context(|| format!("cannot find {}", top.display()));
    }
    let mut versions = Vec::new();
    for place in ["lib/modules", "usr/lib/modules"] {
        for entry in fs::read_dir(top.join(place)).into_iter().flatten().flatten() {
            let version = entry.path().canonicalize()?;
            if version.join("kernel").is_dir() && !versions.contains(&version) {
                versions.push(version);
            }
        }
    }
    match versions.as_slice() {
        [version] => Ok(version.clone()),
        [] => bail!("no lib/modules/VERSION/kernel in {}", top.display()),
        _ => bail!("modules of {} kernels in {}: name the directory of one", versions.len(), top.display()),
    }
}
