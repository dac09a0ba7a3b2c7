//! The crates that the programs of the release are made of, as cargo resolves them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};

use sources::arch::Arch;
use sources::workspace;

/// Those that become programs.
pub const ROOTS: [&str; 2] = ["moveroot", "moveroot-tool"];

/// A crate by its name and version, as `cargo tree` lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    pub name: String,
    pub version: String,
    pub licence: String,
}

impl Crate {
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What depends on what.
pub type Graph = BTreeMap<Crate, BTreeSet<Crate>>;

/// Of programs for these processors.
pub fn graph(processors: &[&Arch]) -> Result<Graph> {
    let mut graph = Graph::new();
    for arch in processors {
        for root in ROOTS {
            let mut cargo = workspace::cargo();
            cargo.args(["tree", "--locked", "--package", root, "--edges", "normal", "--prefix", "depth"]);
            cargo.args(["--format", "|{p}|{l}", "--target", arch.target]);
            let output = cargo.output().context("cannot run cargo tree")?;
            let errors = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "cargo tree: {}", errors.trim());
            add(&mut graph, &String::from_utf8(output.stdout)?).context("cargo tree")?;
        }
    }
    Ok(graph)
}

/// The crates of a listing by depth, each with those that are one deeper after it. One that was there before comes without.
fn add(graph: &mut Graph, listing: &str) -> Result<()> {
    let mut path: Vec<Crate> = Vec::new();
    for line in listing.lines() {
        let mut fields = line.split('|');
        let depth: usize = fields.next().unwrap_or_default().parse().with_context(|| format!("{line}: no depth"))?;
        let mut words = fields.next().context("no package")?.split(' ');
        let [name, version] = [words.next(), words.next()].map(|word| word.unwrap_or_default().to_string());
        let licence = fields.next().unwrap_or_default().trim_end_matches(" (*)").to_string();
        let part = Crate { name, version: version.trim_start_matches('v').to_string(), licence };
        path.truncate(depth);
        if let Some(parent) = path.last() {
            graph.entry(parent.clone()).or_default().insert(part.clone());
        }
        graph.entry(part.clone()).or_default();
        path.push(part);
    }
    Ok(())
}

/// Of packages that cargo has fetched, by name and version. Those of this workspace have none.
pub fn checksums() -> Result<BTreeMap<String, String>> {
    let lock = fs::read_to_string(workspace::root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let entry = |package: &str| {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(String::from)
        };
        Some((format!("{}@{}", field("name")?, field("version")?), field("checksum")?))
    };
    Ok(lock.split("[[package]]").filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_listed_with_what_they_depend_on() {
        let listing = "0|a v1.0.0 (/a)|MIT\n1|b v2.0.0|MIT/Apache-2.0\n2|c v0.1.0 (proc-macro)|MIT\n1|b v2.0.0|MIT/Apache-2.0 (*)\n1|c v0.1.0|MIT\n";
        let mut graph = Graph::new();
        add(&mut graph, listing).unwrap();
        let shown =
            graph.iter().map(|(part, parts)| (part.id(), parts.iter().map(Crate::id).collect::<Vec<_>>().join(" ")));
        let expected = [("a@1.0.0", "b@2.0.0 c@0.1.0"), ("b@2.0.0", "c@0.1.0"), ("c@0.1.0", "")];
        assert_eq!(shown.collect::<Vec<_>>(), expected.map(|(part, parts)| (part.to_string(), parts.to_string())));
        assert!(add(&mut graph, "a").is_err());
    }
}
