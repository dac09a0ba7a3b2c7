//! The steps that carry something of the initramfs: `copy` and `bind`.

use anyhow::Result;
use language::Verb;

use super::new_root::{Found, UNKNOWN};
use super::room::pages;
use super::{Fitting, Running};
use crate::initramfs::Content;
use crate::plan::Step;

impl Fitting<'_> {
    pub(super) fn carry(&mut self, step: &Step) -> Result<()> {
        let (source, target) = (step.word(1), step.target());
        self.tell_gone(step);
        if step.verb == Verb::Bind {
            self.bound.push((self.place(source), step.line));
        } else if !self.knows_tree {
            // Whether it works is not known, and it is meant to.
            self.goes(step);
        }
        let Some(name) = self.tree.resolve(source) else {
            self.missing(step);
            self.forget(target);
            return Ok(());
        };
        let content = self.tree.at(&name).unwrap_or(&Content::Directory);
        if step.verb == Verb::Copy {
            self.copy(step, &name, content)?
        } else {
            self.bind(step, &name, content)
        }
        let in_bin = target.rsplit('/').nth(1).is_some_and(|directory| ["bin", "sbin", "libexec"].contains(&directory));
        let mode = self.tree.rights_at(&name).map_or(0, |rights| rights.mode);
        if content.is_file() && (in_bin || mode & 0o111 != 0) {
            let path = target.to_string();
            self.programs.push(Running { step: step.clone(), path, name, is_program: in_bin });
        }
        Ok(())
    }

    /// So that what becomes of a step that fails is not reported once more.
    fn forget(&mut self, target: &str) {
        let target = self.root.mount_point(target);
        self.root.mount(&target, UNKNOWN, None);
    }

    pub(super) fn missing(&mut self, step: &Step) {
        let source = step.word(1);
        if !self.knows_tree {
            return;
        }
        let hint = self.elsewhere(source).unwrap_or_else(|| ": put it there, or leave the step out".into());
        self.tell(step, 1, format!("{} {source}: not in the initramfs{hint}", step.word(0)));
    }

    fn copy(&mut self, step: &Step, name: &str, content: &Content) -> Result<()> {
        let target = step.target();
        if !content.is_file() {
            let hint = if *content == Content::Directory { ": bind takes directories, copy doesn't" } else { "" };
            self.tell(step, 1, format!("copy {}: a {}, no file{hint}", step.word(1), content.kind()));
            self.forget(target);
            return Ok(());
        }
        if self.root.kind_at(target).is_some() {
            let place = step.words.len() - 1;
            self.tell(step, place, format!("copy to {target}: there is something already: copy to another path"));
            return Ok(());
        }
        let size = content.size()?;
        if let Some(text) = self.room.take(&self.root.real(target), pages(size)) {
            self.tell(step, 1, format!("copy {}: {text}", step.word(1)));
            self.forget(target);
            return Ok(());
        }
        if self.is_in_tree(step.word(1)) {
            self.fit.memory.copy(pages(size));
        }
        self.goes(step);
        self.root.file(target, name);
        Ok(())
    }

    fn bind(&mut self, step: &Step, name: &str, content: &Content) {
        let (target, is_directory) = (step.target(), *content == Content::Directory);
        let source = step.word(1);
        let wrong = match self.root.resolve(target) {
            Found::Directory(_) if !is_directory => format!("a directory, and {source} is none: name the file, too"),
            Found::File { .. } if is_directory => format!("a file, and {source} is a directory: name another"),
            _ => {
                let target = self.root.mount_point(target);
                return self.root.bind(&target, name);
            }
        };
        self.tell(step, step.words.len() - 1, format!("bind on {target}: {wrong}"));
    }
}
