//! A candidate's files, as they lie in the initramfs beside crun and the service.

use std::path::Path;

use anyhow::{Context, Result};

use machine::sandbox::tree::Tree;
use tool::initramfs::Initramfs;

/// What a candidate brings along.
#[derive(Clone, Debug, Default)]
pub struct Program {
    files: Vec<(String, Vec<u8>)>,
    links: Vec<(String, String)>,
}

impl Program {
    /// A single static program.
    pub fn of(init: &Path) -> Result<Program> {
        Program::default().file("/init", init)
    }

    /// A file of this machine.
    pub fn file(self, guest: &str, host: &Path) -> Result<Program> {
        let content = std::fs::read(host).with_context(|| format!("cannot read {}", host.display()))?;
        Ok(self.bytes(guest, content))
    }

    /// A program or script with this content.
    pub fn bytes(mut self, guest: &str, content: impl Into<Vec<u8>>) -> Program {
        self.files.push((guest.to_string(), content.into()));
        self
    }

    /// A symbolic link at `guest`.
    pub fn link(mut self, target: &str, guest: &str) -> Program {
        self.links.push((target.to_string(), guest.to_string()));
        self
    }

    /// Bytes of all files.
    pub fn size(&self) -> usize {
        self.files.iter().map(|(_, content)| content.len()).sum()
    }

    /// Writes the files anew, so that their pages are in the same state before each run.
    pub fn write_to(&self, tree: &Tree) -> Result<()> {
        for (guest, content) in &self.files {
            tree.file(guest, content, 0o755)?;
        }
        self.links.iter().try_for_each(|(target, guest)| tree.symlink(target, guest))
    }

    /// The same as an initramfs to boot, with the service and crun.
    pub fn initramfs(&self, service: &Path, crun: &[u8]) -> Result<Initramfs> {
        let mut tree = Initramfs::with_console();
        tree.dir("/dev", 0o755);
        for (guest, content) in &self.files {
            tree.bytes(guest, 0o755, content.as_slice());
        }
        for (target, guest) in &self.links {
            tree.symlink(target, guest);
        }
        tree.file("/sbin/agent", service)?.bytes("/sbin/crun", 0o755, crun);
        Ok(tree)
    }
}

/// Bytes to carry that no filesystem and no archive can make smaller than a program's: a quarter of them vary.
pub fn crun_of(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let mut varies = 0_u8;
    (0..size)
        .map(|at| {
            if at % 4 == 0 {
                varies = next();
            }
            if at % 4 < 2 { varies } else { (at / 64) as u8 }
        })
        .collect()
}
