//! What the kernel itself is given.

use super::call::call;
use super::{Descriptor, Errno, Name};

/// include/uapi/linux/module.h; linux-raw-sys has no constant of that header's.
const MODULE_INIT_COMPRESSED_FILE: usize = 4;

/// `finit_module(file, parameters, flags)`: init_module(2). A compressed one the kernel itself decompresses, since
/// Linux 5.17 and where it is set up to (CONFIG_MODULE_DECOMPRESS).
#[inline(always)]
pub fn load_module(file: Descriptor, parameters: Name, is_compressed: bool) -> Result<(), Errno> {
    let flags = if is_compressed { MODULE_INIT_COMPRESSED_FILE } else { 0 };
    // SAFETY: `parameters` is NUL-terminated.
    unsafe { call!(finit_module, file.0, parameters.address(), flags) }.done()
}
