//! Root without rights: a user namespace whose root is, on this machine, a user that owns nothing.
//!
//! An init in it may mount a tmpfs, bind, chroot and change owners among its own files, as root does. Whatever would
//! touch the machine the kernel refuses: its devices, its modules, sysfs and what proc lets only root write. So a plan
//! need not be looked at before it is run.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::lchown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use rustix::thread::{Gid, LinkNameSpaceType, Uid, UnshareFlags, move_into_link_name_space};

use super::Sandbox;

/// No system gives this to anybody: user_namespaces(7) maps it to root inside.
const OUTSIDE: u32 = 3_000_000_000;

impl Sandbox {
    /// Starts init as root of a user namespace, which is nobody on this machine.
    pub fn without_rights(mut self) -> Result<Sandbox> {
        self.user = Some(namespace()?.as_raw_fd());
        Ok(self)
    }

    /// Gives the initramfs to the root that init will be.
    pub(super) fn hand_over(&self) -> Result<()> {
        if self.user.is_some() {
            give(&self.tree.path("/"))?;
        }
        Ok(())
    }
}

fn give(path: &Path) -> Result<()> {
    lchown(path, Some(OUTSIDE), Some(OUTSIDE)).with_context(|| format!("cannot chown {}", path.display()))?;
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        for entry in path.read_dir().with_context(|| format!("cannot read {}", path.display()))? {
            give(&entry?.path())?;
        }
    }
    Ok(())
}

/// One for all: what a namespace lends are ids, and nothing is left behind under them.
fn namespace() -> Result<&'static OwnedFd> {
    static NAMESPACE: OnceLock<OwnedFd> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(namespace) = NAMESPACE.get() {
        return Ok(namespace);
    }
    let made = make().context("cannot make a user namespace")?;
    Ok(NAMESPACE.get_or_init(|| made))
}

/// A process holds it while its ids are mapped, which only a process outside may do; then a descriptor does.
fn make() -> Result<OwnedFd> {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    // SAFETY: between fork and exec it makes one system call, which shares no memory or descriptor with other threads.
    unsafe { command.pre_exec(|| Ok(rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER)?)) };
    let mut holder = command.spawn().context("cannot start its first process")?;
    let namespace = mapped(&holder);
    drop(holder.stdin.take());
    holder.wait().context("cannot wait for its first process")?;
    namespace
}

fn mapped(holder: &Child) -> Result<OwnedFd> {
    let directory = Path::new("/proc").join(holder.id().to_string());
    for map in ["uid_map", "gid_map"] {
        std::fs::write(directory.join(map), format!("0 {OUTSIDE} 1")).with_context(|| format!("cannot write {map}"))?;
    }
    Ok(std::fs::File::open(directory.join("ns/user")).context("cannot open it")?.into())
}

/// Becomes the root of a user namespace. Runs between fork and exec: system calls only.
pub(super) fn become_root_of(namespace: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is kept for as long as the program runs.
    let namespace = unsafe { BorrowedFd::borrow_raw(namespace) };
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::User))?;
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    Ok(rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)?)
}
