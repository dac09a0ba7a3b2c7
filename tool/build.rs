//! Builds the init that the program `moveroot` brings with it, and tells where each lies: `INITS`, by processor.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

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
    let init = build(root, &out.join("init"));
    let source = format!("&[(\"x86_64\", include_bytes!({:?}))]", init.display().to_string());
    fs::write(out.join("inits.rs"), source).unwrap_or_else(|error| refuse(&format!("cannot write inits.rs: {error}")));
}

/// As `cargo build --release` builds it, whatever flags this build has.
fn build(root: &Path, target: &Path) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--locked", "--package", "moveroot", "--bin", "init", "--target-dir"]);
    cargo.arg(target).current_dir(root);
    for variable in ["MOVEROOT_PLAN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    match cargo.status() {
        Ok(status) if status.success() => target.join("release/init"),
        Ok(status) => refuse(&format!("cargo could not build init: {status}")),
        Err(error) => refuse(&format!("cannot run cargo to build init: {error}")),
    }
}

fn refuse(message: &str) -> ! {
    println!("cargo:error={message}");
    process::exit(1)
}
