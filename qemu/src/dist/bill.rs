//! The bill of materials, in CycloneDX's JSON: every crate that the program and the inits are made of, with licence, package URL and
//! cargo's checksum, and what is linked besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use cyclonedx_bom::external_models::spdx::SpdxExpression;
use cyclonedx_bom::external_models::uri::Purl;
use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::prelude::Validate;

use super::{VERSION, date};
use sources::arch::Arch;
use sources::{toolchain, workspace};

/// The crates that become programs of the release.
pub const ROOTS: [&str; 2] = ["moveroot", "moveroot-tool"];

/// A crate by its name and version, as `cargo tree` lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
}

impl Crate {
    fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What depends on what.
type Graph = BTreeMap<Crate, BTreeSet<Crate>>;

/// Of programs for these processors.
pub fn json(processors: &[&Arch], time: u64) -> Result<Vec<u8>> {
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
    let sums = checksums()?;
    let mut components: Vec<Component> =
        graph.keys().map(|part| component(part, sums.get(&part.id()))).collect::<Result<_>>()?;
    components.extend(linked(processors)?);
    let of = |dependency_ref: String, parts: Vec<String>| Dependency { dependency_ref, dependencies: parts };
    let programs = graph.keys().filter(|part| ROOTS.contains(&&*part.name)).map(Crate::id).collect();
    let release = format!("moveroot-release@{VERSION}");
    let edges = graph.iter().map(|(part, parts)| of(part.id(), parts.iter().map(Crate::id).collect()));
    let dependencies = [of(release.clone(), programs)].into_iter().chain(edges).collect();
    let bom = Bom {
        // One drawn by lot would differ from run to run.
        serial_number: None,
        metadata: Some(Metadata {
            timestamp: Some(date(time, "+%Y-%m-%dT%H:%M:%SZ")?.try_into()?),
            component: Some(Component::new(Classification::Application, "moveroot", VERSION, Some(release))),
            ..Metadata::default()
        }),
        components: Some(Components(components)),
        dependencies: Some(Dependencies(dependencies)),
        ..Bom::default()
    };
    let found = bom.validate_version(SpecVersion::V1_5);
    ensure!(found.passed(), "the bill of materials is not valid: {found:?}");
    let mut json = Vec::new();
    bom.output_as_json_v1_5(&mut json)?;
    json.push(b'\n');
    Ok(json)
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
fn checksums() -> Result<BTreeMap<String, String>> {
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

fn component(part: &Crate, checksum: Option<&String>) -> Result<Component> {
    let kind = if ROOTS.contains(&&*part.name) { Classification::Application } else { Classification::Library };
    let licence = SpdxExpression::parse_lax(part.licence.clone());
    let licence = licence.with_context(|| format!("{}: licence {:?}", part.id(), part.licence))?;
    let hash = |sum: &String| Hash { alg: HashAlgorithm::SHA_256, content: HashValue(sum.clone()) };
    let purl = checksum.map(|_| Purl::new("cargo", &part.name, &part.version));
    Ok(Component {
        licenses: Some(Licenses(vec![LicenseChoice::Expression(licence)])),
        purl: purl.transpose()?,
        hashes: checksum.map(|sum| Hashes(vec![hash(sum)])),
        ..Component::new(kind, &part.name, &part.version, Some(part.id()))
    })
}

/// The standard library and the C library, which no crate stands for.
fn linked(processors: &[&Arch]) -> Result<Vec<Component>> {
    let mut found = BTreeMap::new();
    for arch in processors {
        for linked in toolchain::linked(arch)? {
            found.insert(format!("{}@{}", linked.name, linked.version), linked);
        }
    }
    let component = |(id, linked): (String, toolchain::Linked)| {
        let licence = LicenseChoice::Expression(SpdxExpression::new(linked.licence));
        Component {
            licenses: Some(Licenses(vec![licence])),
            purl: linked.package.and_then(|package| Purl::from_str(&format!("pkg:deb/debian/{package}")).ok()),
            ..Component::new(Classification::Library, linked.name, &linked.version, Some(id))
        }
    };
    Ok(found.into_iter().map(component).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_listed_with_what_they_depend_on() {
        let listing = "0|a v1.0.0 (/a)|MIT\n1|b v2.0.0|MIT/Apache-2.0\n2|c v0.1.0 (proc-macro)|MIT\n1|b v2.0.0|MIT/Apache-2.0 (*)\n1|c v0.1.0|MIT\n";
        let mut graph = Graph::new();
        add(&mut graph, listing).unwrap();
        let shown = graph.iter().map(|(part, parts)| (part.id(), parts.iter().map(Crate::id).collect::<Vec<_>>().join(" ")));
        let expected = [("a@1.0.0", "b@2.0.0 c@0.1.0"), ("b@2.0.0", "c@0.1.0"), ("c@0.1.0", "")];
        assert_eq!(shown.collect::<Vec<_>>(), expected.map(|(part, parts)| (part.to_string(), parts.to_string())));
        assert!(add(&mut graph, "a").is_err());
    }
}
