//! Mounts, and the two roots that a boot has: the initramfs, where the working directory stays until the service
//! runs, and the new root, mounted over it.

use super::arguments::*;
use super::rows::Row;
use syscalls::Sysno;

/// `mount(source, target, kind, NUMBER, data)`, a new filesystem or whatever the flags say: mount(2).
pub const fn mount(source: Argument, target: Argument, kind: Argument, data: Argument) -> Row {
    Row::call(Sysno::mount, [source, target, kind, NUMBER, data])
}

/// `open_tree(path, OPEN_TREE_CLONE)`: a bind mount of `path` that isn't anywhere yet: open_tree(2).
pub const fn clone_mount(path: Argument) -> Row {
    Row::call(Sysno::open_tree, [AT, path, CLONE]).into(FILE)
}

/// `move_mount(tree, target)`: puts it onto `target`: move_mount(2).
pub const fn attach_mount(tree: Argument, target: Argument) -> Row {
    Row::call(Sysno::move_mount, [tree, EMPTY, AT, target, FILE_ITSELF])
}

/// `chroot(NEW_ROOT)` or `chroot(INITRAMFS)`: where `/` is from here on. Called again, it changes nothing. chroot(2).
pub const fn enter(root: Argument) -> Row {
    Row::call(Sysno::chroot, [root])
}

/// `chdir("/")`, chdir(2): leaves the initramfs.
pub const fn leave_initramfs() -> Row {
    Row::call(Sysno::chdir, [SLASH]).into(COPY)
}

/// `fchdir(folder)`: chdir(2).
pub const fn return_to(folder: Argument) -> Row {
    Row::call(Sysno::fchdir, [folder])
}
