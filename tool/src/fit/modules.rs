//! A step `module`: whether its file is there, and is what its name says.

use anyhow::Result;

use super::Fitting;
use super::room::pages;
use crate::compression;
use crate::plan::{Finding, Step};

/// How the names of compressed modules end: init goes by the name, and tells the kernel.
const ENDINGS: [&str; 3] = [".gz", ".xz", ".zst"];

impl Fitting<'_> {
    pub(super) fn module(&mut self, step: &Step) -> Result<()> {
        let path = step.word(1);
        self.tell_gone(step);
        let was_there = self.is_in_tree(path);
        self.goes(step);
        let Some(file) = self.tree.resolve(path).and_then(|real| self.tree.at(&real)) else {
            self.missing(step);
            return Ok(());
        };
        if was_there {
            self.fit.memory.freed += pages(file.size()?);
        }
        let is_named_so = ENDINGS.iter().any(|ending| path.ends_with(ending));
        let content = if file.is_file() { file.read()? } else { Default::default() };
        match (is_named_so, compression::name_of(&content)) {
            (true, Some(_)) => {
                let text =
                    format!("module {path}: loads only where the kernel has CONFIG_MODULE_DECOMPRESS: decompress it");
                self.fit.findings.push(Finding { is_warning: true, ..step.finding(1, text) });
            }
            (true, None) => self.tell(
                step,
                1,
                format!("module {path}: not compressed, though its name says so: let it end with .ko"),
            ),
            (false, Some(how)) => {
                let text =
                    format!("module {path}: compressed by {how}, though its name does not say so: decompress it");
                self.tell(step, 1, text);
            }
            (false, None) => {}
        }
        Ok(())
    }
}
