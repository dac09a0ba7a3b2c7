//! The new root: a tmpfs, mounted over the initramfs's own root.
//!
//! Holds on entry: `/` is the initramfs. Holds on exit: `/` is the new root, the working directory still is in the
//! initramfs. So a plan's paths are right as they stand, and nothing has to be moved when the service takes over.

use crate::line::{Line, MAX_TEXT, add};
use crate::plan::Step;
use crate::sys::{self, Errno, Name, Place};
use core::ffi::CStr;
use linux_raw_sys::errno::ENAMETOOLONG;

/// The options of a plan that names none.
const OPTIONS: Name = Name::literal(c"size=128m");

/// Large pages for large files: shmem_huge_global_enabled in mm/shmem.c. Since Linux 6.14 a write of 2 MB then takes
/// half the time, and no file takes more than its size; docs/performance.md has the figures.
const HUGE: &CStr = c"huge=within_size,";
/// A tmpfs is open to everybody where nobody says otherwise. The plan may: the last of several options holds.
const MODE: Name = Name::literal(c"mode=0755,");

/// `root [OPTIONS]`. A kernel without large pages refuses HUGE, whatever else there is: then without it.
#[inline(never)]
pub fn build(step: &Step) -> Result<(), Errno> {
    let wanted = if step.words[1].is_none() { OPTIONS } else { *step.words[1] };
    let mut line = Line::new();
    for text in [Name::literal(HUGE), MODE, wanted] {
        add(&mut line, text, 0);
    }
    // Longer than that, some of it may have been left out.
    if line.len() > MAX_TEXT {
        return Err(Errno::of(ENAMETOOLONG));
    }
    let _ = line.push(0);
    let options = *Place::begin(&mut line).word();
    if mount(step.number, options).is_err() {
        mount(step.number, options.strip_prefix(HUGE.to_bytes()).unwrap_or(options))?;
    }
    sys::enter_new_root()
}

#[inline(never)]
fn mount(flags: u32, options: Name) -> Result<(), Errno> {
    let tmpfs = Name::literal(c"tmpfs");
    sys::mount(tmpfs, Name::literal(c"/"), tmpfs, flags, options)
}
