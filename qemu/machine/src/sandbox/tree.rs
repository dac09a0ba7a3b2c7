//! The throwaway tmpfs: a detached mount, reached through the descriptor that holds it.

use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, makedev, mknodat};
use tool::namespaces::tmpfs;

/// Held shared while a file is written and alone while a process is started: a child that was forked in between
/// would hold the file open for writing, and executing it fails with ETXTBSY until that child's own exec.
pub static FORK: RwLock<()> = RwLock::new(());

/// An initramfs' files. Paths are absolute and lie inside.
#[derive(Debug)]
pub struct Tree {
    pub mount: OwnedFd,
}

impl Tree {
    pub fn new() -> Result<Tree> {
        Ok(Tree { mount: tmpfs()? })
    }

    /// Where a path is found from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        let root = format!("/proc/{}/fd/{}", std::process::id(), self.mount.as_raw_fd());
        PathBuf::from(root).join(inside.trim_start_matches('/'))
    }

    pub fn file(&self, path: &str, content: &[u8], mode: u32) -> Result<()> {
        let outside = self.with_parents(path)?;
        let _shared = FORK.read().unwrap_or_else(PoisonError::into_inner);
        fs::write(&outside, content).with_context(|| format!("cannot write {path}"))?;
        fs::set_permissions(&outside, fs::Permissions::from_mode(mode))
            .with_context(|| format!("cannot set the mode of {path}"))
    }

    pub fn dir(&self, path: &str, mode: u32) -> Result<()> {
        let outside = self.path(path);
        fs::create_dir_all(&outside).with_context(|| format!("cannot make {path}"))?;
        fs::set_permissions(&outside, fs::Permissions::from_mode(mode))
            .with_context(|| format!("cannot set the mode of {path}"))
    }

    pub fn symlink(&self, target: &str, path: &str) -> Result<()> {
        symlink(target, self.with_parents(path)?).with_context(|| format!("cannot link {path}"))
    }

    /// chown(2) takes the set-user-ID bit away, so the mode is set again.
    pub fn owner(&self, path: &str, uid: u32, gid: u32) -> Result<()> {
        let outside = self.path(path);
        let mode = fs::metadata(&outside).with_context(|| format!("there is no {path}"))?.permissions();
        chown(&outside, Some(uid), Some(gid)).with_context(|| format!("cannot chown {path}"))?;
        fs::set_permissions(outside, mode).with_context(|| format!("cannot set the mode of {path}"))
    }

    pub fn fifo(&self, path: &str) -> Result<PathBuf> {
        let outside = self.with_parents(path)?;
        mknodat(CWD, &outside, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .with_context(|| format!("cannot make the FIFO {path}"))?;
        Ok(outside)
    }

    pub fn device(&self, path: &str, major: u32, minor: u32) -> Result<()> {
        let (outside, numbers) = (self.with_parents(path)?, makedev(major, minor));
        mknodat(CWD, &outside, FileType::CharacterDevice, Mode::from_raw_mode(0o600), numbers)
            .with_context(|| format!("cannot make the device {path}"))
    }

    /// A pipe in the place of `/dev/kmsg`: like the log it keeps what is written, however often it is opened.
    pub fn make_kmsg(&self) -> Result<File> {
        let path = self.fifo("/dev/kmsg")?;
        let nonblocking = OFlags::NONBLOCK.bits() as i32;
        let mut options = File::options();
        options.read(true).write(true).custom_flags(nonblocking).open(path).context("cannot open /dev/kmsg")
    }

    fn with_parents(&self, path: &str) -> Result<PathBuf> {
        let outside = self.path(path);
        if let Some(parent) = outside.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the parents of {path}"))?;
        }
        Ok(outside)
    }
}
