//! Scratch buffer for text being built: mount options, names of controllers, a message. Nothing in it survives a call.

use crate::sys::Errno;
use crate::sys::file::read_symlink;
use heapless::Vec;
use language::{CStrPtr, MountFlags};

/// As much as mount(2) takes of options, and the kernel of a path, a NUL included.
const SIZE: usize = 4096;

/// What is longer is cut. A controller has no such name, and a message must not be too long as a whole.
const MAX_TEXT: usize = 240;

pub struct Scratch(Vec<u8, SIZE>);

impl Scratch {
    pub fn clear(&mut self) {
        self.0.clear();
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
        self.0.truncate(SIZE - 1);
        let _ = self.0.push(0);
        CStrPtr::terminated(&self.0).unwrap_or(CStrPtr::EMPTY)
    }

    /// Whether some of what was added is not in it.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
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
        if number > 9 {
            self.add_number(number / 10);
        }
        self.push(b'0' + (number % 10) as u8);
    }

    /// Adds what of mount options is the filesystem's, and returns the flags among them.
    pub fn add_options(&mut self, options: CStrPtr) -> MountFlags {
        MountFlags::take(options, |byte| self.push(byte))
    }
}
