//! Root without rights: a user namespace whose root is, on this machine, a user that owns nothing.
//!
//! An init in it may mount a tmpfs, bind, chroot and change owners among its own files, as root does. Whatever would
//! touch the machine the kernel refuses: its devices, its modules, sysfs and what proc lets only root write. So a plan
//! need not be looked at before it is run.

use std::os::unix::fs::lchown;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use super::Sandbox;

/// No system gives this to anybody: user_namespaces(7) maps it to root inside.
const OUTSIDE: u32 = 3_000_000_000;

impl Sandbox {
    /// Starts init as root of a user namespace, which is nobody on this machine.
    pub fn without_rights(mut self) -> Result<Sandbox> {
        self.outside = Some([OUTSIDE; 2]);
        Ok(self)
    }

    /// Gives the initramfs to the root that init will be.
    pub(super) fn hand_over(&self) -> Result<()> {
        if self.outside.is_none() {
            return Ok(());
        }
        for entry in WalkDir::new(self.tree.path("/")) {
            let path = entry.context("cannot read the initramfs")?.into_path();
            lchown(&path, Some(OUTSIDE), Some(OUTSIDE)).with_context(|| format!("cannot chown {}", path.display()))?;
        }
        Ok(())
    }
}
