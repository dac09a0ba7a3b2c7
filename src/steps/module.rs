//! The step that brings something of the initramfs into the kernel.

use crate::sys::Errno;
use crate::sys::file::{allow_existing, open_to_read, unlink};
use language::CStrPtr;

/// `module PATH [PARAMS]`: frees the file when it is loaded; one that is loaded already is fine. Compressed if the name ends in .gz, .xz or .zst.
pub fn module(path: CStrPtr, parameters: CStrPtr) -> Result<(), Errno> {
    let is_compressed = path.ends_with(c".gz") || path.ends_with(c".xz") || path.ends_with(c".zst");
    allow_existing(open_to_read(path)?.load_module(parameters, is_compressed))?;
    unlink(path)
}
