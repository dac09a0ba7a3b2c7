//! A container's root at its place in the bundle, in mounts that only the calling thread has, and what it starts: the
//! kernel drops them with the last of these, however that ends.

use std::path::Path;

use anyhow::{Context, Result};
use containerd_shim::mount::mount_rootfs;
use containerd_shim::protos::types::mount::Mount;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

pub fn bring(mounts: &[Mount], root: &Path) -> Result<()> {
    // SAFETY: no thread gets other memory or descriptors by it.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.context("no mount namespace of its own")?;
    // What the host unmounts goes here too; what is mounted here stays here.
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        .context("cannot keep mounts from the host")?;
    for mount in mounts {
        let (kind, source) = (mount.type_.as_str(), mount.source.as_str());
        mount_rootfs(Some(kind), Some(source), &mount.options, root)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("cannot mount {kind} {source} on {}", root.display()))?;
    }
    Ok(())
}
