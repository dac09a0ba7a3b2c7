//! The steps that furnish the new root: whether what they make can be made, and is not there already.

use language::Verb;
use libc::{MS_BIND, MS_NOEXEC};

use super::Fitting;
use super::before::MOST_FILES_PATH;
use super::new_root::Found;
use crate::plan::Step;

impl Fitting<'_> {
    /// `root` and `mount`.
    pub(super) fn mount(&mut self, step: &Step) {
        let target = if step.verb == Verb::Root { "/" } else { step.word(2) };
        let target = self.root.mount_point(target);
        let has = |flags: u32, bit: u64| u64::from(flags) & bit != 0;
        // A change and a bind keep what is said nothing of: src/steps/furnish.rs.
        let before = match step.changes_a_mount() {
            true => self.root.noexec(&target),
            false if !has(step.flags.set, MS_BIND) => None,
            false => self.root.noexec(&self.root.mount_point(step.word(1))),
        };
        let noexec = match has(step.flags.set, MS_NOEXEC) {
            true => Some(step.line),
            false => before.filter(|_| !has(step.flags.cleared, MS_NOEXEC)),
        };
        if step.changes_a_mount() {
            return self.root.remount(&target, noexec);
        }
        self.room.open(&target, step);
        let kind = if step.verb == Verb::Root { "tmpfs" } else { step.word(3) };
        self.root.mount(&target, kind, noexec);
    }

    pub(super) fn dir(&mut self, step: &Step) {
        match self.root.resolve(step.word(1)) {
            Found::File { .. } => {
                self.tell(step, 1, format!("{}: a file is there already: leave the line out", step.word(1)))
            }
            Found::Missing => self.root.directory(step.word(1)),
            Found::Directory(_) | Found::Unknown => {}
        }
    }

    pub(super) fn link(&mut self, step: &Step) {
        let (target, path) = (step.word(1), step.word(2));
        match self.root.kind_at(path) {
            Some(there) if there != target => {
                self.tell(step, 2, format!("{path}: there is something else already: link another path"))
            }
            _ => self.root.link(path, target),
        }
    }

    pub(super) fn write(&mut self, step: &Step) {
        let path = step.word(1);
        self.has_raised_files |= path == MOST_FILES_PATH;
        match self.root.resolve(path) {
            Found::Missing => {
                let hint = "carry one by copy, or mount what has it";
                self.tell(step, 1, format!("{path}: no step makes this file, and write makes none: {hint}"));
            }
            Found::Directory(_) => self.tell(step, 1, format!("{path}: a directory: name a file in it")),
            Found::File { .. } | Found::Unknown => {}
        }
    }

    pub(super) fn controllers(&mut self, step: &Step) {
        if !self.root.may_be_cgroup2("/sys/fs/cgroup") {
            let line = "mount cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec";
            self.tell(step, 0, format!("controllers: before it cgroup2 must be mounted: {line}"));
        }
    }
}
