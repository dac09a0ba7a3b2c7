//! The init that goes into an image, and where it and kernel modules come from if nobody says.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cpio::Rights;
use crate::initramfs::Initramfs;

/// A program to be /init.
pub enum Init {
    File(PathBuf),
    /// Built into this program.
    BuiltIn {
        processor: &'static str,
        bytes: &'static [u8],
    },
}

impl Init {
    /// Puts it into an initramfs as /init.
    pub fn pack(&self, tree: &mut Initramfs) -> Result<()> {
        match self {
            Init::File(path) => {
                tree.place("/init", path)?;
                tree.rights("/init", Rights::root(0o755)).map(drop)
            }
            Init::BuiltIn { bytes, .. } => {
                tree.bytes("/init", 0o755, *bytes);
                Ok(())
            }
        }
    }

    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Init::File(path) => fs::read(path).with_context(|| format!("cannot read {}", path.display())),
            Init::BuiltIn { bytes, .. } => Ok(bytes.to_vec()),
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Init::File(path) => path.display().fmt(out),
            Init::BuiltIn { processor, .. } => write!(out, "the init for {processor}"),
        }
    }
}

/// Where a command takes what its options don't name.
pub struct Sources {
    /// The init for a machine, by its e_machine: elf(5).
    pub init: fn(u16) -> Result<Init>,
    /// `…/lib/modules/VERSION` of a kernel.
    pub modules: fn() -> Result<PathBuf>,
}

impl Sources {
    /// The init at this path, or the one for an image's machine.
    pub fn init(&self, path: Option<&Path>, machine: impl FnOnce() -> Result<u16>) -> Result<Init> {
        path.map_or_else(|| (self.init)(machine()?), |path| Ok(Init::File(path.to_path_buf())))
    }
}
