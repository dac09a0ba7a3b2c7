//! The bill of materials, and the crates as packages of their own.

use std::fs::File;

use anyhow::{Context, Result};
use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::models::component::Component;
use cyclonedx_bom::prelude::Validate;
use vm::dist::VERSION;
use vm::workspace;

use super::{made, said};

fn components() -> Result<Vec<Component>> {
    let bom = Bom::parse_from_json(File::open(made().path(&format!("moveroot-{VERSION}.cdx.json")))?)?;
    let found = bom.validate_version(SpecVersion::V1_5);
    assert!(found.passed(), "{found:?}");
    Ok(bom.components.context("a bill of nothing")?.0)
}

#[test]
fn a_bill_has_every_crate_of_the_program_and_of_init() -> Result<()> {
    let components = components()?;
    let mut cargo = workspace::cargo();
    cargo.args([
        "tree",
        "--package",
        "moveroot-tool",
        "--package",
        "moveroot",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    let tree = said(&mut cargo)?;
    // A blank line parts the two.
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let [name, version] = [words.next(), words.next()].map(Option::unwrap_or_default);
        let id = format!("{name}@{}", version.trim_start_matches('v'));
        let found = components.iter().find(|part| part.bom_ref.as_ref() == Some(&id));
        let found = found.with_context(|| format!("no {id}"))?;
        assert!(found.licenses.is_some(), "{id} without a licence");
        // Those of this workspace are nowhere to be had.
        let is_own = name.starts_with("moveroot");
        assert!(found.hashes.is_some() != is_own && found.purl.is_some() != is_own, "{found:?}");
    }
    assert!(tree.lines().count() > 80, "{tree}");
    Ok(())
}

#[test]
fn a_bill_has_what_is_linked_besides() -> Result<()> {
    let components = components()?;
    for name in ["rust-std", "glibc"] {
        assert!(components.iter().any(|part| part.name.to_string() == name), "no {name}");
    }
    Ok(())
}

/// What the tool's build script builds inits of lies outside of its directory: links lead there.
#[test]
fn the_tools_crate_has_the_inits_sources() -> Result<()> {
    let mut cargo = workspace::cargo();
    let listing = said(cargo.args(["package", "--list", "--allow-dirty", "--quiet", "--package", "moveroot-tool"]))?;
    let needed = ["src/main.rs", "src/default.plan", "linker/init.ld", "linker/build.rs", "language/lib.rs"];
    for name in needed.iter().chain(&["init.toml", "init.lock", "language.toml"]) {
        assert!(listing.lines().any(|line| line == format!("init/{name}")), "no {name}:\n{listing}");
    }
    Ok(())
}
