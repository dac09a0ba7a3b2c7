//! The step that makes the new root.

use crate::plan::Step;
use crate::roots::Roots;
use crate::scratch::Scratch;
use crate::sys::Errno;

/// `root [OPTIONS]`: tries large pages first. A kernel without them refuses the option, so after any failure tries again without: what
/// that fails with is reported.
pub fn root(step: &Step, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    mount_new_root(step, true, roots, scratch).or_else(|_| mount_new_root(step, false, roots, scratch))
}

fn mount_new_root(step: &Step, large_pages: bool, roots: &mut Roots, scratch: &mut Scratch) -> Result<(), Errno> {
    let (flags, options) = step.root_options(large_pages, scratch)?;
    roots.mount_new_root(flags, options)
}
