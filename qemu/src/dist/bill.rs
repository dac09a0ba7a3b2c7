//! The bill of materials, in CycloneDX's JSON: every crate that the program and the inits are made of, with licence, package URL and
//! cargo's checksum, and what is linked besides.

use std::collections::BTreeMap;
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

use super::crates::{self, Crate, ROOTS};
use super::{VERSION, date};
use sources::arch::Arch;
use sources::toolchain;

/// Of programs for these processors.
pub fn json(processors: &[&Arch], time: u64) -> Result<Vec<u8>> {
    let graph = crates::graph(processors)?;
    let sums = crates::checksums()?;
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
