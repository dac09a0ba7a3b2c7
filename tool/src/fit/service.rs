//! A step `exec`: whether its program is in the new root by then, and what to write if it is not.

use super::new_root::Found;
use super::{Fitting, Running};
use crate::initramfs::Content;
use crate::plan::{Step, nearest};

impl Fitting<'_> {
    pub(super) fn exec(&mut self, step: &Step) {
        let path = step.word(1);
        match self.root.resolve(path) {
            Found::File { path, name } => {
                self.ensure_executable(step, &path);
                // Whoever carried it, this is where it has to run.
                self.programs.retain(|running| running.name != name);
                self.programs.push(Running { step: step.clone(), path, name, is_program: true });
            }
            Found::Directory(_) => self.tell(step, 1, format!("exec {path}: a directory: name the program in it")),
            Found::Unknown => self.ensure_executable(step, &self.root.real(path)),
            Found::Missing => {
                let hint = match (self.knows_tree, self.tree.resolve(path)) {
                    (false, _) => self.not_carried(path),
                    (true, Some(real)) => self.not_reached(path, &real),
                    (true, None) => {
                        let hint = || format!(": put it there, and carry it by `bind {path}`");
                        format!(", nor in the initramfs{}", self.elsewhere(path).unwrap_or_else(hint))
                    }
                };
                self.tell(step, 1, format!("exec {path}: not in the new root{hint}"));
            }
        }
    }

    /// A mount may forbid it.
    fn ensure_executable(&mut self, step: &Step, path: &str) {
        if let Some(line) = self.root.noexec(path) {
            let text =
                format!("exec {path}: line {line} mounts it noexec: leave noexec out there, or carry it elsewhere");
            self.tell(step, 1, text);
        }
    }

    /// What the initramfs has at this path, by a link or not.
    fn not_reached(&self, path: &str, real: &str) -> String {
        match self.root.kind_at(path) {
            Some(target) if real != path => format!(": a symlink to {target}: carry that by `bind {real}`"),
            _ => format!(": it is in the initramfs; carry it by `bind {path}`"),
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

    /// Where a file of that name lies instead, or where a symlink leads that is there.
    pub(super) fn elsewhere(&self, path: &str) -> Option<String> {
        if let Some(Content::Symlink(target)) = self.tree.at(path) {
            return Some(format!("; there is a symlink to {target}: put that there"));
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let same = |found: &str| found.rsplit('/').next() == Some(name) && !name.is_empty();
        let found = self.tree.entries().find(|(found, ..)| same(found));
        found.map(|(found, ..)| format!("; there is {found}"))
    }
}
