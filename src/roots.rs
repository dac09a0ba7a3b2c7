//! The two roots of a boot, and which of them `/` is. No other file calls chroot(2) or moves a root.
//!
//! Holds on entry: `/` and the working directory are the root of the initramfs.
//! Holds on exit, after [`hand_over`](Roots::hand_over): `/` is the new root, and no path leads to the initramfs, but it is still
//! the working directory.
//!
//! The new root is mounted on a directory of the initramfs, and the working directory stays in the initramfs. So each root is
//! one chroot(2) away, whichever `/` is; paths in each are looked up with its own symlinks, and `..` leads out of neither.

use crate::sys::Errno;
use crate::sys::file::{DIRECTORY_MODE, allow_existing, make_directory, open_to_read};
use crate::sys::mount::{chroot, mount, move_root};
use heapless::{Vec, VecView};
use language::{CStrPtr, MAX_LEN};

/// Where the new root is mounted, from the working directory.
const NEW_ROOT: CStrPtr = CStrPtr::new(c".moveroot");
const HERE: CStrPtr = CStrPtr::new(c".");
const TMPFS: CStrPtr = CStrPtr::new(c"tmpfs");
const PROC: CStrPtr = CStrPtr::new(c"proc");
/// The mounts below `/`, in a procfs on [`NEW_ROOT`]: proc_pid_mounts(5).
const MOUNTS: CStrPtr = CStrPtr::new(c".moveroot/self/mounts");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Initramfs,
    New,
    /// The new root, which covers the initramfs: no path leads there any more.
    HandedOver,
}

/// Inode numbers of what was bound. It cannot overflow: `bind /` is the shortest line that adds one.
pub type Bound = Vec<u64, { MAX_LEN / "bind /\n".len() }>;

pub struct Roots<'b> {
    /// Which of them `/` is.
    root: Root,
    /// Files and directories of the initramfs that `drop` must keep, because they are in the new root too.
    pub bound: &'b mut Bound,
}

impl<'b> Roots<'b> {
    pub fn new(bound: &'b mut Bound) -> Self {
        Self { root: Root::Initramfs, bound }
    }

    /// Makes `/` the initramfs.
    pub fn enter_initramfs(&mut self) -> Result<(), Errno> {
        self.enter(Root::Initramfs)
    }

    /// Makes `/` the new root.
    pub fn enter_new_root(&mut self) -> Result<(), Errno> {
        self.enter(Root::New)
    }

    /// Mounts the new root, a tmpfs.
    pub fn mount_new_root(&mut self, flags: u32, options: CStrPtr) -> Result<(), Errno> {
        allow_existing(make_directory(NEW_ROOT, DIRECTORY_MODE))?;
        mount(TMPFS, NEW_ROOT, TMPFS, flags, options)
    }

    /// To be called after a mount or an unmount in the new root. If it was on `/`, what is mounted there now becomes the new root: a
    /// process's root stays below such a mount until chroot(2) looks it up again.
    pub fn follow_mount_on(&mut self, target: CStrPtr) -> Result<(), Errno> {
        // `//` and `/.` are `/` too. For another name of dots, such as `/...`, the call changes nothing.
        if target.bytes().all(|byte| matches!(byte, b'/' | b'.')) { chroot(NEW_ROOT) } else { Ok(()) }
    }

    /// Moves the new root over the initramfs. May be called again, after a failure or for a second `exec`; but from then on neither
    /// root can be entered.
    pub fn hand_over(&mut self) -> Result<(), Errno> {
        if self.root != Root::HandedOver {
            self.enter(Root::New)?;
            move_root(NEW_ROOT, HERE)?;
            self.root = Root::HandedOver;
        }
        Ok(())
    }

    /// Reads /proc/mounts, after the hand-over, from a procfs that is mounted for this: the plan may have mounted none.
    pub fn read_mounts(&self, text: &mut VecView<u8>) -> Result<(), Errno> {
        mount(PROC, NEW_ROOT, PROC, 0, CStrPtr::EMPTY)?;
        open_to_read(MOUNTS)?.read_to_end(text)
    }

    fn enter(&mut self, root: Root) -> Result<(), Errno> {
        if self.root != root {
            chroot(if root == Root::New { NEW_ROOT } else { HERE })?;
            self.root = root;
        }
        Ok(())
    }
}
