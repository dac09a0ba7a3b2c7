//! The inits that the program `moveroot` brings with it, and where each lies: `INITS`, by processor. One that the environment names,
//! as MOVEROOT_INIT_AARCH64, is taken as it is. Else cargo builds it, of `init`: links to the sources in a clone, their copies in a
//! package. Those for other processors come along where rustc has their targets.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, process};

/// Processors, and rustc's targets for them.
const TARGETS: [(&str, &str); 3] = [
    ("x86_64", "x86_64-unknown-linux-gnu"),
    ("aarch64", "aarch64-unknown-linux-gnu"),
    ("riscv64", "riscv64gc-unknown-linux-gnu"),
];

/// What of `init` goes where in a workspace of its own. Under its own name cargo would take a manifest for that of another package,
/// and leave it and what lies beside it out.
const PARTS: [(&str, &str); 6] = [
    ("init.toml", "Cargo.toml"),
    ("init.lock", "Cargo.lock"),
    ("src", "src"),
    ("linker", "linker"),
    ("language.toml", "language/Cargo.toml"),
    ("language", "language/src"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_INITS").is_none() {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let workspace = out.join("workspace");
    gather(&workspace).unwrap_or_else(|error| refuse(&format!("cannot gather the init's sources: {error}")));
    let inits = TARGETS.iter().filter_map(|(processor, target)| {
        let init = given(processor).or_else(|| build(&workspace, &out.join("init"), target))?.display().to_string();
        Some(format!("({processor:?}, include_bytes!({init:?})),"))
    });
    let source = format!("&[{}]", inits.collect::<String>());
    fs::write(out.join("inits.rs"), source).unwrap_or_else(|error| refuse(&format!("cannot write inits.rs: {error}")));
}

/// The one that the environment names.
fn given(processor: &str) -> Option<PathBuf> {
    let variable = format!("MOVEROOT_INIT_{}", processor.to_uppercase());
    println!("cargo:rerun-if-env-changed={variable}");
    let init = PathBuf::from(env::var_os(variable).filter(|path| !path.is_empty())?);
    println!("cargo:rerun-if-changed={}", init.display());
    Some(init)
}

/// The workspace of init and the plan language, without the other members.
fn gather(workspace: &Path) -> io::Result<()> {
    // What is no longer there.
    fs::remove_dir_all(workspace).or_else(|error| if workspace.exists() { Err(error) } else { Ok(()) })?;
    for (from, to) in PARTS {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("init").join(from).canonicalize()?;
        println!("cargo:rerun-if-changed={}", from.display());
        copy(&from, &workspace.join(to))?;
    }
    let manifest = fs::read_to_string(workspace.join("Cargo.toml"))?;
    let line = |line: &str| if line.starts_with("members = ") { "members = [\"language\"]" } else { line }.to_string();
    fs::write(workspace.join("Cargo.toml"), manifest.lines().map(|text| line(text) + "\n").collect::<String>())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        return fs::copy(from, to).map(drop);
    }
    fs::read_dir(from)?.try_for_each(|entry| {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))
    })
}

/// As `cargo build --release` builds it, whatever flags this build has; none where rustc has no such target.
fn build(workspace: &Path, directory: &Path, target: &str) -> Option<PathBuf> {
    let is_own = env::var("HOST").is_ok_and(|host| host == target);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Not --locked: the lock has the other members' packages, too. Those that are left are taken as it says.
    cargo.args(["build", "--quiet", "--release", "--package", "moveroot", "--bin", "init", "--target-dir"]);
    cargo.arg(directory).current_dir(workspace);
    for variable in ["MOVEROOT_PLAN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    let mut built = directory.to_path_buf();
    if !is_own {
        if !has_target(target) {
            return None;
        }
        cargo.args(["--target", target]);
        built.push(target);
    }
    match cargo.status() {
        Ok(status) if status.success() => Some(built.join("release/init")),
        Ok(status) => refuse(&format!("cargo could not build init for {target}: {status}")),
        Err(error) => refuse(&format!("cannot run cargo to build init: {error}")),
    }
}

/// Whether rustc has its standard library.
fn has_target(target: &str) -> bool {
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output();
    let directory = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()).unwrap_or_default();
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn refuse(message: &str) -> ! {
    println!("cargo:error={message}");
    process::exit(1)
}
