//! Namespaces of every kind around one process, entered with no right outside them: as the user who asks, or as nobody
//! where that is root. Whatever the kernel lets init do in there, it would let any user do.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType};
use rustix::mount::{MoveMountFlags, mount_bind, mount_bind_recursive, move_mount};
use rustix::process::{getegid, geteuid};

use crate::cpio::Node;
use crate::execute::ProgramImage;
use crate::initramfs::{Content, Initramfs};
use crate::namespaces::{self, OF_INIT};
use crate::tracer::Tracer;

/// Where the substitutes lie in the initramfs, which the service does not see.
pub const STORE: &str = ".moveroot-try";

/// nobody, on every Linux.
const NOBODY: u32 = 65534;

/// Devices that every user may open.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Whether the substitute for devtmpfs has a device of this path.
pub fn has_device(path: &str) -> bool {
    DEVICES.iter().any(|(name, ..)| path.strip_prefix("/dev/") == Some(*name))
}

/// As whom it runs.
pub fn whose() -> &'static str {
    if geteuid().is_root() { "nobody" } else { "an ordinary user" }
}

/// Starts `/init` of the tree, held before its first instruction. It ends with this program.
pub fn start(tree: &Initramfs, words: &[String]) -> Result<Tracer> {
    let arguments: Vec<String> = [String::from("/init")].into_iter().chain(words.iter().cloned()).collect();
    let image = ProgramImage::new("/init", &arguments, &["HOME=/".to_string(), "TERM=linux".to_string()])?;
    let outside = if geteuid().is_root() { [NOBODY; 2] } else { [geteuid().as_raw(), getegid().as_raw()] };
    // This program has one thread here.
    let pid = namespaces::start(OF_INIT | libc::CLONE_NEWNET, Some(outside), || {
        namespaces::enter(empty_tree()?.as_fd())?;
        // Not before: now no link and no `..` in a tree leads out of it.
        for (path, rights, content) in tree.entries() {
            make(&path, rights.mode, content).with_context(|| format!("cannot make {path}"))?;
        }
        namespaces::settle(true)?;
        image.execute().context("cannot execute /init")
    })?;
    Tracer::of(pid)
}

/// A tmpfs of its own for the initramfs, with the substitutes in it.
fn empty_tree() -> Result<OwnedFd> {
    let mount = namespaces::tmpfs()?;
    // Mounts can be made below what is mounted only: over a directory that everybody has.
    move_mount(&mount, "", CWD, "/tmp", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context("cannot mount a tmpfs")?;
    let store = format!("/proc/self/fd/{}/{STORE}", mount.as_raw_fd());
    for directory in ["", "dev", "cgroup", "proc", "sys"] {
        fs::create_dir(format!("{store}/{directory}")).context("cannot make the substitutes")?;
    }
    for file in ["sink", "cgroup/cgroup.subtree_control", "cgroup/cgroup.controllers", "cgroup/cgroup.procs"] {
        fs::write(format!("{store}/{file}"), "").context("cannot make the substitutes")?;
    }
    for (name, device) in DEVICES.map(|(name, ..)| (name, name)).into_iter().chain([("console", "null")]) {
        let path = format!("{store}/dev/{name}");
        fs::write(&path, "").context("cannot make the substitutes")?;
        mount_bind(format!("/dev/{device}"), path).with_context(|| format!("cannot bind /dev/{device}"))?;
    }
    // The kernel gives a user namespace a proc or a sysfs only where one is in sight already: mount_too_revealing. Where
    // even these can't be bound, init is refused, and an empty directory stands in.
    for directory in ["proc", "sys"] {
        let _ = mount_bind_recursive(format!("/{directory}"), format!("{store}/{directory}"));
    }
    Ok(mount)
}

fn make(path: &str, mode: u32, content: &Content) -> Result<()> {
    match content {
        Content::Directory => fs::create_dir(path)?,
        Content::Symlink(target) => return Ok(symlink(target, path)?),
        Content::Node(node @ (Node::Fifo | Node::Socket)) => {
            let kind = if *node == Node::Fifo { FileType::Fifo } else { FileType::Socket };
            rustix::fs::mknodat(CWD, path, kind, rustix::fs::Mode::from_raw_mode(0o600), 0)?;
        }
        // No user may make a node: this machine's own device in its place, where every user may open it.
        Content::Node(node) => {
            fs::write(path, "")?;
            let known =
                DEVICES.iter().find(|(_, major, minor)| *node == Node::Character { major: *major, minor: *minor });
            let name = known.map_or("null", |(name, ..)| *name);
            return Ok(mount_bind(format!("/{STORE}/dev/{name}"), path)?);
        }
        content => fs::write(path, content.read()?)?,
    }
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}
