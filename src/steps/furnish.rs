//! The steps that furnish the new root: `dir`, `link`, `mount`; `write` and `controllers`, which write to the kernel's files; `wait`.

use crate::plan::Step;
use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::sys::file::{
    DIRECTORY_MODE, allow_existing, look_for, new_directory, new_symlink, open_directory, open_to_read, open_to_write,
    set_mode,
};
use crate::sys::machine::retry;
use crate::sys::mount::{self, change_mount, detach_mount, mount_flags};
use crate::sys::{Descriptor, Errno};
use heapless::Vec;
use language::{CStrPtr, MountFlags, PROPAGATIONS, number, octal};
use linux_raw_sys::errno::{EEXIST, EINVAL, EIO, ENOENT};
use linux_raw_sys::general::{
    MS_BIND, MS_MOVE, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_REC,
    MS_RELATIME, MS_REMOUNT, MS_STRICTATIME,
};

const EXISTS: Errno = Errno::of(EEXIST);

/// The mode bits that mkdir(2) sets under init's umask, 022: the others take a chmod(2).
const MKDIR_MODE: u32 = 0o1755;

/// `dir PATH [MODE]`: a directory that is there already stays as it is. ENOTDIR if something else is there.
pub fn dir(path: CStrPtr, mode: CStrPtr, scratch: &mut Scratch) -> Result<(), Errno> {
    let mode = if mode.is_empty() { DIRECTORY_MODE } else { octal(mode).unwrap_or_default() };
    match new_directory(path, mode, scratch.buffer()) {
        Err(EXISTS) => open_directory(path).map(drop),
        Ok(()) if mode & !MKDIR_MODE != 0 => set_mode(path, mode),
        other => other,
    }
}

/// `link TARGET PATH`: succeeds if the same symlink is there already. EEXIST if something else is there.
pub fn link(target: CStrPtr, path: CStrPtr, scratch: &mut Scratch) -> Result<(), Errno> {
    match new_symlink(target, path, scratch.buffer()) {
        Err(EXISTS) => match scratch.read_symlink(path) {
            Ok(found) if found.equals(target) => Ok(()),
            Err(errno) if errno != Errno::of(EINVAL) => Err(errno),
            _ => Err(EXISTS),
        },
        other => other,
    }
}

/// `mount SOURCE TARGET FSTYPE [OPTIONS]`: makes the mount point. mount(2) mounts, sets the flags of a bind and sets the propagation by
/// separate calls.
pub fn mount(step: &Step, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    let arguments @ [_, target, fstype, _] = step.arguments();
    allow_existing(new_directory(target, DIRECTORY_MODE, scratch.buffer()))?;
    let (flags, data) = step.mount_options(scratch);
    // As for mount(8): with FSTYPE `none` and no option but propagation, nothing is mounted.
    let is_propagation_alone =
        flags.propagation != 0 && flags.set == 0 && data.is_empty() && fstype.equals(CStrPtr::new(c"none"));
    if !is_propagation_alone {
        mount_or_remount(arguments, flags, data, roots)?;
    }
    for kind in PROPAGATIONS.iter().filter(|kind| flags.propagation & **kind != 0) {
        change_mount(target, kind | flags.propagation & MS_REC)?;
    }
    Ok(())
}

/// One mount(2), and for a bind or a move a second one, which sets the flags.
fn mount_or_remount(
    [source, target, fstype, _]: [CStrPtr; 4],
    flags: MountFlags,
    data: CStrPtr,
    roots: &mut Roots,
) -> Result<(), Errno> {
    if flags.set & MS_REMOUNT != 0 {
        // With MS_BIND too, this changes the flags of the mount alone, not of its filesystem.
        return mount::mount(source, target, fstype, merged(target, flags)?, data);
    }
    let is_tree = flags.set & (MS_BIND | MS_MOVE) != 0;
    // A relative source would be found in the working directory, the initramfs.
    if is_tree && source.bytes().next() != Some(b'/') {
        return Err(Errno::of(EINVAL));
    }
    mount::mount(source, target, fstype, flags.set, data)?;
    roots.follow_mount_on(target)?;
    // A bind and a move ignore these flags: do_loopback and do_move_mount_old in fs/namespace.c.
    if !is_tree || (flags.set | flags.cleared) & OF_A_MOUNT == 0 {
        return Ok(());
    }
    let now = merged(target, flags).map(|now| now & OF_A_MOUNT | MS_REMOUNT | MS_BIND);
    let changed = now.and_then(|now| change_mount(target, now));
    if changed.is_err() {
        // A mount that was to be read-only must not stay there writable.
        let _ = detach_mount(target).and_then(|()| roots.follow_mount_on(target));
    }
    changed
}

