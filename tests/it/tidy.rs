//! The tree itself: formatted, without warnings, and as its own rules say.

mod code;
mod crates;
mod imports;
mod kernel;
mod source;

use anyhow::{Context, Result};
use vm::workspace;

/// Whose lints are asked for. `init` by itself: built together with the harness it would get the features of crates that
/// both use, and with one of these comes the standard library.
const PACKAGES: [&[&str]; 2] = [&["--package", "moveroot"], &["--workspace", "--exclude", "moveroot"]];

/// What besides clippy's own. Each unsafe block, impl and public function says what it rests on.
const LINTS: [&str; 4] =
    ["-Dwarnings", "-Dclippy::undocumented_unsafe_blocks", "-Dclippy::missing_safety_doc", "-Dunsafe_op_in_unsafe_fn"];

#[test]
fn cargo_fmt_would_change_nothing() -> Result<()> {
    is_silent(&["fmt", "--all", "--", "--check", "--files-with-diff"])
}

#[test]
fn clippy_has_nothing_to_say() -> Result<()> {
    for packages in PACKAGES {
        let mut words = vec!["clippy", "--quiet", "--all-targets", "--locked"];
        words.extend(packages);
        words.push("--");
        words.extend(LINTS);
        is_silent(&words)?;
    }
    Ok(())
}

/// Cargo succeeds, which it does where there is nothing to complain of.
fn is_silent(words: &[&str]) -> Result<()> {
    let output = workspace::cargo().args(words).output().context("cannot run cargo")?;
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "cargo {}:\n{}", words.join(" "), String::from_utf8_lossy(&said));
    Ok(())
}
