//! Imports of the init point down only.

use std::path::Path;

use anyhow::Result;

use super::code::code;
use super::source::rust_files;

/// The modules of the init, from the top floor down.
const FLOORS: [&str; 10] = ["start", "boot", "steps", "plan", "report", "roots", "scratch", "errno", "built_in", "sys"];

/// Those of `steps` and of `sys`, from the top floor down; of one floor none imports another.
const STEPS: [&[&str]; 2] = [&["spawn"], &["carry", "furnish", "module", "process", "root", "shutdown"]];
const SYS: [&[&str]; 5] =
    [&["child"], &["mount", "process", "status", "tree"], &["file"], &["machine", "marks", "signal"], &["call"]];

/// What is wrong with the imports of a file of the init.
fn complaints(path: &Path, text: &str) -> Vec<String> {
    let Ok(inside) = path.strip_prefix("src") else { return Vec::new() };
    let names: Vec<String> = inside.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let [module, inner @ ..] = names.as_slice() else { return Vec::new() };
    // It names every module, to have them in the program.
    if module == "main" {
        return Vec::new();
    }
    let complaint = |what: String| format!("{}: {what}", path.display());
    let floor = |name: &str| FLOORS.iter().position(|floor| *floor == name);
    let Some(own) = floor(module) else {
        return vec![complaint(format!("{module} has no floor: name it in this test"))];
    };
    let mut found = Vec::new();
    for import in imports(text, "crate::") {
        if import != *module && floor(&import).is_none_or(|other| other <= own) {
            found.push(complaint(format!("imports {import}, which is not below {module}")));
        }
    }
    let within = [imports(text, "super::"), imports(text, &format!("crate::{module}::"))].concat();
    if let (Some(file), false) = (inner.last(), inner == ["mod"]) {
        found.extend(within.iter().filter_map(|name| beside(module, file, name)).map(complaint));
    }
    found
}

/// Whether a file of a module may import a name of the same module.
fn beside(module: &str, file: &str, name: &str) -> Option<String> {
    let floors: &[&[&str]] = match module {
        "sys" => &SYS,
        "steps" => &STEPS,
        _ => &[],
    };
    let floor = |name: &str| floors.iter().position(|files| files.contains(&name));
    // A module's name is a file's, any other is of the module itself.
    let is_file = floor(name).is_some() || super::source::exists(&format!("src/{module}/{name}.rs"));
    let is_wrong = name != file && is_file && (floor(file).is_none() || floor(name) <= floor(file));
    is_wrong.then(|| format!("imports {name}, which is not below {file}"))
}

#[test]
fn point_down() -> Result<()> {
    let (mut count, mut found) = (0, Vec::new());
    for (path, text) in rust_files()?.iter().filter(|(path, _)| path.starts_with("src")) {
        count += imports(text, "crate::").len() + imports(text, "super::").len();
        found.extend(complaints(path, text));
    }
    assert!(count > 20, "found {count}: this test looks at the wrong files");
    assert_eq!(found, [""; 0]);
    Ok(())
}

/// Names behind `crate::` or another prefix, alone or in braces, in a `use` or in a path.
pub fn imports(text: &str, prefix: &str) -> Vec<String> {
    let code = code(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_members(group)),
            None => found.push(identifier(rest)),
        }
    }
    found
}

/// The first names in a group up to its closing brace; groups inside it are passed over.
fn group_members(group: &str) -> Vec<String> {
    let (mut depth, mut found, mut start) = (0, Vec::new(), 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(identifier(group[start..at].trim()));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn are_all_seen() {
    let text = "use crate::{a, b::{c, d}, e::f};\n// crate::no\nuse crate::g::h;\nfn i() { crate::j::k(\"crate::l\") }";
    assert_eq!(imports(text, "crate::"), ["a", "b", "e", "g", "j"]);
    assert_eq!(imports(text, "crate::b::"), [""; 0]);
}

#[test]
fn complaints_are_made() {
    for (path, text, expected) in [
        ("src/main.rs", "use crate::start;", ""),
        ("src/boot.rs", "use crate::{steps, sys};", ""),
        ("src/roots.rs", "use crate::report::a;", "imports report, which is not below roots"),
        ("src/errno.rs", "use crate::scratch;", "imports scratch, which is not below errno"),
        ("src/sys/file.rs", "use crate::errno;", "imports errno, which is not below sys"),
        ("src/start/x86_64.rs", "use super::begin; use crate::boot;", ""),
        ("src/steps/carry.rs", "use super::allow_existing; use crate::roots;", ""),
        ("src/steps/carry.rs", "use super::furnish::a;", "imports furnish, which is not below carry"),
        ("src/steps/carry.rs", "use crate::steps::furnish;", "imports furnish, which is not below carry"),
        ("src/sys/mount.rs", "use super::{call, file};", ""),
        ("src/sys/mount.rs", "use super::process::a;", "imports process, which is not below mount"),
        ("src/sys/file.rs", "use super::mount::a;", "imports mount, which is not below file"),
        ("src/sys/mod.rs", "pub use file::a;", ""),
        ("src/new.rs", "", "new has no floor: name it in this test"),
        ("language/src/lib.rs", "use crate::a;", ""),
    ] {
        let expected = if expected.is_empty() { vec![] } else { vec![format!("{path}: {expected}")] };
        assert_eq!(complaints(Path::new(path), text), expected, "{path}: {text}");
    }
}
