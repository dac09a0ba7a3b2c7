//! Mounts, and which directory `/` is.

use super::call::{Errno, call};
use super::file::Descriptor;
use core::mem::MaybeUninit;
use core::ptr;
use language::CStrPtr;
use linux_raw_sys::general::{
    AT_FDCWD, MNT_DETACH, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS, MS_BIND, MS_MOVE, MS_NOATIME, MS_NODEV,
    MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_RELATIME, MS_STRICTATIME, MS_SYNCHRONOUS,
    OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE, UMOUNT_NOFOLLOW, statfs,
};

/// `mount(source, target, fstype, flags, data)`: mount(2). The flags say whether it mounts, binds, moves or remounts.
#[inline(never)] // 30 bytes
pub fn mount(source: CStrPtr, target: CStrPtr, fstype: CStrPtr, flags: u32, data: CStrPtr) -> Result<(), Errno> {
    // Null saves time: the kernel copies a whole page of data, however short it is (copy_mount_options in fs/namespace.c).
    let data = if data.is_empty() { ptr::null() } else { data.as_ptr() };
    // SAFETY: all that isn't null is NUL-terminated; the kernel copies it before it returns.
    unsafe { call!(mount, source.as_ptr(), target.as_ptr(), fstype.as_ptr(), flags, data) }.done()
}

/// `mount(NULL, target, NULL, flags, NULL)`: changes the mount at `target`, by MS_REMOUNT or a propagation: mount(2).
pub fn change_mount(target: CStrPtr, flags: u32) -> Result<(), Errno> {
    // SAFETY: `target` is NUL-terminated, and the others are null, which these flags allow.
    unsafe { call!(mount, 0, target.as_ptr(), 0, flags, 0) }.done()
}

/// `mount(source, target, MS_BIND)`: makes a file or directory appear at `target` too: mount(2).
pub fn bind_mount(source: CStrPtr, target: CStrPtr) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated, and the kernel looks at none of the others with this flag.
    unsafe { call!(mount, source.as_ptr(), target.as_ptr(), 0, MS_BIND, 0) }.done()
}

/// `mount(source, target, MS_MOVE)`: mount(2). EINVAL if the mount that `source` is mounted on is shared.
pub fn move_root(source: CStrPtr, target: CStrPtr) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated, and the kernel looks at none of the others with this flag.
    unsafe { call!(mount, source.as_ptr(), target.as_ptr(), 0, MS_MOVE, 0) }.done()
}

/// `statfs(path)`: the flags of the mount at `path` and of its filesystem, as MS_* bits: statfs(2). It does not tell dirsync and lazytime.
pub fn mount_flags(path: CStrPtr) -> Result<u32, Errno> {
    let mut status = MaybeUninit::<statfs>::uninit();
    // SAFETY: the kernel fills the whole of a struct statfs: do_statfs_native in fs/statfs.c.
    let flags = unsafe {
        call!(statfs, path.as_ptr(), status.as_mut_ptr()).done()?;
        status.assume_init().f_flags as u32
    };
    let has = |flag: u32| flags & flag != 0;
    let access_times = if has(MS_NOATIME) {
        MS_NOATIME
    } else if has(ST_RELATIME) {
        MS_RELATIME
    } else {
        MS_STRICTATIME
    };
    let nosymfollow = if has(ST_NOSYMFOLLOW) { MS_NOSYMFOLLOW } else { 0 };
    // The others have the same numbers as ST_*.
    let same = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NODIRATIME | MS_SYNCHRONOUS;
    Ok(flags & same | access_times | nosymfollow)
}

/// From include/linux/statfs.h: linux-raw-sys has no ST_*.
const ST_RELATIME: u32 = 0x1000;
const ST_NOSYMFOLLOW: u32 = 0x2000;

/// `open_tree(path, OPEN_TREE_CLONE)`: a bind mount of `path` that isn't attached yet: open_tree(2). Follows symlinks.
pub fn clone_mount(path: CStrPtr) -> Result<Descriptor, Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(open_tree, AT_FDCWD, path.as_ptr(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) }.value().map(Descriptor)
}

/// `move_mount(tree, target, MOVE_MOUNT_T_SYMLINKS)`: attaches it to `target`: move_mount(2). Follows symlinks.
pub fn attach_mount(tree: &Descriptor, target: CStrPtr) -> Result<(), Errno> {
    let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS;
    // SAFETY: two NUL-terminated paths.
    unsafe { call!(move_mount, tree.0, CStrPtr::EMPTY.as_ptr(), AT_FDCWD, target.as_ptr(), flags) }.done()
}

/// `umount2(target, MNT_DETACH)`: unmounts, even if it is in use: umount(2).
pub fn detach_mount(target: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `target` is NUL-terminated.
    unsafe { call!(umount2, target.as_ptr(), MNT_DETACH) }.done()
}

/// `umount2(target, UMOUNT_NOFOLLOW)`: umount(2). EBUSY if it is in use.
pub fn unmount(target: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `target` is NUL-terminated.
    unsafe { call!(umount2, target.as_ptr(), UMOUNT_NOFOLLOW) }.done()
}

/// `chroot(path)`: chroot(2).
pub fn chroot(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(chroot, path.as_ptr()) }.done()
}

/// `chdir(path)`: chdir(2).
pub fn change_directory(path: CStrPtr) -> Result<(), Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(chdir, path.as_ptr()) }.done()
}

impl Descriptor {
    /// `fchdir(directory)`: chdir(2).
    pub fn become_working_directory(&self) -> Result<(), Errno> {
        // SAFETY: no memory is touched.
        unsafe { call!(fchdir, self.0) }.done()
    }
}
