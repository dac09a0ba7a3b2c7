//! Bundles for a guest that runs many containers: one root for all of them, a configuration and a control group each.

use anyhow::Result;
use serde_json::{Value, json};

use crate::bundle::{self, Bundle};
use tool::initramfs::Initramfs;

/// What the shared root has besides the demo's applets.
const APPLETS: [&str; 3] = ["dd", "grep", "true"];

/// A bundle by its name.
#[derive(Clone)]
pub struct Named {
    pub name: String,
    config: Value,
}

impl Named {
    /// Runs a shell script.
    pub fn shell(name: &str, script: &str) -> Self {
        let mut config = Bundle::shell(script).config();
        config["root"]["path"] = json!(format!("{}/rootfs", bundle::PATH));
        config["linux"]["cgroupsPath"] = json!(format!("/{name}"));
        Named { name: name.into(), config }
    }

    /// With something else at a place of its configuration, such as `root.path`; at no place at all, for all of it.
    pub fn with(mut self, keys: &[&str], value: Value) -> Self {
        let mut place = &mut self.config;
        for key in keys {
            place = &mut place[*key];
        }
        *place = value;
        self
    }

    /// Sees the guest's own processes, and may look into them.
    pub fn with_guests_processes(mut self) -> Self {
        if let Some(namespaces) = self.config["linux"]["namespaces"].as_array_mut() {
            namespaces.retain(|namespace| namespace["type"] != "pid");
        }
        for set in ["bounding", "effective", "permitted"] {
            self.config["process"]["capabilities"][set] = json!(["CAP_SYS_PTRACE"]);
        }
        self
    }

    /// Where the guest has it.
    pub fn path(&self) -> String {
        format!("{}/{}", bundle::PATH, self.name)
    }
}

/// Puts them into an initramfs that has the demo's bundle.
pub fn pack(bundles: &[Named], tree: &mut Initramfs) -> Result<()> {
    for applet in APPLETS {
        tree.symlink("busybox", &format!("{}/rootfs/bin/{applet}", bundle::PATH));
    }
    for named in bundles {
        tree.bytes(&format!("{}/config.json", named.path()), 0o644, serde_json::to_string_pretty(&named.config)?);
    }
    Ok(())
}
