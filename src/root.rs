//! The new root: a tmpfs, mounted over the initramfs's own root.
//!
//! Holds on entry: `/` is the initramfs. Holds on exit: `/` is the new root, the working directory still is in the
//! initramfs. So a plan's paths are right as they stand, and nothing has to be moved when the service takes over.

use crate::line::{MAX_TEXT, add, add_text};
use crate::sys::*;
use crate::texts::{self, Packed};
use linux_raw_sys::errno::ENAMETOOLONG;

/// Large pages for large files: shmem_huge_global_enabled in mm/shmem.c. Since Linux 6.14 a write of 2 MB then takes
/// half the time, and no file takes more than its size; docs/performance.md has the figures. And a tmpfs is open to everybody
/// where nobody says otherwise. The plan may: the last of several options holds.
const BEFORE: Packed = texts::ROOT;
/// The length of the first of these, the large pages, with its comma.
const HUGE: usize = {
    let options = texts::TEXTS[BEFORE.0 as usize].as_bytes();
    let mut length = 1;
    while options[length - 1] != b',' {
        length += 1;
    }
    length
};

/// `root [OPTIONS]`. A kernel without large pages refuses `huge`, whatever else there is: then without it.
pub fn build(frame: &mut Frame) -> Result<(), Errno> {
    frame.line.clear();
    let options = *frame.words[1];
    add(frame.line, BEFORE, options);
    if options.is_none() {
        add_text(frame.line, texts::ROOT_SIZE);
    }
    // Longer than that, some of it may have been left out.
    if frame.line.len() > MAX_TEXT {
        return Err(Errno::of(ENAMETOOLONG));
    }
    let mount = rows!(mount(TMPFS, SLASH, TMPFS, TEXT), enter(NEW_ROOT));
    let mut result = frame.run_with_line(0, mount);
    if result.is_err() {
        result = frame.run_with_line(HUGE, mount);
    }
    result
}
