//! What fstat(2) says of an open file.

use super::call::{Errno, call};
use super::file::Descriptor;
use core::mem::MaybeUninit;
use linux_raw_sys::general::{S_IFDIR, S_IFMT, S_IFREG, stat};

impl Descriptor {
    /// `fstat(file)`: stat(2). The kernel writes to `buffer`, so that the result is not copied.
    pub fn status<'b>(&self, buffer: &'b mut MaybeUninit<Status>) -> Result<&'b Status, Errno> {
        // SAFETY: there is memory for a struct stat, which the kernel fills whole: cp_new_stat in fs/stat.c.
        unsafe {
            call!(fstat, self.0, buffer.as_mut_ptr()).done()?;
            Ok(buffer.assume_init_ref())
        }
    }
}

/// A struct stat: stat(3type).
#[repr(transparent)]
pub struct Status(stat);

impl Status {
    pub fn is_file(&self) -> bool {
        self.0.st_mode & S_IFMT == S_IFREG
    }

    pub fn is_directory(&self) -> bool {
        self.0.st_mode & S_IFMT == S_IFDIR
    }

    /// The permission bits, with set-uid, set-gid and sticky.
    pub fn mode(&self) -> u32 {
        self.0.st_mode & !S_IFMT
    }

    /// The file's number in its filesystem.
    pub fn inode(&self) -> u64 {
        self.0.st_ino
    }

    /// User and group.
    pub fn owner(&self) -> (u32, u32) {
        (self.0.st_uid, self.0.st_gid)
    }

    /// In bytes.
    pub fn size(&self) -> usize {
        self.0.st_size as usize
    }

    /// How many bytes its pages take: fewer than its size if it has holes. The kernel counts in units of 512: stat(3type).
    pub fn stored(&self) -> usize {
        (self.0.st_blocks as usize) << 9
    }
}
