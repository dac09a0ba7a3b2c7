//! The new root: a tmpfs, mounted over the initramfs's own root.
//!
//! Holds on entry: `/` is the initramfs. Holds on exit: `/` is the new root, the working directory still is in the
//! initramfs. So a plan's paths are right as they stand, and nothing has to be moved when the service takes over.

use crate::plan::Step;
use crate::sys::{self, Errno, Name};

/// The options of a plan that names none.
const OPTIONS: Name = Name::literal(c"size=128m,mode=0755");

/// `root [OPTIONS]`.
pub fn build(step: &Step) -> Result<(), Errno> {
    let tmpfs = Name::literal(c"tmpfs");
    let options = if step.words[1].is_none() { OPTIONS } else { *step.words[1] };
    sys::mount(tmpfs, Name::literal(c"/"), tmpfs, step.number, options)?;
    sys::enter_new_root()
}
