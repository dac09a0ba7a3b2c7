//! The steps that bring something of the initramfs into the new root: `copy`, which frees the original, and `bind`,
//! which moves no byte; and `module`, which brings it into the kernel.
//!
//! Holds on entry: `/` is the new root, the working directory is in the initramfs. Holds on exit: the same after a
//! success; after a failure `/` may be the initramfs. A source is looked up with the initramfs as `/`, so symbolic
//! links lead where its maker meant them to.

use crate::plan::Step;
use crate::sys::{self, Descriptor, Errno, Name, Status, Word};
use core::mem::MaybeUninit;
use linux_raw_sys::errno::{EEXIST, EINVAL, EIO, EISDIR};

/// What a umask of 022 takes from the mode of a new file.
const UMASK: u32 = 0o022;
const ROOT: (u32, u32) = (0, 0);
const MOUNT_POINT_MODE: u32 = 0o755;
const NO_PARAMETERS: Name = Name::literal(c"");

/// `copy SOURCE TARGET`: the original goes when its copy is whole; a copy that fails leaves nothing behind.
pub fn copy(step: &Step) -> Result<(), Errno> {
    let (source, target) = (step.words[1], step.words[2]);
    sys::enter_initramfs()?;
    let original = sys::open(*source)?;
    sys::enter_new_root()?;
    let mut room = MaybeUninit::uninit();
    let status = Status::of(original, &mut room)?;
    if !status.is_file() {
        return Err(Errno::of(if status.is_folder() { EISDIR } else { EINVAL }));
    }
    let copy = sys::create(target, status.mode())?;
    let carried = fill(copy, original, status)
        .and_then(|()| dress(copy, target, status))
        .and_then(|()| sys::enter_initramfs())
        .and_then(|()| sys::unlink(*source));
    let back = sys::enter_new_root();
    // Not where the original is gone, nor in the initramfs.
    if carried.is_err() && back.is_ok() {
        // Whether or not this succeeds, the failure to tell of is the one before it.
        let _ = sys::unlink(*target);
    }
    // Its memory is free from here on, not only when the service runs.
    sys::close(original);
    sys::close(copy);
    carried.and(back)
}

/// Every byte, and the copy's length as proof of it. A file at which a truncated initramfs ended has its whole length, but
/// not the pages (do_name and do_copy in init/initramfs.c): then only what is there is sent, and that is too short.
#[inline(never)]
fn fill(copy: Descriptor, original: Descriptor, status: &Status) -> Result<(), Errno> {
    let mut left = status.size().min(status.stored());
    while left > 0 {
        match sys::send(copy, original, left)? {
            0 => break,
            sent => left = left.saturating_sub(sent),
        }
    }
    if Status::of(copy, &mut MaybeUninit::uninit())?.size() == status.size() { Ok(()) } else { Err(Errno::of(EIO)) }
}

/// Owner and mode, where they aren't those of a new file.
fn dress(copy: Descriptor, target: Word, status: &Status) -> Result<(), Errno> {
    if status.owner() != ROOT {
        sys::set_owner(copy, status.owner())?;
    } else if status.mode() & UMASK == 0 {
        return Ok(());
    }
    sys::set_mode(*target, status.mode())
}

/// `bind SOURCE TARGET`.
pub fn bind(step: &Step) -> Result<(), Errno> {
    let (source, target) = (step.words[1], step.words[2]);
    sys::enter_initramfs()?;
    let tree = sys::clone_mount(*source)?;
    sys::enter_new_root()?;
    let mount_point = if Status::of(tree, &mut MaybeUninit::uninit())?.is_folder() {
        sys::make_folder(target, MOUNT_POINT_MODE)
    } else {
        sys::make_file(target)
    };
    match mount_point {
        Err(errno) if errno != Errno::of(EEXIST) => Err(errno),
        _ => sys::attach_mount(tree, *target),
    }
}

/// `module PATH [PARAM…]`: one that is loaded already is fine. Names that end with `.gz`, `.xz` or `.zst`, letters behind
/// that of `.ko`, are those of compressed modules.
pub fn load(step: &Step) -> Result<(), Errno> {
    let (source, parameters) = (*step.words[1], *step.words[2]);
    sys::enter_initramfs()?;
    let module = sys::open(source)?;
    sys::enter_new_root()?;
    let is_compressed = source.bytes().last() > Some(b'o');
    match sys::load_module(module, if parameters.is_none() { NO_PARAMETERS } else { parameters }, is_compressed) {
        Err(errno) if errno != Errno::of(EEXIST) => Err(errno),
        _ => Ok(()),
    }
}
