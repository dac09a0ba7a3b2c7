//! The tree itself: formatted, without warnings, and as its own rules say.

mod imports;
mod source;

use anyhow::{Context, Result};
use vm::workspace;

/// Cargo's words; an empty list of complaints is its success.
const CHECKS: [&[&str]; 2] = [
    &["fmt", "--all", "--", "--check", "--files-with-diff"],
    &[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-Dwarnings",
        // Each unsafe block, impl and public function says what it rests on.
        "-Dclippy::undocumented_unsafe_blocks",
        "-Dclippy::missing_safety_doc",
        "-Dunsafe_op_in_unsafe_fn",
    ],
];

#[test]
fn cargo_has_nothing_to_say() -> Result<()> {
    for words in CHECKS {
        let output = workspace::cargo().args(words).output().context("cannot run cargo")?;
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "cargo {}:\n{}", words.join(" "), String::from_utf8_lossy(&said));
    }
    Ok(())
}
