//! Where a guest's kernel and the programs that only a guest runs come from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::apt;

/// The newest cloud kernel of this Debian release, as a bzImage.
pub fn newest() -> Result<PathBuf> {
    let folder = apt::unpacked(&package()?, "./boot/vmlinuz-*")?.join("boot");
    only_file(&folder)
}

/// A module of that kernel, by its path below `/lib/modules/VERSION`.
pub fn module(path: &str) -> Result<PathBuf> {
    let folder = apt::unpacked(&package()?, "*lib/modules/*")?;
    let modules = ["lib/modules", "usr/lib/modules"].map(|place| folder.join(place));
    let modules = modules.into_iter().find(|place| place.is_dir()).context("the kernel's package has no modules")?;
    let file = only_file(&modules)?.join(path);
    ensure!(file.is_file(), "the kernel has no module {}", file.display());
    Ok(file)
}

fn package() -> Result<String> {
    apt::dependency("linux-image-cloud-amd64", "linux-image-")
}

/// Debian's static busybox, for the container's root; this machine's own busybox is left alone.
pub fn busybox() -> Result<PathBuf> {
    let folder = apt::unpacked("busybox-static", "*bin/busybox")?;
    let places = ["bin/busybox", "usr/bin/busybox"].map(|place| folder.join(place));
    places.into_iter().find(|place| place.is_file()).context("no busybox in the package busybox-static")
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let entry = entries.next().with_context(|| format!("nothing in {}", folder.display()))?;
    Ok(entry.with_context(|| format!("cannot read {}", folder.display()))?.path())
}
