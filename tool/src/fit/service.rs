//! A step `exec`: whether its program is in the new root by then, and what to write if it is not.

use super::new_root::Found;
use super::{Fitting, Running};
use crate::plan::{Step, nearest};

impl Fitting<'_> {
    pub(super) fn exec(&mut self, step: &Step) {
        let path = step.word(1);
        match self.root.resolve(path) {
            Found::File { path, name } => {
                // Whoever carried it, this is where it has to run.
                self.programs.retain(|running| running.name != name);
                self.programs.push(Running { step: step.clone(), path, name, is_program: true });
            }
            Found::Directory(_) => self.tell(step, 1, format!("exec {path}: a directory")),
            Found::Unknown => {}
            Found::Missing => {
                let hint = match (self.knows_tree, self.tree.contains(path)) {
                    (false, _) => self.not_carried(path),
                    (true, true) => format!(": it is in the initramfs; carry it by `bind {path}`"),
                    (true, false) => format!(", nor in the initramfs{}", self.elsewhere(path)),
                };
                self.tell(step, 1, format!("exec {path}: not in the new root{hint}"));
            }
        }
    }

    /// What was probably meant, where nothing is known of the initramfs.
    fn not_carried(&self, path: &str) -> String {
        let same_name = |file: &&str| file.rsplit('/').next() == path.rsplit('/').next();
        if self.root.files().any(|file| file == path) {
            return ": a later step covers it: carry it after that one".to_string();
        }
        match self.root.files().find(same_name).or_else(|| nearest(path, self.root.files())) {
            Some(meant) => format!(": did you mean {meant}?"),
            None => format!(": no step carries it: `bind {path}` before this one"),
        }
    }

    /// Where a file of that name lies instead.
    pub(super) fn elsewhere(&self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or_default();
        let same = |found: &str| found.rsplit('/').next() == Some(name) && !name.is_empty();
        let found = self.tree.entries().find(|(found, ..)| same(found));
        found.map_or(String::new(), |(found, ..)| format!("; there is {found}"))
    }
}
