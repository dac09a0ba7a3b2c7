//! The new root: a tmpfs, mounted over the initramfs's own root.
//!
//! Holds on entry: `/` is the initramfs. Holds on exit: `/` is the new root, the working directory still is in the
//! initramfs. So a plan's paths are right as they stand, and nothing has to be moved when the service takes over.

use crate::line::{Line, MAX_TEXT, add};
use crate::plan::Step;
use crate::sys::{self, Errno, Name, Place};

/// The options of a plan that names none.
const OPTIONS: Name = Name::literal(c"size=128m,mode=0755");

/// Large pages for large files: shmem_huge_global_enabled in mm/shmem.c. Since Linux 6.14 a write of 2 MB then takes
/// half the time, and no file takes more than its size; docs/performance.md has the figures.
const HUGE: Name = Name::literal(c"huge=within_size,");

/// `root [OPTIONS]`. A kernel without large pages refuses HUGE, whatever else there is: then without it.
pub fn build(step: &Step) -> Result<(), Errno> {
    let options = if step.words[1].is_none() { OPTIONS } else { *step.words[1] };
    let mut line = Line::new();
    add(&mut line, HUGE, 0);
    add(&mut line, options, 0);
    let is_whole = line.len() < MAX_TEXT;
    let _ = line.push(0);
    if !is_whole || mount(step.number, *Place::begin(&mut line).word()).is_err() {
        mount(step.number, options)?;
    }
    sys::enter_new_root()
}

fn mount(flags: u32, options: Name) -> Result<(), Errno> {
    let tmpfs = Name::literal(c"tmpfs");
    sys::mount(tmpfs, Name::literal(c"/"), tmpfs, flags, options)
}