/// Flags of a mount, not of its filesystem.
const OF_A_MOUNT: u32 = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NODIRATIME | ACCESS_TIMES;
/// A mount has exactly one of these.
const ACCESS_TIMES: u32 = MS_NOATIME | MS_RELATIME | MS_STRICTATIME;

/// The flags that a mount is to have: its own, as changed by the options. All must be passed, because mount(2) replaces all
/// (do_reconfigure_mnt in fs/namespace.c).
fn merged(target: CStrPtr, flags: MountFlags) -> Result<u32, Errno> {
    let mut kept = mount_flags(target)? & !flags.cleared;
    if flags.set & ACCESS_TIMES != 0 {
        kept &= !ACCESS_TIMES;
    }
    if (kept | flags.set) & ACCESS_TIMES == 0 {
        kept |= MS_RELATIME;
    }
    Ok(kept | flags.set)
}

/// `write PATH TEXT`: in one write(2), as the kernel's files expect it. A regular file is truncated first.
pub fn write(path: CStrPtr, text: CStrPtr) -> Result<(), Errno> {
    write_whole(&open_to_write(path)?, text.to_bytes())
}

/// EIO if not all of it went.
fn write_whole(file: &Descriptor, bytes: &[u8]) -> Result<(), Errno> {
    if file.write(bytes)? as usize == bytes.len() { Ok(()) } else { Err(Errno::of(EIO)) }
}

/// In seconds.
const DEFAULT_TIMEOUT: u64 = 10;

/// `wait PATH [SECONDS]`: until something is at PATH. ETIMEDOUT if nothing is after so many seconds.
pub fn wait(path: CStrPtr, seconds: CStrPtr) -> Result<(), Errno> {
    let seconds = if seconds.is_empty() { DEFAULT_TIMEOUT } else { number(seconds).unwrap_or_default() };
    retry(Errno::of(ENOENT), seconds, &mut || look_for(path))
}

const SUBTREE_CONTROL: CStrPtr = CStrPtr::new(c"/sys/fs/cgroup/cgroup.subtree_control");

/// `controllers [NAME…]`: enables all in one write. If the kernel refuses that, each named one is tried by itself, and the failure names
/// those that were refused.
pub fn controllers(step: &mut Step, scratch: &mut Scratch) -> Result<(), Errno> {
    let file = open_to_write(SUBTREE_CONTROL)?;
    if step.words().len() == 1 {
        return enable_available(&file, scratch);
    }
    let mut result = enable(&file, step, !VERB_BIT, scratch);
    if result.is_err() {
        (step.named, result) = (VERB_BIT, Ok(()));
        for place in 1..step.words().len() {
            let refused = enable(&file, step, VERB_BIT << place, scratch);
            if refused.is_err() {
                step.named |= VERB_BIT << place;
                result = refused;
            }
        }
    }
    result
}

const AVAILABLE: CStrPtr = CStrPtr::new(c"/sys/fs/cgroup/cgroup.controllers");

/// Enables every controller that the kernel has here, all or none of them. ENOENT if it has none.
fn enable_available(file: &Descriptor, scratch: &mut Scratch) -> Result<(), Errno> {
    let mut available = Vec::<u8, 512>::new();
    open_to_read(AVAILABLE)?.read_to_end(&mut available)?;
    if available.is_empty() {
        return Err(Errno::of(ENOENT));
    }
    scratch.clear();
    scratch.push(b'+');
    for byte in &available {
        scratch.push(*byte);
        if *byte == b' ' {
            scratch.push(b'+');
        }
    }
    write_whole(file, scratch.bytes())
}

/// In a set of a step's words the verb is the lowest bit, each argument the next.
const VERB_BIT: u64 = 1;

/// Enables the controllers that a set of words names, by one write of `+NAME …`. The kernel enables all of them or none
/// (cgroup_subtree_control_write in kernel/cgroup/cgroup.c).
fn enable(file: &Descriptor, step: &Step, mut words: u64, scratch: &mut Scratch) -> Result<(), Errno> {
    scratch.clear();
    for name in step.words() {
        if words & 1 != 0 {
            scratch.add(CStrPtr::new(c" +"));
            scratch.add(name);
        }
        words >>= 1;
    }
    write_whole(file, scratch.bytes())
}
