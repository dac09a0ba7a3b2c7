//! The licences of the crates in the programs, which have to be where the programs are: each text once, after the crates it is of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::crates::{self, Crate};
use sources::arch::Arch;
use sources::workspace;

/// How a file's name begins that has a licence in it, in capitals.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "UNLICENSE"];

const HEAD: &str = "\
The programs of moveroot are linked with these crates, with Rust's standard library (MIT or Apache-2.0), and, but for the init, with the
GNU C library (LGPL 2.1 or later); the sources of all are public. A crate with more than one licence is taken under the first
that suits. After the list stands each text that comes with them.

";

/// Of programs for these processors.
pub fn text(processors: &[&Arch]) -> Result<String> {
    let directories = directories()?;
    let (mut list, mut texts) = (String::new(), BTreeMap::<String, BTreeSet<String>>::new());
    // Those of this workspace are under moveroot's own.
    for part in crates::graph(processors)?.keys() {
        let Some(directory) = directories.get(&part.id()) else { continue };
        list += &format!("{} {}: {}\n", part.name, part.version, part.licence);
        for text in licences(Path::new(directory), part)? {
            texts.entry(text).or_default().insert(part.id());
        }
    }
    ensure!(!texts.is_empty(), "no crate has the text of a licence");
    let section = |(text, of): (&String, &BTreeSet<String>)| {
        let names = of.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("\n{}\n{names}\n\n{}\n", "-".repeat(80), text.trim_end())
    };
    Ok(format!("{HEAD}{list}{}", texts.iter().map(section).collect::<String>()))
}

/// The texts in a crate, and in what it builds of another language: one directory deep.
fn licences(directory: &Path, part: &Crate) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory).max_depth(2).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", part.id()))?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type().is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
            found.push(String::from_utf8_lossy(&fs::read(entry.path())?).replace("\r\n", "\n"));
        }
    }
    Ok(found)
}

/// Where cargo has unpacked packages, by name and version.
fn directories() -> Result<BTreeMap<String, String>> {
    let mut cargo = workspace::cargo();
    let output =
        cargo.args(["metadata", "--locked", "--format-version=1"]).output().context("cannot run cargo metadata")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {}", errors.trim());
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata's answer")?;
    let package = |package: &Value| {
        let [name, version, manifest] = ["name", "version", "manifest_path"].map(|field| package[field].as_str());
        package["source"].as_str()?;
        Some((format!("{}@{}", name?, version?), manifest?.trim_end_matches("Cargo.toml").to_string()))
    };
    Ok(metadata["packages"].as_array().into_iter().flatten().filter_map(package).collect())
}
