//! Two clean builds in directories of different names give the same init, bit for bit.

use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use vm::arch::{AARCH64, Arch, RISCV64, X86_64};
use vm::build::cargo_for_init;
use vm::test::long;
use vm::toolchain::{self, Needs};
use vm::workspace;

/// What isn't source.
const LEFT_OUT: [&str; 2] = ["target", ".git"];

#[test]
fn two_builds_are_the_same() -> Result<()> {
    are_the_same(&X86_64)
}

#[test]
fn two_builds_for_aarch64_are_the_same() -> Result<()> {
    are_the_same(&AARCH64)
}

/// In the long form alone: its core library is built twice.
#[test]
fn two_builds_for_riscv64_are_the_same() -> Result<()> {
    if long() { are_the_same(&RISCV64) } else { Ok(()) }
}

fn are_the_same(arch: &Arch) -> Result<()> {
    let [one, other] = [build_in(arch, "a")?, build_in(arch, "in-a-directory-with-a-longer-name")?];
    assert_eq!(one.len(), other.len());
    let difference = one.iter().zip(&other).position(|(a, b)| a != b);
    assert_eq!(difference, None, "the first byte that differs");
    Ok(())
}

/// And the one that is packed is such a build too.
#[test]
fn the_one_that_is_packed_is_the_same() -> Result<()> {
    let packed = std::fs::read(vm::build::init(None)?)?;
    assert!(packed == build_in(&X86_64, "clean")?, "a clean build differs from the one in the target directory");
    Ok(())
}

fn build_in(arch: &Arch, name: &str) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let root = directory.path().join(name);
    copy_directory(workspace::root(), &root)?;
    let mut cargo = cargo_for_init("build");
    cargo.arg("--locked").current_dir(&root).env_remove("CARGO_TARGET_DIR");
    let target = root.join("target");
    let mut program = target.clone();
    if !arch.is_native() {
        toolchain::target(&mut cargo, arch, Needs::Core)?;
        program.push(arch.target);
    }
    let status = cargo.arg("--target-dir").arg(&target).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo cannot build init in {}: {status}", root.display());
    std::fs::read(program.join("release/init")).context("cargo built no init")
}

pub fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        } else if entry.file_type()?.is_symlink() {
            symlink(std::fs::read_link(&from)?, &to)?;
        } else if entry.file_type()?.is_dir() {
            copy_directory(&from, &to)?;
        } else {
            std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}
