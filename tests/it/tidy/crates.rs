//! The tool's and the laboratory's crates: `lib.rs` names a crate's modules from the top floor down, and imports point down only.
//! That crates make no circle, cargo sees to.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use vm::workspace;

use super::imports::imports;
use super::source::rust_files;

const CRATES: [&str; 8] =
    ["tool", "qemu", "qemu/breakage", "qemu/clients", "qemu/figures", "qemu/measure", "qemu/machine", "qemu/sources"];

/// Of a crate of the laboratory.
const MOST_LINES: usize = 4000;
const MOST_MODULES: usize = 15;

/// The modules of a crate, in the order of its head.
fn modules(name: &str) -> Result<Vec<String>> {
    let path = workspace::root().join(name).join("src/lib.rs");
    let head = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let module = |line: &str| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(String::from);
    Ok(head.lines().filter_map(module).collect())
}

/// The files of a crate.
fn files(name: &str) -> Result<Vec<(String, String)>> {
    let root = Path::new(name).join("src");
    let inside = |path: &Path| path.strip_prefix(&root).ok().map(|path| path.to_string_lossy().into_owned());
    Ok(rust_files()?.into_iter().filter_map(|(path, text)| Some((inside(&path)?, text))).collect())
}

/// The module that a file belongs to.
fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn complaints(modules: &[String], file: &str, text: &str) -> Vec<String> {
    let floor = |name: &str| modules.iter().position(|module| module == name);
    let Some(own) = floor(module_of(file)) else { return Vec::new() };
    let above = imports(text, "crate::").into_iter().filter(|name| floor(name).is_some_and(|other| other < own));
    above.map(|name| format!("{file}: imports {name}, which is above it")).collect()
}

#[test]
fn imports_point_down() -> Result<()> {
    let (mut count, mut found) = (0, Vec::new());
    for name in CRATES {
        let modules = modules(name)?;
        for (file, text) in files(name)? {
            count += imports(&text, "crate::").len();
            found
                .extend(complaints(&modules, &file, &text).into_iter().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    assert!(count > 50, "found {count}: this test looks at the wrong files");
    assert_eq!(found, [""; 0]);
    Ok(())
}

#[test]
fn imports_that_point_up_are_found() {
    let modules = ["top", "middle", "bottom"].map(String::from);
    let text = "use crate::top::a;\nuse crate::{bottom, middle::b};\n";
    assert_eq!(complaints(&modules, "middle/part.rs", text), ["middle/part.rs: imports top, which is above it"]);
    assert_eq!(complaints(&modules, "top.rs", text), [""; 0]);
}

#[test]
fn of_the_laboratory_are_small() -> Result<()> {
    for name in CRATES.iter().filter(|name| name.starts_with("qemu")) {
        let lines: usize = files(name)?.iter().map(|(_, text)| text.lines().count()).sum();
        assert!(lines < MOST_LINES, "{name}: {lines} lines");
        let modules = modules(name)?.len();
        assert!((1..=MOST_MODULES).contains(&modules), "{name}: {modules} modules");
    }
    Ok(())
}
