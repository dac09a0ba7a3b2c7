//! What README.md and docs/ show of the newest records: the path of each in the tree, and what it should have in it.

mod boot;
mod chart;
mod fleet;
mod roots;

mod theme;

use std::fs;

use anyhow::{Context, Result};
use measure::bench::{Part, Record};
use sources::workspace;

/// A page with generated tables between two marks.
const FLEET: &str = "docs/fleet.md";
const MARKS: [&str; 2] = ["<!-- by cargo vm docs --update: -->\n", "<!-- until here -->\n"];

/// Each with its path in the tree.
pub fn all() -> Result<Vec<(&'static str, String)>> {
    let native = Record::newest(Part::Native)?;
    Ok(vec![
        ("docs/roots.svg", roots::draw()?),
        ("qemu/records/boot.svg", boot::draw()?),
        ("qemu/records/bench.svg", chart::sizes_and_times(&native)?),
        ("qemu/records/growth.svg", chart::growth(&native)?),
        (FLEET, with_tables(&fleet::tables()?)?),
    ])
}

/// The page as it should be.
fn with_tables(tables: &str) -> Result<String> {
    let page = fs::read_to_string(workspace::root().join(FLEET)).context("cannot read docs/fleet.md")?;
    let (head, rest) = page.split_once(MARKS[0]).context("docs/fleet.md has no mark for its tables")?;
    let (_, tail) = rest.split_once(MARKS[1]).context("docs/fleet.md has no mark after its tables")?;
    Ok(format!("{head}{}{tables}\n{}{tail}", MARKS[0], MARKS[1]))
}
