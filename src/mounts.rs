//! The steps that furnish the new root: folders, links, mounts, and what is written into the kernel's files.
//!
//! Holds on entry: `/` is the new root. Holds on exit: the same.

use crate::line::{Line, add};
use crate::plan::Step;
use crate::sys::{self, Descriptor, Errno, Name, Word};
use linux_raw_sys::errno::{EEXIST, EIO};

const EXISTS: Errno = Errno::of(EEXIST);
/// A folder's bits that mkdir(2) takes from its argument whatever the umask, 022.
const MKDIR_MODE: u32 = 0o1755;
const MOUNT_POINT_MODE: u32 = 0o755;

/// `dir PATH [MODE]`: one that is there already stays as it is.
pub fn dir(step: &Step) -> Result<(), Errno> {
    let (path, mode) = (step.words[1], step.number);
    match sys::make_folder(path, mode) {
        Err(EXISTS) => sys::open_folder(*path).map(drop),
        Ok(()) if mode & !MKDIR_MODE != 0 => sys::set_mode(*path, mode),
        other => other,
    }
}

/// `link TARGET PATH`.
pub fn link(step: &Step) -> Result<(), Errno> {
    let (target, path) = (*step.words[1], step.words[2]);
    match sys::make_link(target, path) {
        Err(EXISTS) if sys::is_link_to(*path, target) => Ok(()),
        other => other,
    }
}

/// `mount SOURCE TARGET FSTYPE [OPTIONS]`. What is mounted over `/` is the new root from then on.
pub fn mount(step: &Step) -> Result<(), Errno> {
    let [_, source, target, kind, data, ..] = step.words;
    match sys::make_folder(target, MOUNT_POINT_MODE) {
        Ok(()) | Err(EXISTS) => {}
        other => return other,
    }
    sys::mount(*source, *target, *kind, step.number, *data)?;
    if target.bytes().eq([b'/']) { sys::enter_new_root() } else { Ok(()) }
}

/// `write PATH TEXT…`.
pub fn write(step: &Step) -> Result<(), Errno> {
    let file = sys::open_to_write(*step.words[1])?;
    match sys::write_name(file, *step.words[2])? {
        0 => Ok(()),
        _ => Err(Errno::of(EIO)),
    }
}

/// `controllers NAME…`: all in one write, or, if the kernel refuses that, one by one. After a failure the step has
/// the refused ones left.
#[inline(never)]
pub fn controllers(step: &mut Step) -> Result<(), Errno> {
    let file = sys::open_to_write(Name::literal(c"/sys/fs/cgroup/cgroup.subtree_control"))?;
    let [_, names @ ..] = &mut step.words;
    let mut result = enable(file, names);
    if result.is_err() {
        result = Ok(());
        for name in names {
            match enable(file, &[*name]) {
                Ok(()) => *name = Word::NONE,
                refused => result = refused,
            }
        }
    }
    result
}

/// One write of `+NAME` for each, which takes all of them or none (cgroup_subtree_control_write): EIO if it took some;
/// no write for none.
#[inline(never)]
fn enable(file: Descriptor, names: &[Word]) -> Result<(), Errno> {
    let mut line = Line::new();
    for name in names {
        if !name.is_none() {
            add(&mut line, Name::literal(c" +"), 0);
            add(&mut line, **name, 0);
        }
    }
    if line.is_empty() || sys::write(file, &line)? == line.len() { Ok(()) } else { Err(Errno::of(EIO)) }
}
