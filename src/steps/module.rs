//! The step that loads a kernel module from the initramfs.

use crate::sys::Errno;
use crate::sys::file::{allow_existing, open_to_read, unlink};
use language::CStrPtr;

/// A module whose name ends so is left to the kernel to decompress.
const COMPRESSED: [CStrPtr; 3] = [CStrPtr::new(c".gz"), CStrPtr::new(c".xz"), CStrPtr::new(c".zst")];

/// `module PATH [PARAMS]`: loads it, unless it is loaded already, then deletes the file.
pub fn module(path: CStrPtr, parameters: CStrPtr) -> Result<(), Errno> {
    let is_compressed = COMPRESSED.iter().any(|end| path.ends_with(*end));
    allow_existing(open_to_read(path)?.load_module(parameters, is_compressed))?;
    unlink(path)
}
