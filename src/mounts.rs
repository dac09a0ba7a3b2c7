//! The steps that furnish the new root: folders, links, mounts, and what is written into the kernel's files.
//!
//! Holds on entry: `/` is the new root. Holds on exit: the same.

use crate::line::{add, add_word};
use crate::plan::Step;
use crate::sys::*;
use crate::texts;
use linux_raw_sys::errno::EIO;

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

/// `controllers NAME…`: all in one write, or, if the kernel refuses that, one by one. After a failure the step has
/// the refused ones left.
pub fn controllers(step: &mut Step) -> Result<(), Errno> {
    step.frame.run(rows!(open(CONTROLLERS, TO_WRITE)))?;
    let file = step.frame.file();
    enable(file, step.frame.words.get_mut(1..step.count).unwrap_or_default())
}

/// One write of `+NAME` for each, which takes all of them or none (cgroup_subtree_control_write): EIO if it
/// took some.
#[inline(never)]
fn enable(file: Descriptor, names: &mut [Word]) -> Result<(), Errno> {
    let mut line = Text::new();
    for name in &*names {
        if !name.is_none() {
            add(&mut line, texts::PLUS);
            add_word(&mut line, **name);
        }
    }
    let mut result = match write(file, &line) {
        Ok(written) if written < line.len() => Err(Errno::of(EIO)),
        other => other.map(drop),
    };
    if result.is_err() && names.len() > 1 {
        result = Ok(());
        for name in names {
            match enable(file, core::slice::from_mut(name)) {
                Ok(()) => *name = Word::NONE,
                refused => result = refused,
            }
        }
    }
    result
}
