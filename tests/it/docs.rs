//! What docs/ says is so: the man page against the init's own tables.

mod troubleshooting;

use std::process::Command;

use anyhow::{Context, Result};
use language::Verb;
use vm::{apt, plan, workspace};

const MAN_PAGE: &str = "docs/moveroot.plan.5";

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(workspace::root().join(path)).with_context(|| format!("cannot read {path}"))
}

#[test]
fn the_man_page_has_every_verb_and_every_mount_option() -> Result<()> {
    let page = read(MAN_PAGE)?;
    for verb in Verb::ALL.iter().map(|verb| verb.name()) {
        assert!(page.contains(&format!("\n.It Ic {verb} ")), "{verb} has no entry");
    }
    let words: Vec<&str> = page.lines().filter(|line| line.contains("Cm ")).flat_map(str::split_whitespace).collect();
    let options: Vec<&str> = language::names(&language::FLAGS).collect();
    assert!(options.len() > 20 && options.contains(&"nosuid"), "{options:?}");
    for option in options {
        assert!(words.contains(&option), "{option} is not there");
    }
    Ok(())
}

#[test]
fn the_man_page_is_sound() -> Result<()> {
    apt::ensure_programs(&["mandoc"])?;
    let mut mandoc = Command::new("mandoc");
    mandoc.args(["-Tlint", MAN_PAGE]).current_dir(workspace::root());
    let output = mandoc.output().context("cannot run mandoc")?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // What has no line is of this machine: which other pages are installed, and whether they are indexed.
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains(&format!("{MAN_PAGE}:"))).collect();
    assert_eq!(complaints, [""; 0]);
    Ok(())
}

/// The examples are plans: each block that begins with `root`.
#[test]
fn the_man_pages_plans_are_good() -> Result<()> {
    let page = read(MAN_PAGE)?;
    let blocks = page.split(".Bd -literal -offset indent\n").skip(1).filter_map(|rest| rest.split(".Ed").next());
    let plans: Vec<&str> = blocks.filter(|block| block.starts_with("root")).collect();
    assert_eq!(plans.len(), 2);
    for text in plans {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        assert_eq!(plan::faults(file.path())?, [""; 0], "{text}");
    }
    Ok(())
}
