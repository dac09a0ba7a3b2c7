//! The whole command, in two directories, in the long form: it takes a quarter of an hour.

use std::fs;
use std::path::Path;

use anyhow::Result;
use vm::arch::{self, X86_64};
use vm::dist::{self, VERSION};
use vm::workspace;

use super::said;
use crate::reproducible::copy_directory;

const TIME: &str = "1000000000";

/// The names of the files that a release has.
fn names() -> Vec<String> {
    let of = |arch: &arch::Arch| {
        [format!("moveroot-{VERSION}-{arch}.tar.gz"), format!("moveroot_{VERSION}-1_{}.deb", arch.debian)]
    };
    let mut names: Vec<String> = arch::ALL.into_iter().flat_map(of).collect();
    names.extend(["SHA256SUMS".to_string(), format!("moveroot-{VERSION}.cdx.json")]);
    names.sort();
    names
}

/// A copy of the tree. What was fetched is taken along, but nothing that was unpacked or built.
fn copy_tree(root: &Path) -> Result<()> {
    copy_directory(workspace::root(), root)?;
    let debs = root.join("target/vm/debs");
    fs::create_dir_all(&debs)?;
    for entry in fs::read_dir(workspace::cache("debs")?)? {
        let entry = entry?;
        fs::copy(entry.path(), debs.join(entry.file_name()))?;
    }
    Ok(())
}

/// The release of the tree in this directory.
fn release(root: &Path, out: &Path) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--package", "vm", "--", "dist", "--out"]).arg(out);
    cargo.current_dir(root).env_remove("CARGO_TARGET_DIR").env("SOURCE_DATE_EPOCH", TIME);
    said(&mut cargo).map(drop)
}

#[test]
fn two_releases_are_the_same() -> Result<()> {
    if !vm::test::long() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let copy = directory.path().join("in-a-directory-with-another-name");
    let [one, other] = ["one", "other"].map(|name| directory.path().join(name));
    copy_tree(&copy)?;
    release(workspace::root(), &one)?;
    release(&copy, &other)?;
    let entries = fs::read_dir(&one)?.map(|entry| Ok(entry?.file_name().display().to_string()));
    let mut found = entries.collect::<Result<Vec<String>>>()?;
    found.sort();
    assert_eq!(found, names());
    for name in found {
        assert!(fs::read(one.join(&name))? == fs::read(other.join(&name))?, "{name} is not the same");
    }
    brings_every_init(&copy.join(format!("target/released/{}/dist/moveroot", X86_64.target)))?;
    for arch in arch::ALL {
        let program = fs::read(copy.join(format!("target/released/{}/dist/moveroot", arch.target)))?;
        let path = directory.path().display().to_string();
        assert!(!program.windows(path.len()).any(|window| window == path.as_bytes()), "{arch}: {path} is in it");
    }
    Ok(())
}

fn brings_every_init(tool: &Path) -> Result<()> {
    let out = tempfile::NamedTempFile::new()?;
    for (arch, init) in dist::inits()? {
        said(std::process::Command::new(tool).args(["init", "--arch", arch.name]).arg(out.path()))?;
        assert!(fs::read(out.path())? == fs::read(init)?, "{arch}");
    }
    Ok(())
}
