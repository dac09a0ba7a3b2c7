//! Imports of the init point down only.

use std::path::Path;

use anyhow::{Result, ensure};

use super::source::rust_files;

/// The modules of the crate `moveroot`, from the top floor down. Those of one floor don't import each other.
const FLOORS: [&[&str]; 8] = [
    &["boot"],
    &["root", "mounts", "carry", "service"],
    &["report", "check"],
    &["plan", "errno"],
    &["options", "verb", "fault"],
    &["table", "line"],
    &["texts"],
    &["sys"],
];

fn floor(module: &str) -> Result<usize> {
    let floor = FLOORS.iter().position(|modules| modules.contains(&module));
    ensure!(floor.is_some(), "the module {module} has no floor: name it in this test");
    Ok(floor.unwrap_or_default())
}

#[test]
fn point_down() -> Result<()> {
    let mut found = 0;
    for (path, text) in rust_files()? {
        let Ok(inside) = path.strip_prefix("src") else { continue };
        if ["lib.rs", "main.rs", "start.rs"].iter().any(|top| inside == Path::new(top)) {
            continue;
        }
        let module = inside.components().next().map(|part| Path::new(part.as_os_str()).with_extension(""));
        let module = module.unwrap_or_default().display().to_string();
        for import in imports(&text) {
            found += 1;
            let is_down = floor(&import)? > floor(&module)?;
            assert!(is_down || (module == "sys" && import == "sys"), "{} imports {import}", path.display());
        }
    }
    assert!(found > 10, "found {found}: this test looks at the wrong files");
    Ok(())
}

/// Modules named behind `crate::`, alone or in braces, in a `use` or in a path.
fn imports(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for (at, name) in code.match_indices("crate::") {
        let rest = &code[at + name.len()..];
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
    let text = "use crate::{a, b::{c, d}, e::f};\n// crate::no\nuse crate::g::h;\nfn i() { crate::j::k() }";
    assert_eq!(imports(text), ["a", "b", "e", "g", "j"]);
}
