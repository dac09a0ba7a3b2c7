//! The step that brings something of the initramfs into the kernel.

use crate::sys::Errno;
use crate::sys::file::{allow_existing, open_to_read};
use language::CStrPtr;

/// `module PATH [PARAMS]`: one that is loaded already is fine. Compressed if the name ends in .gz, .xz or .zst.
pub fn module(path: CStrPtr, parameters: CStrPtr) -> Result<(), Errno> {
    let endings: [&[u8]; 3] = [b".gz", b".xz", b".zst"];
    let is_compressed = endings.iter().any(|ending| path.to_bytes().ends_with(ending));
    allow_existing(open_to_read(path)?.load_module(parameters, is_compressed))
}
