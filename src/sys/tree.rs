//! A directory and its entries. No lookup follows a symlink; those by [`Parent`] stay on its mount, too.

use super::call::{Errno, call};
use super::file::Descriptor;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use language::CStrPtr;
use linux_raw_sys::general::{
    AT_FDCWD, AT_REMOVEDIR, DT_DIR, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY, RESOLVE_IN_ROOT,
    RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, linux_dirent64, open_how,
};

/// The directory in which an entry is looked up: a descriptor, or AT_FDCWD.
#[derive(Clone, Copy)]
pub struct Parent<'d>(i32, PhantomData<&'d Descriptor>);

impl<'d> Parent<'d> {
    pub const WORKING_DIRECTORY: Self = Self(AT_FDCWD, PhantomData);

    pub fn directory(&Descriptor(number): &'d Descriptor) -> Self {
        Self(number as i32, PhantomData)
    }

    /// `openat2(path, O_PATH | O_NOFOLLOW)`: opens anything, a symlink itself too: openat2(2), since Linux 5.6. ELOOP of a path through a
    /// symlink, EXDEV of one to another mount.
    pub fn find(self, path: CStrPtr) -> Result<Descriptor, Errno> {
        open(self.0, path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
    }

    /// `openat2(path, O_RDONLY | O_DIRECTORY)`: opens a directory to list it. Fails as [`find`](Self::find) does.
    pub fn open_directory(self, path: CStrPtr) -> Result<Descriptor, Errno> {
        open(self.0, path, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
    }

    /// `unlinkat(name)`, with AT_REMOVEDIR for a directory: unlink(2), rmdir(2).
    pub fn remove(self, name: CStrPtr, is_directory: bool) -> Result<(), Errno> {
        let flags = if is_directory { AT_REMOVEDIR } else { 0 };
        // SAFETY: `name` is NUL-terminated.
        unsafe { call!(unlinkat, self.0, name.as_ptr(), flags) }.done()
    }
}

/// `openat2(path, O_PATH, RESOLVE_IN_ROOT)`: opens anything, with the working directory as `/`: openat2(2). ELOOP of a path through a
/// symlink, ENOSYS before Linux 5.6.
pub fn find_below_working_directory(path: CStrPtr) -> Result<Descriptor, Errno> {
    open(AT_FDCWD, path, O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT)
}

fn open(directory: i32, path: CStrPtr, flags: u32, resolve: u32) -> Result<Descriptor, Errno> {
    let how = open_how { flags: (flags | O_CLOEXEC).into(), mode: 0, resolve: resolve.into() };
    // SAFETY: `path` is NUL-terminated, and the kernel reads a struct of this size.
    unsafe { call!(openat2, directory, path.as_ptr(), &raw const how, size_of::<open_how>()) }.value().map(Descriptor)
}

/// Lists a directory. A name has at most 255 bytes, so at least two entries fit.
pub struct Entries {
    memory: MaybeUninit<[linux_dirent64; 32]>,
    at: usize,
    end: usize,
}

impl Entries {
    pub const fn new() -> Self {
        Self { memory: MaybeUninit::uninit(), at: 0, end: 0 }
    }

    /// `getdents64(directory)`: the next entry's inode number, whether it is a directory, and its name; none at the end: getdents(2).
    pub fn next(&mut self, directory: &Descriptor) -> Result<Option<(u64, bool, CStrPtr<'_>)>, Errno> {
        if self.at == self.end {
            let memory = size_of_val(&self.memory);
            // SAFETY: the kernel writes at most that many bytes.
            let length = unsafe { call!(getdents64, directory.0, self.memory.as_mut_ptr(), memory) }.value()?;
            (self.at, self.end) = (0, length as usize);
            if length == 0 {
                return Ok(None);
            }
        }
        // SAFETY: the kernel has written whole entries up to `end`, each of which says where the next begins, and whose name
        // ends with NUL: filldir64 in fs/readdir.c.
        unsafe {
            let entry = self.memory.as_ptr().cast::<linux_dirent64>().byte_add(self.at);
            self.at += usize::from((*entry).d_reclen);
            let name = CStrPtr::from_ptr((&raw const (*entry).d_name).cast());
            Ok(Some(((*entry).d_ino, u32::from((*entry).d_type) == DT_DIR, name)))
        }
    }
}
