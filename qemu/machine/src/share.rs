//! A directory of the host's that a guest mounts, by virtiofs: the device is a program, virtiofsd, which QEMU reaches by the
//! vhost-user protocol. In the guest it is `mount TAG PATH virtiofs`, with the module `virtiofs`.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::cleanup::{self, Cleanup};
use sources::apt;

/// The kernel's name for its side.
pub const MODULE: &str = "virtiofs";

/// Debian 12 has it among QEMU's programs; later releases have it as a package of its own, written anew.
const PLACES: [&str; 2] = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"];

/// virtiofsd of this machine, installed at need.
pub fn program() -> Result<PathBuf> {
    let found = || PLACES.into_iter().map(PathBuf::from).find(|place| place.is_file());
    if let Some(program) = found() {
        return Ok(program);
    }
    apt::ensure_programs(&["virtiofsd"])?;
    found().with_context(|| format!("virtiofsd is installed, but is in none of {}", PLACES.join(", ")))
}

/// A directory that is shared; no longer when this is dropped.
pub struct Share {
    program: Child,
    directory: TempDir,
    _cleanup: [Cleanup; 2],
}

impl Share {
    /// Shares a directory as this process's mounts have it. The program is to end with the calling thread.
    pub fn start(program: &Path, shared: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("moveroot-share-").tempdir()?;
        let path_cleanup = Cleanup::of_path(directory.path());
        // Given by descriptor, it is there at once, and no lock file is left behind.
        let socket = UnixListener::bind(directory.path().join("device")).context("no socket for virtiofsd")?;
        let log = File::create(directory.path().join("log")).context("no file for virtiofsd's log")?;
        let mut command = Command::new(program);
        cleanup::tie(&mut command);
        command.args(["--fd=0", "-o"]).arg(format!("source={}", shared.display()));
        command.stdin(OwnedFd::from(socket)).stdout(log.try_clone()?).stderr(log);
        let program = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let cleanup = [Cleanup::of_process(program.id()), path_cleanup];
        Ok(Share { program, directory, _cleanup: cleanup })
    }

    /// QEMU's words for it, besides those for [shared memory](crate::qemu::shared_memory).
    pub fn words(&self, tag: &str) -> Vec<String> {
        let socket = format!("socket,id=share,path={}", self.directory.path().join("device").display());
        let device = format!("vhost-user-fs-device,chardev=share,tag={tag}");
        // The program serves no device of the kind before virtio 1.0, which is what a microvm's are by default.
        let modern = "virtio-mmio.force-legacy=false";
        ["-global", modern, "-chardev", &socket, "-device", &device].map(String::from).to_vec()
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.program.try_wait(), Ok(Some(_)))
    }

    /// What it had to complain of.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // It ends with QEMU.
        self.program.kill().ok();
        self.program.wait().ok();
    }
}
