//! A process in new namespaces, on a root of its own, from fork to exec: what a kernel makes of PID 1 before it starts init.
//! Who tries an init, who tests it and who measures it start it here; what differs between them is given.
//!
//! In a program of several threads the new process makes system calls and nothing else up to exec, above all no allocation:
//! so does all of this, but to tell an error.

mod forbidden;

use std::convert::Infallible;
use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use anyhow::{Context, Result, bail};
use libc::{CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS};
use nix::sys::ptrace;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::fs::{CWD, Mode};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsmount, fsopen, mount_change, move_mount, unmount,
};
use rustix::process::{Signal, chdir, fchdir, geteuid, pivot_root, set_parent_process_death_signal, umask};
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::execute::default_signals;

/// Those that an init's kernel has to itself, but for the network.
pub const OF_INIT: i32 = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS;

/// Starts a process in new namespaces of these kinds, CLONE_NEWNS among them; there it runs `become_it`, which ends by exec. The
/// process ends with the thread that starts it. With `outside`, a user and a group, it is root in a user namespace of its
/// own, and those two for all that lies outside.
pub fn start(kinds: i32, outside: Option<[u32; 2]>, become_it: impl FnOnce() -> Result<Infallible>) -> Result<Pid> {
    let (mut go, mut told) = io::pipe().context("cannot make a pipe")?;
    let (mut failed, mut tell) = io::pipe().context("cannot make a pipe")?;
    let kinds = if outside.is_some() { kinds | CLONE_NEWUSER } else { kinds };
    let is_root = geteuid().is_root();
    // SAFETY: no CLONE_VM: as after fork(2) no stack, thread or descriptor is shared.
    let pid = unsafe { libc::syscall(libc::SYS_clone, kinds | libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        drop((told, failed));
        let Err(error) = prepare(&mut go, outside.map(|_| is_root)).and_then(|()| become_it());
        // Whether or not anybody hears it, this process has to end here.
        let _ = write!(tell, "{error:#}");
        // SAFETY: ends this process, and runs nothing of its parent's.
        unsafe { libc::_exit(127) };
    }
    if pid < 0 {
        let error = io::Error::last_os_error();
        match outside {
            Some(_) => bail!("cannot make a user namespace: {error}: {}", forbidden::reason(&error)),
            None => bail!("cannot start init in new namespaces: {error}: is this root?"),
        }
    }
    let pid = Pid::from_raw(pid as i32);
    drop((go, tell));
    let mapped = outside.map_or(Ok(()), |outside| map(pid, is_root, outside));
    let mut reason = String::new();
    if mapped.is_ok() {
        told.write_all(b"!").context("cannot start the process in new namespaces")?;
        // Up to its end, which exec is.
        failed.read_to_string(&mut reason).context("cannot read why init was not started")?;
    }
    drop(told);
    if mapped.is_ok() && reason.is_empty() {
        return Ok(pid);
    }
    waitpid(pid, None).context("cannot wait for init")?;
    mapped?;
    bail!("cannot start init in new namespaces: {reason}")
}

/// Root inside is these two outside.
fn map(pid: Pid, is_root: bool, [user, group]: [u32; 2]) -> Result<()> {
    let mut files = vec![("uid_map", format!("0 {user} 1")), ("gid_map", format!("0 {group} 1"))];
    if !is_root {
        // Else only root may write the groups' map: user_namespaces(7).
        files.insert(0, ("setgroups", "deny".to_string()));
    }
    for (file, text) in files {
        let path = format!("/proc/{pid}/{file}");
        fs::write(&path, text)
            .with_context(|| format!("cannot write {path}: this machine restricts user namespaces"))?;
    }
    Ok(())
}

/// In the new process. Where it is to be root of a user namespace, it may have been root outside until now, with all its groups.
fn prepare(go: &mut PipeReader, was_root: Option<bool>) -> Result<()> {
    go.read_exact(&mut [0]).context("who starts it has gone")?;
    if let Some(was_root) = was_root {
        if was_root {
            set_thread_groups(&[]).context("cannot leave this machine's groups")?;
        }
        set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).context("cannot become root of the new namespace")?;
        set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).context("cannot become root of the new namespace")?;
    }
    // Not before: a change of user takes the signal away, prctl(2).
    set_parent_process_death_signal(Some(Signal::KILL))?;
    mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).context("cannot part the mounts")
}

/// A tmpfs that is mounted nowhere yet.
pub fn tmpfs() -> Result<OwnedFd> {
    let tmpfs = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).context("cannot open a tmpfs: fsopen(2)")?;
    fsconfig_create(&tmpfs).context("cannot make a tmpfs: fsconfig(2)")?;
    let mount = fsmount(tmpfs, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty());
    mount.context("cannot mount a tmpfs: fsmount(2)")
}

/// Makes a mount the root, and leaves nothing of this machine's mounts.
pub fn enter(mount: BorrowedFd) -> Result<()> {
    move_mount(mount, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).context("cannot mount the tree")?;
    // The new root over the old one, then the old one away: pivot_root(2), NOTES.
    fchdir(mount)?;
    pivot_root(c".", c".").context("pivot_root")?;
    unmount(c".", UnmountFlags::DETACH).context("cannot unmount this machine's root")?;
    Ok(chdir(c"/")?)
}

/// Makes these the descriptors 0 to 2; without any, leaves them closed.
pub fn stream(descriptors: Option<[RawFd; 3]>) -> Result<()> {
    for (number, descriptor) in (0..).zip(descriptors.unwrap_or([-1; 3])) {
        // SAFETY: replaces the process' own three descriptors, which nothing uses before exec; the new ones stay open over it.
        let result = unsafe { if descriptor < 0 { libc::close(number) } else { libc::dup2(descriptor, number) } };
        if result < 0 {
            return Err(io::Error::last_os_error()).context("cannot change a descriptor");
        }
    }
    Ok(())
}

/// The last before exec: umask, signals and descriptors as a kernel has them. If `held`, ptrace(2) stops it before its first
/// instruction.
pub fn settle(held: bool) -> Result<()> {
    umask(Mode::from_raw_mode(0o022));
    default_signals();
    // SAFETY: marks descriptors only; they stay open until exec, so that a failure of it is still told.
    unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) };
    if held { ptrace::traceme().context("cannot be watched") } else { Ok(()) }
}
