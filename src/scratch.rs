//! Scratch buffer for text being built: mount options, names of controllers, a message. Nothing in it survives a call.

use crate::sys::Errno;
use crate::sys::file::{PathBuffer, read_symlink};
use language::CStrPtr;
use ufmt::uwrite;

/// How many bytes [`Scratch::add`] adds at most: no controller's name is as long, and one long argument must not fill a message.
const MAX_TEXT: usize = 240;

/// 4096 bytes: as long as a path, and as the options that mount(2) takes (copy_mount_options in fs/namespace.c).
pub struct Scratch(PathBuffer);

impl Scratch {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The buffer itself, for a path being built.
    pub fn buffer(&mut self) -> &mut PathBuffer {
        &mut self.0
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The target of a symlink: readlink(2). EINVAL if `path` is no symlink.
    pub fn read_symlink(&mut self, path: CStrPtr) -> Result<CStrPtr<'_>, Errno> {
        read_symlink(path, &mut self.0)?;
        Ok(self.c_str())
    }

    /// What it holds, as a C string; if it is full, without the last byte.
    pub fn c_str(&mut self) -> CStrPtr<'_> {
        self.0.truncate(self.0.capacity() - 1);
        let _ = self.0.push(0);
        CStrPtr::terminated(&self.0).unwrap_or(CStrPtr::EMPTY)
    }

    /// Adds a byte, or nothing if it is full.
    #[inline(never)] // 80 bytes: each place that pushes has its own check otherwise
    pub fn push(&mut self, byte: u8) {
        let _ = self.0.push(byte);
    }

    /// Adds a text, cut off after [`MAX_TEXT`] bytes.
    pub fn add(&mut self, text: CStrPtr) {
        text.bytes().take(MAX_TEXT).for_each(|byte| self.push(byte));
    }

    /// Adds a number in decimal digits.
    pub fn add_number(&mut self, number: u16) {
        let _ = uwrite!(self.0, "{}", number);
    }
}
