//! The whole command, in two directories, in the long form: it takes a quarter of an hour for each.

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

/// Runs it in a copy of the tree; what it has fetched is taken along, and nothing that it has unpacked or built.
fn release(root: &Path) -> Result<()> {
    copy_directory(workspace::root(), root)?;
    let debs = root.join("target/vm/debs");
    fs::create_dir_all(&debs)?;
    for entry in fs::read_dir(workspace::cache("debs")?)? {
        let entry = entry?;
        fs::copy(entry.path(), debs.join(entry.file_name()))?;
    }
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--package", "vm", "--", "dist", "--out", "release"]);
    cargo.current_dir(root).env_remove("CARGO_TARGET_DIR").env("SOURCE_DATE_EPOCH", TIME);
    said(&mut cargo).map(drop)
}

#[test]
fn two_releases_are_the_same() -> Result<()> {
    if !vm::test::long() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let roots = ["a", "in-a-directory-with-a-longer-name"].map(|name| directory.path().join(name));
    for root in &roots {
        release(root)?;
    }
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(roots[0].join("release"))? {
        found.push(entry?.file_name().display().to_string());
    }
    found.sort();
    assert_eq!(found, names());
    for name in found {
        let [one, other] = [0, 1].map(|at| fs::read(roots[at].join("release").join(&name)));
        assert!(one? == other?, "{name} is not the same");
    }
    let tool = roots[0].join(format!("target/released/{}/dist/moveroot", X86_64.target));
    brings_every_init(&tool)?;
    for arch in arch::ALL {
        let program = fs::read(roots[0].join(format!("target/released/{}/dist/moveroot", arch.target)))?;
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
