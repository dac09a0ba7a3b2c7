//! What a release has: `cargo vm dist`. Here its packages are made of the program as tests build it; `whole` runs the command.

mod crates;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use vm::arch::{self, AARCH64, X86_64};
use vm::dist::{self, Release, VERSION, files};
use vm::{build, locale};

const TIME: u64 = 1_000_000_000;

/// What a user needs, below the prefix.
const NEEDED: [&str; 14] = [
    "bin/moveroot",
    "lib/moveroot/init-x86_64",
    "lib/moveroot/init-aarch64",
    "lib/moveroot/init-riscv64",
    "share/man/man1/moveroot.1",
    "share/man/man1/moveroot-pack.1",
    "share/man/man5/moveroot.plan.5",
    "share/bash-completion/completions/moveroot",
    "share/zsh/site-functions/_moveroot",
    "share/fish/vendor_completions.d/moveroot.fish",
    "share/doc/moveroot/plans/minimal.plan",
    "share/doc/moveroot/README.md",
    "share/doc/moveroot/LICENSE-MIT",
    "share/doc/moveroot/LICENSE-APACHE",
];

/// Where Debian's package has some of them; what isn't here, below /usr.
const PLACED: [(&str, Option<&str>); 7] = [
    ("share/man/man1/moveroot.1", Some("share/man/man1/moveroot.1.gz")),
    ("share/man/man1/moveroot-pack.1", Some("share/man/man1/moveroot-pack.1.gz")),
    ("share/man/man5/moveroot.plan.5", Some("share/man/man5/moveroot.plan.5.gz")),
    ("share/zsh/site-functions/_moveroot", Some("share/zsh/vendor-completions/_moveroot")),
    ("share/doc/moveroot/plans/minimal.plan", Some("share/doc/moveroot/examples/minimal.plan")),
    ("share/doc/moveroot/LICENSE-MIT", Some("share/doc/moveroot/copyright")),
    ("share/doc/moveroot/LICENSE-APACHE", None),
];

/// A directory with a release for x86_64 and the tarball's files.
struct Made {
    directory: TempDir,
    tarball: BTreeMap<String, Vec<u8>>,
}

impl Made {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn package(&self) -> PathBuf {
        self.path(&format!("moveroot_{VERSION}-1_amd64.deb"))
    }
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| make().expect("packages are made"))
}

fn make() -> Result<Made> {
    let directory = tempfile::tempdir()?;
    let release = Release { time: TIME, shared: files::shared(&build::tool()?, &dist::inits()?)? };
    // With its symbols it would take a minute to compress.
    let tool = directory.path().join("stripped");
    said(Command::new("strip").arg("-o").args([&tool, &build::tool()?]))?;
    let mut written = release.of(&X86_64, &tool)?.to_vec();
    assert!(written == release.of(&X86_64, &tool)?, "not the same bytes a second time");
    written.push(release.bill(&arch::ALL)?);
    let tarball = unpacked(&written[0].1)?;
    dist::write(directory.path(), written)?;
    Ok(Made { directory, tarball })
}

/// The files of a tarball, below its one directory. All are root's, and of the time that was given.
fn unpacked(tarball: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(tarball)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        let header = entry.header();
        assert_eq!((header.uid()?, header.gid()?, header.mtime()?), (0, 0, TIME), "{path}");
        let path = path.strip_prefix(&format!("moveroot-{VERSION}-x86_64/")).context(path.clone())?.to_string();
        assert_eq!(header.mode()? & 0o7022, 0, "{path}");
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        if entry.header().entry_type().is_file() {
            found.insert(path, content);
        }
    }
    Ok(found)
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn a_tarball_has_what_a_user_needs() -> Result<()> {
    let tarball = &made().tarball;
    for path in NEEDED {
        assert!(tarball.contains_key(path), "no {path}");
    }
    for arch in arch::ALL {
        let init = &tarball[&format!("lib/moveroot/init-{arch}")];
        assert!(*init == fs::read(build::init_for(arch)?)?, "{arch}");
    }
    let licences = String::from_utf8_lossy(&tarball["share/doc/moveroot/LICENSES-OF-CRATES"]);
    for words in ["\nzstd-sys ", "Copyright (c) Meta Platforms, Inc.", "\nclap ", "\nlinux-raw-sys "] {
        assert!(licences.contains(words), "no {words:?} in the licences of crates");
    }
    Ok(())
}

