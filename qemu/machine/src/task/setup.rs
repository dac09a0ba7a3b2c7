//! What a shim that boots a VM for each task has to know, as a file of JSON: containerd has no place for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::qemu::Accel;

/// The variable of containerd's environment, and so of the shim's, that names the file.
pub const VARIABLE: &str = "MOVEROOT_SHIM";

/// The virtiofs tag of a task's bundle, and where the guest has it.
pub const TAG: &str = "bundle";
pub const BUNDLE: &str = "/bundle";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    pub kernel: PathBuf,
    /// Its plan mounts the share [`TAG`] at [`BUNDLE`] and becomes taskd.
    pub initramfs: PathBuf,
    pub virtiofsd: PathBuf,
    /// vhost-device-vsock, where this machine's kernel serves no vsock.
    pub vsock_device: PathBuf,
    pub accel: Accel,
    pub memory_mb: u32,
    pub cpus: u32,
    /// For sockets; a short path, as those of sockets have 107 bytes at most.
    pub directory: PathBuf,
    /// Where to add a line for each phase of a task.
    pub phases: Option<PathBuf>,
}

impl Setup {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no setup of the shim", path.display()))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A phase that a task has come to, as a line of the setup's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phase {
    pub task: String,
    pub name: String,
    /// Since 1970.
    pub at_us: u64,
}
