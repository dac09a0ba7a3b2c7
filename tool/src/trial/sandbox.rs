//! Namespaces of every kind around one process, entered with no right outside them: as the user who asks, or as nobody
//! where that is root. Whatever the kernel lets init do in there, it would let any user do.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};

use anyhow::{Context, Result, bail};
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::fs::{CWD, FileType};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsmount, fsopen, mount_bind, mount_bind_recursive, mount_change, move_mount, unmount,
};
use rustix::process::{chdir, fchdir, getegid, geteuid, pivot_root};

use super::forbidden;
use super::gone::Gone;
use crate::cpio::Node;
use crate::execute::{ProgramImage, default_signals};
use crate::initramfs::{Content, Initramfs};

/// Where the substitutes lie in the initramfs, which the service does not see.
pub const STORE: &str = ".moveroot-try";

/// nobody, on every Linux.
const NOBODY: u32 = 65534;

const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWNET;

/// Devices that every user may open.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// The process that is to become init, stopped before its first instruction. It ends with this.
pub struct Held {
    pub pid: Pid,
}

impl Held {
    /// As whom it runs.
    pub fn whose(&self) -> &'static str {
        if geteuid().is_root() { "nobody" } else { "an ordinary user" }
    }

    /// Lets it run, unwatched, to its end.
    pub fn let_go(&self) -> Result<Gone> {
        ptrace::detach(self.pid, None).context("cannot let the service go")?;
        match waitpid(self.pid, None).context("cannot wait for the service")? {
            WaitStatus::Exited(_, code) => Ok(Gone::Exited(code as u8)),
            WaitStatus::Signaled(_, signal, _) => Ok(Gone::of(signal)),
            other => bail!("the service ended oddly: {other:?}"),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end or to wait for.
        let _ = nix::sys::signal::kill(self.pid, nix::sys::signal::Signal::SIGKILL);
        while let Ok(status) = waitpid(self.pid, None) {
            if matches!(status, WaitStatus::Exited(..) | WaitStatus::Signaled(..)) {
                break;
            }
        }
    }
}

/// Starts `/init` of the tree.
pub fn start(tree: &Initramfs, words: &[String]) -> Result<Held> {
    let arguments: Vec<String> = [String::from("/init")].into_iter().chain(words.iter().cloned()).collect();
    let image = ProgramImage::new("/init", &arguments, &["HOME=/".to_string(), "TERM=linux".to_string()])?;
    let (mut go, told) = io::pipe().context("cannot make a pipe")?;
    let (mut failed, tell) = io::pipe().context("cannot make a pipe")?;
    // SAFETY: as fork(2), with no stack, thread or descriptor shared. This program has one thread here.
    let pid = unsafe { libc::syscall(libc::SYS_clone, NAMESPACES | libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        drop((told, failed));
        let mut tell = tell;
        if let Err(error) = become_init(&mut go, tree, &image) {
            // Whether or not anybody hears it, this process has to end here.
            let _ = tell.write_all(format!("{error:#}").as_bytes());
        }
        // SAFETY: ends this process, and runs nothing of its parent's.
        unsafe { libc::_exit(1) };
    }
    if pid < 0 {
        let error = io::Error::last_os_error();
        bail!("cannot make a user namespace: {error}: {}", forbidden::reason(&error));
    }
    drop((go, tell));
    let held = Held { pid: Pid::from_raw(pid as i32) };
    map_user(held.pid)?;
    (&told).write_all(b"!").context("cannot start the process in new namespaces")?;
    drop(told);
    match waitpid(held.pid, None).context("cannot wait for init")? {
        WaitStatus::Stopped(..) => Ok(held),
        _ => {
            let mut reason = String::new();
            failed.read_to_string(&mut reason).context("cannot read why init was not started")?;
            bail!("cannot start init in new namespaces: {reason}")
        }
    }
}

/// Root inside is the user outside, or nobody.
fn map_user(pid: Pid) -> Result<()> {
    let is_root = geteuid().is_root();
    let [user, group] = [geteuid().as_raw(), getegid().as_raw()].map(|id| if is_root { NOBODY } else { id });
    for (file, text) in
        [("setgroups", "deny".to_string()), ("uid_map", format!("0 {user} 1")), ("gid_map", format!("0 {group} 1"))]
    {
        let path = format!("/proc/{pid}/{file}");
        fs::write(&path, text)
            .with_context(|| format!("cannot write {path}: this machine restricts user namespaces"))?;
    }
    Ok(())
}

/// In the new process: from here on alone.
fn become_init(go: &mut impl Read, tree: &Initramfs, image: &ProgramImage) -> Result<()> {
    go.read_exact(&mut [0]).context("the harness has gone")?;
    become_root()?;
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).context("cannot part the mounts")?;
    let mount = empty_tree()?;
    move_mount(&mount, "", CWD, "/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context("cannot mount the tree")?;
    fchdir(&mount)?;
    pivot_root(".", ".").context("pivot_root")?;
    unmount(".", UnmountFlags::DETACH).context("cannot unmount this machine's root")?;
    chdir("/")?;
    // Not before: now no link and no `..` in a tree leads out of it.
    for (path, rights, content) in tree.entries() {
        make(&path, rights.mode, content).with_context(|| format!("cannot make {path}"))?;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    default_signals();
    // SAFETY: marks descriptors only; they stay open until exec.
    unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) };
    ptrace::traceme().context("cannot be watched")?;
    image.execute().context("cannot execute /init")
}

/// User and group 0 of the new namespace, where until now root may have been root outside, with all its groups. By system
/// call: the C library would ask its other threads to follow.
fn become_root() -> Result<()> {
    if fs::read_to_string("/proc/self/setgroups").is_ok_and(|may| may.trim() == "allow") {
        rustix::thread::set_thread_groups(&[]).context("cannot leave this machine's groups")?;
    }
    for call in [libc::SYS_setresgid, libc::SYS_setresuid] {
        // SAFETY: takes three numbers.
        if unsafe { libc::syscall(call, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error()).context("cannot become root of the new namespace");
        }
    }
    Ok(())
}

/// A tmpfs of its own for the initramfs, with the substitutes in it.
fn empty_tree() -> Result<OwnedFd> {
    let tmpfs = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).context("fsopen(2)")?;
    fsconfig_create(&tmpfs).context("cannot make a tmpfs: fsconfig(2)")?;
    let mount = fsmount(tmpfs.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).context("fsmount(2)")?;
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

impl fmt::Debug for Held {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "pid {}", self.pid)
    }
}
