//! What docs/ says is so: the man page against the init's own tables.

mod blocks;
mod commands;
pub mod migrate;
mod pictures;
mod run;
mod site;
mod troubleshooting;

use anyhow::{Context, Result};
use language::Verb;
use vm::{apt, locale, plan, workspace};

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
    let mut mandoc = locale::command("mandoc");
    mandoc.args(["-Tlint", MAN_PAGE]).current_dir(workspace::root());
    let output = mandoc.output().context("cannot run mandoc")?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let complaints: Vec<&str> = said.lines().filter(|line| is_of_the_page(line)).collect();
    assert_eq!(complaints, [""; 0]);
    Ok(())
}

/// Other messages are of this machine: which pages are installed, with or without a line, and whether they are indexed.
fn is_of_the_page(message: &str) -> bool {
    message.contains(&format!("{MAN_PAGE}:")) && !message.contains("referenced manual not found")
}

#[test]
fn messages_of_the_machine_are_told_from_those_of_the_page() {
    for (message, expected) in [
        ("mandoc: docs/moveroot.plan.5:9:2: STYLE: whitespace at end of input line", true),
        ("mandoc: docs/moveroot.plan.5:9:5: STYLE: referenced manual not found: Xr cpio 1", false),
        ("mandoc: outdated mandoc.db lacks cpio(1) entry, run makewhatis /usr/share/man", false),
    ] {
        assert_eq!(is_of_the_page(message), expected, "{message}");
    }
}

/// The examples are plans: each block that begins with `root`.
#[test]
fn the_man_pages_plans_are_good() -> Result<()> {
    let page = read(MAN_PAGE)?;
    let blocks = page.split(".Bd -literal -offset indent\n").skip(1).filter_map(|rest| rest.split(".Ed").next());
    let plans: Vec<&str> = blocks.filter(|block| block.starts_with("root")).collect();
    assert_eq!(plans.len(), 3);
    for text in plans {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        assert_eq!(plan::faults(file.path())?, [""; 0], "{text}");
    }
    Ok(())
}
