//! An OCI image of busybox as a tar archive: image-spec's image layout, one layer.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// What containerd knows it by.
pub const NAME: &str = "localhost/busybox:latest";

const APPLETS: [&str; 14] =
    ["cat", "dd", "echo", "env", "id", "ls", "mount", "ps", "sed", "sh", "sleep", "uname", "wc", "yes"];
const DIRECTORIES: [&str; 7] = ["bin", "dev", "etc", "proc", "run", "sys", "tmp"];

/// Writes the archive.
pub fn write(busybox: &Path, out: &Path) -> Result<()> {
    let layer = layer(busybox)?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Env": ["PATH=/bin"], "Cmd": ["/bin/sh"] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = serde_json::to_vec(&config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let manifest = serde_json::to_vec(&manifest)?;
    let mut named = descriptor(MANIFEST, &manifest);
    named["annotations"] = json!({ "io.containerd.image.name": NAME });
    let index = serde_json::to_vec(&json!({ "schemaVersion": 2, "manifests": [named] }))?;

    let file = std::fs::File::create(out).with_context(|| format!("cannot create {}", out.display()))?;
    let mut archive = Builder::new(file);
    add(&mut archive, "oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    add(&mut archive, "index.json", 0o644, &index)?;
    for blob in [&layer, &config, &manifest] {
        add(&mut archive, &format!("blobs/{}", digest(blob).replace(':', "/")), 0o644, blob)?;
    }
    archive.finish().with_context(|| format!("cannot write {}", out.display()))
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn layer(busybox: &Path) -> Result<Vec<u8>> {
    let program = std::fs::read(busybox).with_context(|| format!("cannot read {}", busybox.display()))?;
    let mut layer = Builder::new(Vec::new());
    for directory in DIRECTORIES {
        let mut header = header(EntryType::Directory, if directory == "tmp" { 0o1777 } else { 0o755 }, 0);
        layer.append_data(&mut header, format!("{directory}/"), &[][..])?;
    }
    add(&mut layer, "bin/busybox", 0o755, &program)?;
    for applet in APPLETS {
        layer.append_link(&mut header(EntryType::Symlink, 0o777, 0), format!("bin/{applet}"), "busybox")?;
    }
    Ok(layer.into_inner()?)
}

fn add<W: std::io::Write>(archive: &mut Builder<W>, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = header(EntryType::Regular, mode, bytes.len() as u64);
    archive.append_data(&mut header, path, bytes).with_context(|| format!("cannot add {path}"))
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() })
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
