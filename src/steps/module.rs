//! The step that brings something of the initramfs into the kernel.

use crate::sys::Errno;
use crate::sys::file::{allow_existing, open_to_read, unlink};
use language::CStrPtr;

/// How the names of modules end that the kernel has to decompress.
const COMPRESSED: [CStrPtr; 3] = [CStrPtr::new(c".gz"), CStrPtr::new(c".xz"), CStrPtr::new(c".zst")];

/// `module PATH [PARAMS]`: frees the file when it is loaded; one that is loaded already is fine.
pub fn module(path: CStrPtr, parameters: CStrPtr) -> Result<(), Errno> {
    let is_compressed = COMPRESSED.iter().any(|end| path.ends_with(*end));
    allow_existing(open_to_read(path)?.load_module(parameters, is_compressed))?;
    unlink(path)
}
