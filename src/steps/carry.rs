//! The steps that bring something of the initramfs into the new root: `copy`, which frees the original, and `bind`, which
//! copies no byte.
//!
//! A source is looked up with the initramfs as `/`, a target with the new root as `/`: each with its own symlinks.

use crate::roots::Roots;
use crate::sys::file::{
    DIRECTORY_MODE, Status, allow_existing, new_directory, new_empty_file, new_file, open_to_read, set_mode, unlink,
};
use crate::sys::mount::{attach_mount, clone_mount};
use crate::sys::{Descriptor, Errno};
use core::mem::MaybeUninit;
use language::{CStrPtr, Word};
use linux_raw_sys::errno::{EINVAL, EIO, EISDIR};

/// What a umask of 022 takes from the mode of a new file.
const UMASK: u32 = 0o022;
const ROOT: (u32, u32) = (0, 0);

/// `copy SOURCE [TARGET]`: the original goes when its copy is whole; a copy that fails leaves nothing behind.
pub fn copy(source: CStrPtr, target: Word, roots: &mut Roots) -> Result<(), Errno> {
    let original = open_to_read(source)?;
    let mut buffer = MaybeUninit::uninit();
    let status = original.status(&mut buffer)?;
    if !status.is_file() {
        return Err(Errno::of(if status.is_directory() { EISDIR } else { EINVAL }));
    }
    roots.enter_new_root()?;
    let copy = new_file(target, status.mode())?;
    let carried = fill(&copy, &original, status)
        .and_then(|()| set_owner_and_mode(&copy, *target, status))
        .and_then(|()| roots.enter_initramfs())
        .and_then(|()| unlink(source));
    // The first failure is the one to report, even if this fails too. Never in the initramfs: there it may be the original.
    if carried.is_err() && roots.enter_new_root().is_ok() {
        let _ = unlink(*target);
    }
    carried
}

/// Every byte. A file at which a truncated initramfs ended has its whole length, but not the pages (do_name and do_copy in
/// init/initramfs.c); sendfile(2) would read zeros there.
fn fill(copy: &Descriptor, original: &Descriptor, status: &Status) -> Result<(), Errno> {
    let mut left = status.size();
    if status.stored() < left {
        return Err(Errno::of(EIO));
    }
    while left > 0 {
        match copy.send(original, left)? {
            0 => return Err(Errno::of(EIO)),
            sent => left = left.saturating_sub(sent as usize),
        }
    }
    Ok(())
}

/// Sets owner and mode where openat(2) has not already.
fn set_owner_and_mode(copy: &Descriptor, target: CStrPtr, status: &Status) -> Result<(), Errno> {
    if status.owner() != ROOT {
        copy.set_owner(status.owner())?;
    } else if status.mode() & UMASK == 0 {
        return Ok(());
    }
    set_mode(target, status.mode())
}

/// `bind SOURCE [TARGET]`: the same file or directory. Makes the mount point.
pub fn bind(source: CStrPtr, target: Word, roots: &mut Roots) -> Result<(), Errno> {
    let tree = clone_mount(source)?;
    let mut buffer = MaybeUninit::uninit();
    let is_directory = tree.status(&mut buffer)?.is_directory();
    roots.enter_new_root()?;
    allow_existing(if is_directory { new_directory(target, DIRECTORY_MODE) } else { new_empty_file(target) })?;
    attach_mount(&tree, *target)?;
    roots.follow_mount_on(*target)
}
