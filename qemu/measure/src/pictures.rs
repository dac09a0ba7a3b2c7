//! The pictures of README.md and docs/: what each is called in the tree, and how it is drawn from the newest record.

mod boot;
mod roots;

use anyhow::Result;

use crate::bench::{Part, Record, chart};

/// Each with its path in the tree.
pub fn all() -> Result<Vec<(&'static str, String)>> {
    let native = Record::newest(Part::Native)?;
    Ok(vec![
        ("docs/roots.svg", roots::draw()?),
        ("qemu/records/boot.svg", boot::draw()?),
        ("qemu/records/bench.svg", chart::sizes_and_times(&native)?),
        ("qemu/records/growth.svg", chart::growth(&native)?),
    ])
}
