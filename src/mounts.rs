//! The steps that furnish the new root: folders, links, mounts, and what is written into the kernel's files.
//!
//! Holds on entry: `/` is the new root. Holds on exit: the same.

use crate::line::add;
use crate::sys::*;
use crate::texts;

/// `dir PATH [MODE]`: one that is there already stays as it is.
pub const DIR: &[Row] =
    &[make_folder(FIRST, NUMBER), open(FIRST, AS_FOLDER).when(EXISTED), set_mode(FIRST, NUMBER).when(FRESH)];

/// `link TARGET PATH`.
pub const LINK: &[Row] = &[make_link(FIRST, SECOND), expect_same_link().when(EXISTED)];

/// `mount SOURCE TARGET FSTYPE [OPTIONS]`. What is mounted over `/` is the new root from then on.
pub const MOUNT: &[Row] =
    &[make_folder(SECOND, FOLDER_MODE), mount(FIRST, SECOND, THIRD, FOURTH), enter(NEW_ROOT).when(IF)];

/// `write PATH TEXT…`.
pub const WRITE: &[Row] = &[open(FIRST, TO_WRITE), write_text(FILE, SECOND), expect(ANSWER, LENGTH, BROKEN)];

/// `controllers NAME…`: what is written there is [`enable`]'s.
pub const CONTROLLERS_STEP: &[Row] = &[open(CONTROLLERS, TO_WRITE)];

/// One write of `+NAME` for each from a place up to another, or, if the kernel refuses that, one for each. It takes all of a write
/// or none (cgroup_subtree_control_write): EIO if it took some. After a failure the step has the refused ones left.
#[inline(never)]
pub fn enable(frame: &mut Frame, mut first: usize, end: usize) -> Result<(), Errno> {
    frame.line.clear();
    for place in first..end {
        let name = frame.word(place);
        add(frame.line, texts::PLUS, name);
    }
    let mut result = frame.run_with_line(0, rows!(write_text(FILE, TEXT), expect(ANSWER, LENGTH, BROKEN)));
    if result.is_err() && first + 1 < end {
        result = Ok(());
        while first < end {
            match enable(frame, first, first + 1) {
                Ok(()) => frame.leave_out(first),
                refused => result = refused,
            }
            first += 1;
        }
    }
    result
}
