//! The step that makes the new root.

use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::sys::Errno;
use language::CStrPtr;
use linux_raw_sys::errno::ENAMETOOLONG;

/// Large pages for large files: shmem_huge_global_enabled in mm/shmem.c. Since Linux 6.14 a write of 2 MB then takes half the
/// time, and no file takes more than its size: docs/performance.md.
const HUGE: CStrPtr = CStrPtr::new(c"huge=within_size,");
/// A tmpfs is open to everybody where nobody says otherwise.
const MODE: CStrPtr = CStrPtr::new(c"mode=0755,");
/// Where the plan has none.
const OPTIONS: CStrPtr = CStrPtr::new(c"size=128m");

/// `root [OPTIONS]`: of two values for an option, the later one, which is the plan's, holds. A kernel without large pages
/// refuses HUGE, whatever else there is: then without it.
pub fn root(options: CStrPtr, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    mount_with(HUGE, options, roots, scratch).or_else(|_| mount_with(CStrPtr::EMPTY, options, roots, scratch))
}

fn mount_with(huge: CStrPtr, options: CStrPtr, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    scratch.clear();
    scratch.add(huge);
    scratch.add(MODE);
    let flags = scratch.add_options(if options.is_empty() { OPTIONS } else { options });
    if scratch.is_full() {
        return Err(Errno::of(ENAMETOOLONG));
    }
    roots.mount_new_root(flags.set, scratch.c_str())
}
