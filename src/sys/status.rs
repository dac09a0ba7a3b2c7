//! What the kernel tells of a file that is open.

use super::call::call;
use super::{Descriptor, Errno};
use core::mem::MaybeUninit;
use linux_raw_sys::general::{S_IFDIR, S_IFMT, S_IFREG, stat};

/// What fstat(2) tells of a file.
#[repr(transparent)]
pub struct Status(stat);

impl Status {
    /// `fstat(file)`: stat(2). What it tells goes into `room`, so that it needn't be moved there.
    #[inline(always)]
    pub fn of(file: Descriptor, room: &mut MaybeUninit<Self>) -> Result<&Self, Errno> {
        // SAFETY: there is the room of a struct stat, and the kernel fills it whole: cp_new_stat in fs/stat.c.
        unsafe {
            call!(fstat, file.0, room.as_mut_ptr()).done()?;
            Ok(room.assume_init_ref())
        }
    }

    pub fn is_file(&self) -> bool {
        self.0.st_mode & S_IFMT == S_IFREG
    }

    pub fn is_folder(&self) -> bool {
        self.0.st_mode & S_IFMT == S_IFDIR
    }

    /// The permission bits with set-uid, set-gid and sticky.
    pub fn mode(&self) -> u32 {
        self.0.st_mode & !S_IFMT
    }

    /// User and group.
    pub fn owner(&self) -> (u32, u32) {
        (self.0.st_uid, self.0.st_gid)
    }

    /// Bytes.
    pub fn size(&self) -> usize {
        self.0.st_size as usize
    }

    /// Bytes of the pages that it has: fewer than its size where it has holes.
    pub fn stored(&self) -> usize {
        // In units of 512: stat(2).
        (self.0.st_blocks as usize) << 9
    }
}