#[test]
fn a_package_has_the_same_where_debian_has_it() -> Result<()> {
    let package = made().package();
    let listing = said(locale::command("dpkg-deb").arg("--contents").arg(&package))?;
    assert!(listing.lines().all(|line| line.contains(" root/root ")), "{listing}");
    let has = |path: &str| listing.lines().any(|line| line.ends_with(&format!(" ./usr/{path}")));
    for path in NEEDED {
        let placed = PLACED.iter().find(|(from, _)| *from == path).map_or(Some(path), |(_, to)| *to);
        assert!(placed.is_none_or(has), "no {placed:?}:\n{listing}");
    }
    for name in ["changelog.gz", "changelog.Debian.gz", "LICENSES-OF-CRATES.gz"] {
        assert!(has(&format!("share/doc/moveroot/{name}")), "no {name}:\n{listing}");
    }
    Ok(())
}

#[test]
fn a_package_says_what_it_is() -> Result<()> {
    let package = made().package();
    let field = |name: &str| said(locale::command("dpkg-deb").arg("--field").arg(&package).arg(name));
    let version = format!("{VERSION}-1\n");
    for (name, expected) in
        [("Package", "moveroot\n"), ("Version", &version), ("Architecture", "amd64\n"), ("Depends", "\n")]
    {
        assert_eq!(field(name)?, expected, "{name}");
    }
    let files: usize = made().tarball.values().map(|content| content.len() / 1024).sum();
    let installed: usize = field("Installed-Size")?.trim().parse()?;
    // Some files are compressed there, and each takes whole kilobytes.
    assert!(installed.abs_diff(files) < 500, "{installed} kB and {files} kB");
    Ok(())
}

/// As dpkg unpacks it, away from everything.
#[test]
fn a_packages_program_checks_its_examples() -> Result<()> {
    let root = tempfile::tempdir()?;
    said(locale::command("dpkg-deb").arg("--extract").arg(made().package()).arg(root.path()))?;
    let program = root.path().join("usr/bin/moveroot");
    let moveroot = |words: &[&Path]| said(Command::new(&program).args(words).env_clear());
    assert_eq!(moveroot(&["--version".as_ref()])?, format!("moveroot {VERSION}\n"));
    for entry in fs::read_dir(root.path().join("usr/share/doc/moveroot/examples"))? {
        moveroot(&["check".as_ref(), &entry?.path()])?;
    }
    Ok(())
}

#[test]
fn sums_match() -> Result<()> {
    let checked = said(locale::command("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(made().path("")))?;
    assert_eq!(checked.lines().filter(|line| line.ends_with(": OK")).count(), 3, "{checked}");
    Ok(())
}

/// The build script of the tool, compiled and run by itself: it takes inits that the environment names.
#[test]
fn inits_for_the_tool_may_be_named() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (script, crate_directory) = (directory.path().join("script"), vm::workspace::root().join("tool"));
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "-o"]).arg(&script).arg(crate_directory.join("build.rs"));
    said(rustc.env("CARGO_MANIFEST_DIR", &crate_directory).current_dir(&crate_directory))?;
    let mut run = Command::new(&script);
    run.env("CARGO_FEATURE_INITS", "1").env("OUT_DIR", directory.path()).env("HOST", "none");
    for arch in arch::ALL {
        run.env(format!("MOVEROOT_INIT_{}", arch.name.to_uppercase()), format!("/of/{arch}"));
    }
    let instructions = said(&mut run)?;
    assert!(instructions.contains("cargo:rerun-if-changed=/of/aarch64\n"), "{instructions}");
    let inits = fs::read_to_string(directory.path().join("inits.rs"))?;
    let expected = arch::ALL.map(|arch| format!("({:?}, include_bytes!(\"/of/{arch}\")),", arch.name)).concat();
    assert_eq!(inits, format!("&[{expected}]"));
    // Without one it goes on to build it, with the compiler that cargo names.
    run.env_remove(format!("MOVEROOT_INIT_{}", AARCH64.name.to_uppercase())).env("RUSTC", "false");
    said(&mut run)?;
    assert!(!fs::read_to_string(directory.path().join("inits.rs"))?.contains("aarch64"));
    Ok(())
}

#[test]
fn the_changelog_has_this_version() {
    let changelog = &made().tarball["share/doc/moveroot/CHANGELOG.md"];
    assert!(String::from_utf8_lossy(changelog).contains(&format!("\n## [{VERSION}] - 20")));
}
