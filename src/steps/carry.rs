//! The steps that bring files from the initramfs into the new root, `copy` and `bind`; and `drop`, which frees what is left there.
//!
//! A source is looked up with the initramfs as `/`, a target with the new root as `/`: each with its own symlinks.

use crate::built_in;
use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::sys::file::{
    DIRECTORY_MODE, allow_existing, new_directory, new_empty_file, new_file, open_to_read, set_mode, unlink,
};
use crate::sys::mount::{attach_mount, bind_mount, clone_mount};
use crate::sys::status::Status;
use crate::sys::tree::{Entries, Parent, find_below_working_directory};
use crate::sys::{Descriptor, Errno};
use core::mem::MaybeUninit;
use language::{CStrPtr, Verb};
use linux_raw_sys::errno::{EBUSY, EINVAL, EIO, EISDIR};

/// Init's umask, which the kernel takes from the mode of a new file: umask(2).
const UMASK: u32 = 0o022;
/// User and group.
const ROOT: (u32, u32) = (0, 0);

/// `copy SOURCE [TARGET]`: the original is deleted when its copy is complete; after a failure there is no copy, and the original stays.
/// EISDIR of a directory, EINVAL of what is no regular file, EEXIST if TARGET exists.
pub fn copy(source: CStrPtr, target: CStrPtr, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    let original = open_to_read(source)?;
    let mut buffer = MaybeUninit::uninit();
    let status = original.status(&mut buffer)?;
    if !status.is_file() {
        return Err(if status.is_directory() { Errno::of(EISDIR) } else { Errno::of(EINVAL) });
    }
    roots.enter_new_root()?;
    let copy = new_file(target, status.mode(), scratch.buffer())?;
    let carried = fill(&copy, &original, status)
        .and_then(|()| set_owner_and_mode(&copy, target, status))
        .and_then(|()| roots.enter_initramfs())
        .and_then(|()| unlink(source));
    // The first failure is reported, even if this fails too. Only in the new root: in the initramfs TARGET may be the original.
    if carried.is_err() && roots.enter_new_root().is_ok() {
        let _ = unlink(target);
    }
    carried
}

/// Copies every byte, or fails with EIO. A file in which a truncated initramfs ended has its full length, but not all of its pages
/// (do_name and do_copy in init/initramfs.c): sendfile(2) would read zeros there.
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

/// Sets owner and mode, unless openat(2) has. The mode comes last: chown(2) clears set-uid bits.
fn set_owner_and_mode(copy: &Descriptor, target: CStrPtr, status: &Status) -> Result<(), Errno> {
    if status.owner() != ROOT {
        copy.set_owner(status.owner())?;
    } else if status.mode() & UMASK == 0 {
        return Ok(());
    }
    set_mode(target, status.mode())
}

/// `bind SOURCE [TARGET]`: makes the same file or directory appear in the new root. Makes the mount point.
pub fn bind(source: CStrPtr, target: CStrPtr, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    // A path without symlinks leads to the same file from the working directory, whichever `/` is: then one mount(2) is enough. Other
    // paths go by open_tree(2), and so do all on kernels before 5.6, which have no openat2(2).
    let (file, is_direct) = match find_below_working_directory(source) {
        Ok(file) => (file, true),
        Err(_) => {
            roots.enter_initramfs()?;
            (clone_mount(source)?, false)
        }
    };
    let mut buffer = MaybeUninit::uninit();
    let status = file.status(&mut buffer)?;
    let is_directory = status.is_directory();
    if built_in::uses(Verb::Drop) {
        // Cannot be full: see `Bound`.
        let _ = roots.bound.push(status.inode());
    }
    roots.enter_new_root()?;
    allow_existing(match is_directory {
        true => new_directory(target, DIRECTORY_MODE, scratch.buffer()),
        false => new_empty_file(target, scratch.buffer()),
    })?;
    if is_direct { bind_mount(relative(source), target) } else { attach_mount(&file, target) }?;
    roots.follow_mount_on(target)
}

/// An absolute path, made relative to the working directory.
fn relative(path: CStrPtr) -> CStrPtr {
    match path.strip_prefix(CStrPtr::new(c"/")) {
        Some(rest) => relative(rest),
        None => path.or(HERE),
    }
}

const HERE: CStrPtr = CStrPtr::new(c".");

/// `drop PATH`: deletes a file, or a directory with all that is in it. What is bound stays, with its parent directories: then it fails
/// with EBUSY after deleting the rest. ELOOP of a path through a symlink, EXDEV of one to another mount.
pub fn drop(path: CStrPtr, roots: &Roots) -> Result<(), Errno> {
    let (inode, is_directory) = look_at(path)?;
    // Never the whole initramfs: later steps need what is in it.
    if inode == look_at(HERE)?.0 {
        return Err(Errno::of(EBUSY));
    }
    remove(Parent::WORKING_DIRECTORY, path, inode, is_directory, roots.bound)
}

/// The inode number of what is at `path`, and whether it is a directory.
fn look_at(path: CStrPtr) -> Result<(u64, bool), Errno> {
    let mut buffer = MaybeUninit::uninit();
    let file = Parent::WORKING_DIRECTORY.find(path)?;
    let status = file.status(&mut buffer)?;
    Ok((status.inode(), status.is_directory()))
}

/// Deletes an entry of `parent`, a directory with all that is in it. EBUSY if it is bound, or if something in it is.
#[expect(clippy::manual_contains, reason = "contains compares eight at a time, and takes 70 bytes for it")]
fn remove(parent: Parent, name: CStrPtr, inode: u64, is_directory: bool, bound: &[u64]) -> Result<(), Errno> {
    if bound.iter().any(|kept| *kept == inode) {
        return Err(Errno::of(EBUSY));
    }
    if is_directory {
        empty(&parent.open_directory(name)?, bound)?;
    }
    parent.remove(name, is_directory)
}

/// Deletes all that can be deleted in a directory. Returns the last failure.
fn empty(directory: &Descriptor, bound: &[u64]) -> Result<(), Errno> {
    let mut result = Ok(());
    let mut entries = Entries::new();
    while let Some((inode, is_directory, name)) = entries.next(directory)? {
        if !name.equals(HERE) && !name.equals(CStrPtr::new(c"..")) {
            result = remove(Parent::directory(directory), name, inode, is_directory, bound).and(result);
        }
    }
    result
}
