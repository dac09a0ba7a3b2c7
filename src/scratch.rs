//! Scratch buffer for text being built: mount options, names of controllers, a message. Nothing in it survives a call.

use crate::sys::Errno;
use crate::sys::file::{PathBuffer, read_symlink};
use language::CStrPtr;
use ufmt::uwrite;

/// What is longer is cut. A controller has no such name, and a message must not be too long as a whole.
const MAX_TEXT: usize = 240;

/// As much as mount(2) takes of options, too.
pub struct Scratch(PathBuffer);

impl Scratch {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Its memory, for a path that is put together.
    pub fn buffer(&mut self) -> &mut PathBuffer {
        &mut self.0
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The target of a symlink: readlink(2).
    pub fn read_symlink(&mut self, path: CStrPtr) -> Result<CStrPtr<'_>, Errno> {
        read_symlink(path, &mut self.0)?;
        Ok(self.c_str())
    }

    /// What is in it as a C string, without the last byte where it is full.
    pub fn c_str(&mut self) -> CStrPtr<'_> {
        self.0.truncate(self.0.capacity() - 1);
        let _ = self.0.push(0);
        CStrPtr::terminated(&self.0).unwrap_or(CStrPtr::EMPTY)
    }

    /// Adds a byte; nothing where it is full.
    #[inline(never)] // 80 bytes: each place that pushes has its own check otherwise
    pub fn push(&mut self, byte: u8) {
        let _ = self.0.push(byte);
    }

    /// Adds a text, of a long one the beginning.
    pub fn add(&mut self, text: CStrPtr) {
        text.bytes().take(MAX_TEXT).for_each(|byte| self.push(byte));
    }

    /// Adds a number in decimal digits.
    pub fn add_number(&mut self, number: u16) {
        let _ = uwrite!(self.0, "{}", number);
    }
}
