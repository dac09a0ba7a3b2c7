//! From a forked child to what init finds on entry. Everything here runs between fork and exec in a program of
//! several threads: it makes system calls and nothing else, above all no allocation.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::fs::{CWD, Mode};
use rustix::mount::{MountPropagationFlags, MoveMountFlags, UnmountFlags, mount_change, move_mount, unmount};
use rustix::process::{Signal, chdir, fchdir, pivot_root, set_parent_process_death_signal, umask};
use rustix::thread::UnshareFlags;
use tool::execute::default_signals;

/// Gives this thread's next child a pid namespace of its own. Call it in a thread that ends soon.
pub fn new_pid_namespace() -> io::Result<()> {
    // SAFETY: a new pid namespace takes no memory or descriptor from other threads.
    Ok(unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWPID) }?)
}

/// The way into the sandbox.
pub struct Entry {
    /// The initramfs, a detached mount.
    pub mount: RawFd,
    /// Close descriptors 0, 1 and 2.
    pub close: bool,
    /// The user namespace to be root of.
    pub user: Option<RawFd>,
}

impl Entry {
    /// Makes this process what the kernel makes of PID 1 before it starts init.
    pub fn enter(&self) -> io::Result<()> {
        // SAFETY: the parent holds the mount until this process has ended.
        let mount = unsafe { BorrowedFd::borrow_raw(self.mount) };
        // First: a change of user takes the signal for the parent's death away, prctl(2).
        self.user.map_or(Ok(()), super::user::become_root_of)?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let others = UnshareFlags::NEWNS | UnshareFlags::NEWCGROUP | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
        // SAFETY: the forked child has one thread, so nothing is shared with another.
        unsafe { rustix::thread::unshare_unsafe(others) }?;
        mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
        move_mount(mount, c"", CWD, c"/", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
        // The new root over the old one, then the old one away: pivot_root(2), NOTES.
        fchdir(mount)?;
        pivot_root(c".", c".")?;
        unmount(c".", UnmountFlags::DETACH)?;
        chdir(c"/")?;
        umask(Mode::from_raw_mode(0o022));
        default_signals();
        self.close_descriptors()
    }

    /// Closes what the program was started with: Rust's own descriptors close on exec anyway.
    fn close_descriptors(&self) -> io::Result<()> {
        if self.close {
            // SAFETY: nothing uses these three before exec.
            unsafe { libc::close_range(0, 2, 0) };
        }
        // SAFETY: the descriptors stay open until exec, so that a failure of it is still told.
        let result = unsafe { libc::close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as i32) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
