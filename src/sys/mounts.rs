//! Mounts, and the two roots that a boot has: the initramfs, where the working directory stays until the service
//! runs, and the new root, mounted over it.

use super::call::call;
use super::{Descriptor, Errno, Name};
use linux_raw_sys::errno::EINTR;
use linux_raw_sys::general::{AT_FDCWD, MOVE_MOUNT_F_EMPTY_PATH, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE};

const HERE: usize = AT_FDCWD as usize;

/// `mount(source, target, kind, flags, data)`, a new filesystem or whatever the flags say: mount(2).
pub fn mount(source: Name, target: Name, kind: Name, flags: u32, data: Name) -> Result<(), Errno> {
    let (source, target, kind, data) = (source.address(), target.address(), kind.address(), data.address());
    // SAFETY: four NUL-terminated strings; the kernel copies them before it answers.
    unsafe { call!(mount, source, target, kind, flags, data) }.done()
}

/// `open_tree(path, OPEN_TREE_CLONE)`: a bind mount of `path` that isn't anywhere yet: open_tree(2).
#[inline(always)]
pub fn clone_mount(path: Name) -> Result<Descriptor, Errno> {
    // SAFETY: `path` is NUL-terminated.
    unsafe { call!(open_tree, HERE, path.address(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) }.value().map(Descriptor)
}

/// `move_mount(tree, target)`: puts it onto `target`: move_mount(2).
#[inline(always)]
pub fn attach_mount(tree: Descriptor, target: Name) -> Result<(), Errno> {
    let (nothing, flags) = (Name::literal(c"").address(), MOVE_MOUNT_F_EMPTY_PATH as usize);
    // SAFETY: two NUL-terminated paths.
    unsafe { call!(move_mount, tree.0, nothing, HERE, target.address(), flags) }.done()
}

/// `chroot("/..")`: `/` is the new root from here on. At the root `..` leads nowhere but onto what is mounted over
/// it (path_resolution(7); follow_dotdot and handle_mounts in fs/namei.c): the topmost mount, which the plan's `root`
/// has put there. Called again, it changes nothing. Where a signal comes between, it is: a step whose work is done by
/// then must not be run again.
#[inline(never)]
pub fn enter_new_root() -> Result<(), Errno> {
    chroot(Name::literal(c"/.."))
}

/// `chroot(".")`: `/` is the initramfs, because the working directory is there.
#[inline(never)]
pub fn enter_initramfs() -> Result<(), Errno> {
    chroot(Name::literal(c"."))
}

fn chroot(path: Name) -> Result<(), Errno> {
    loop {
        // SAFETY: `path` is NUL-terminated.
        let answer = unsafe { call!(chroot, path.address()) };
        if !answer.is(Errno::of(EINTR)) {
            return answer.done();
        }
    }
}

/// `chdir("/")`, chdir(2): leaves the initramfs; the way back, `open(".", O_PATH)`.
#[inline(always)]
pub fn leave_initramfs() -> Result<Descriptor, Errno> {
    let back = super::files::open_folder(Name::literal(c"."))?;
    // SAFETY: the path is NUL-terminated.
    unsafe { call!(chdir, Name::literal(c"/").address()) }.done()?;
    Ok(back)
}

/// `fchdir(back)`: back to the initramfs, chdir(2).
#[inline(always)]
pub fn return_to_initramfs(back: Descriptor) -> Result<(), Errno> {
    // SAFETY: no memory is touched.
    unsafe { call!(fchdir, back.0) }.done()
}
