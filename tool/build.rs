//! Builds the inits that the program `moveroot` brings with it, and tells where each lies: `INITS`, by processor. Those for other
//! processors come along where rustc has their targets.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

/// Processors, and rustc's targets for them.
const TARGETS: [(&str, &str); 3] = [
    ("x86_64", "x86_64-unknown-linux-gnu"),
    ("aarch64", "aarch64-unknown-linux-gnu"),
    ("riscv64", "riscv64gc-unknown-linux-gnu"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_INITS").is_none() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tool lies in the repository");
    for part in ["src", "language", "linker", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", root.join(part).display());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let inits = TARGETS.iter().filter_map(|(processor, target)| {
        let init = build(root, &out.join("init"), target)?.display().to_string();
        Some(format!("({processor:?}, include_bytes!({init:?})),"))
    });
    let source = format!("&[{}]", inits.collect::<String>());
    fs::write(out.join("inits.rs"), source).unwrap_or_else(|error| refuse(&format!("cannot write inits.rs: {error}")));
}

/// As `cargo build --release` builds it, whatever flags this build has; none where rustc has no such target.
fn build(root: &Path, directory: &Path, target: &str) -> Option<PathBuf> {
    let is_own = env::var("HOST").is_ok_and(|host| host == target);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--locked", "--package", "moveroot", "--bin", "init", "--target-dir"]);
    cargo.arg(directory).current_dir(root);
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
