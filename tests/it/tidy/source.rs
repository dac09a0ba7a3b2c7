//! Rules that hold for each file.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use vm::workspace;

use super::code::{code, functions};

const MOST_LINES: usize = 250;
/// Of the init.
const MOST_LINES_OF_A_FUNCTION: usize = 40;

/// What isn't part of the tree, and the one file that cargo writes.
const LEFT_OUT: [&str; 3] = ["target", ".git", "Cargo.lock"];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 5] = ["helper", "helpers", "utils", "misc", "common"];

/// In pieces, so that this file may stay in the tree.
const HOSTS: [&str; 6] = [
    concat!("debian", ".org"),
    concat!("debian", ".net"),
    concat!("ubuntu", ".com"),
    concat!("crates", ".io"),
    concat!("arti", "factory"),
    concat!("proxy.golang", ".org"),
];

/// Directories that are on one person's machine only.
const MACHINE_DIRECTORIES: [&str; 2] = [concat!("/ho", "me/"), concat!("/ro", "ot/")];

/// All files of the tree, with paths from its root.
fn tree() -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut pending = vec![workspace::root().to_path_buf()];
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            // What a link leads to lies elsewhere in the tree.
            if LEFT_OUT.iter().any(|name| entry.file_name() == *name) || entry.file_type()?.is_symlink() {
                continue;
            } else if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
                found.push((entry.path().strip_prefix(workspace::root())?.to_path_buf(), text));
            }
        }
    }
    assert!(found.len() > 20, "the tree isn't where it was looked for");
    Ok(found)
}

/// The Rust files among them.
pub fn rust_files() -> Result<Vec<(PathBuf, String)>> {
    let is_rust = |path: &Path| path.extension() == Some(OsStr::new("rs"));
    Ok(tree()?.into_iter().filter(|(path, _)| is_rust(path)).collect())
}

#[test]
fn files_open_with_what_they_are() -> Result<()> {
    for (path, text) in rust_files()? {
        assert!(text.starts_with("//!"), "{}", path.display());
    }
    Ok(())
}

#[test]
fn files_are_short() -> Result<()> {
    for (path, text) in rust_files()? {
        let lines = text.lines().count();
        assert!(lines < MOST_LINES, "{}: {lines} lines", path.display());
    }
    Ok(())
}

#[test]
fn names_say_something() -> Result<()> {
    for (path, _) in tree()? {
        let empty = path.components().any(|part| {
            let part = Path::new(part.as_os_str()).file_stem();
            EMPTY_NAMES.iter().any(|name| part == Some(OsStr::new(name)))
        });
        assert!(!empty, "{}", path.display());
    }
    Ok(())
}

#[test]
fn nothing_is_tied_to_one_machine() -> Result<()> {
    let root = workspace::root();
    for (path, text) in tree()? {
        for word in HOSTS.into_iter().chain(MACHINE_DIRECTORIES) {
            let line = text.lines().position(|line| line.contains(word));
            assert_eq!(line, None, "{word} is in a line of {}", path.display());
        }
        let line = text.lines().position(|line| names_clone(line, root));
        assert_eq!(line, None, "{} is in a line of {}", root.display(), path.display());
    }
    Ok(())
}

/// Whether a text names the directory of a clone, or something in it. One that is as short as `/src` or `/app` may be in
/// any text: it tells nothing.
fn names_clone(text: &str, root: &Path) -> bool {
    let is_of_a_name = |character: char| character.is_alphanumeric() || "._-".contains(character);
    let name = root.display().to_string();
    let is_whole = |at: usize| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        !before.ends_with(|character| is_of_a_name(character) || character == '/') && !after.starts_with(is_of_a_name)
    };
    // The `/` before the first name is one.
    root.components().count() > 2 && text.match_indices(&name).any(|(at, _)| is_whole(at))
}

#[test]
fn clones_are_told_from_other_paths() {
    for (text, root, expected) in [
        ("cd /a/clone && make", "/a/clone", true),
        ("DIR=/a/clone/target", "/a/clone", true),
        ("/a/clone", "/a/clone", true),
        ("in `/a/clone`, once", "/a/clone", true),
        ("/a/clones", "/a/clone", false),
        ("/a/clone-2", "/a/clone", false),
        ("/b/a/clone", "/a/clone", false),
        ("b/a/clone", "/a/clone", false),
        ("/a/clones and /a/clone", "/a/clone", true),
        ("cd /src/x", "/src", false),
        ("/", "/", false),
    ] {
        assert_eq!(names_clone(text, Path::new(root)), expected, "{root} in {text}");
    }
}

/// Whether there is such a file.
pub fn exists(path: &str) -> bool {
    workspace::root().join(path).is_file()
}

/// Functions of the init that are longer than a screen.
fn long_functions(path: &Path, text: &str) -> Vec<String> {
    let code = code(text);
    let functions = functions(&code).into_iter().filter_map(|(name, place)| {
        let lines = code[place].lines().count();
        (lines > MOST_LINES_OF_A_FUNCTION).then(|| format!("{}: {name} has {lines} lines", path.display()))
    });
    functions.collect()
}

#[test]
fn functions_are_short() -> Result<()> {
    let files = rust_files()?;
    let of_init = files.iter().filter(|(path, _)| path.starts_with("src") || path.starts_with("language/src"));
    let found: Vec<String> = of_init.flat_map(|(path, text)| long_functions(path, text)).collect();
    assert_eq!(found, [""; 0]);
    Ok(())
}

#[test]
fn long_functions_are_found() {
    let function = |lines: usize| format!("fn short() {{}}\nfn long() {{\n{}}}\n", "a();\n".repeat(lines - 2));
    assert_eq!(long_functions(Path::new("a.rs"), &function(40)), [""; 0]);
    assert_eq!(long_functions(Path::new("a.rs"), &function(41)), ["a.rs: long has 41 lines"]);
}
