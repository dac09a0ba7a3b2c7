//! What a step takes out of the initramfs, which no later step finds there: the original of a `copy`, the file of a `module`,
//! what is dropped.

use anyhow::Result;
use language::Verb;

use super::Fitting;
use super::new_root::is_in;
use super::room::pages;
use crate::initramfs::{Content, normalized};
use crate::plan::Step;

/// Where the new root is mounted until the service starts.
const NEW_ROOT: &str = "/.moveroot";

/// Directories that an initramfs has without being packed: usr/default_cpio_list of the kernel.
const KERNELS: [&str; 2] = ["/dev", "/root"];

/// A file or a directory that has gone.
pub struct Gone {
    /// As it is named, and without symbolic links.
    paths: [String; 2],
    line: usize,
    why: Verb,
}

impl Gone {
    fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|gone| is_in(path, gone))
    }

    fn said(&self) -> String {
        let line = self.line;
        match self.why {
            Verb::Module => format!("line {line} has loaded it: module unlinks its file"),
            Verb::Drop => format!("line {line} has dropped it: drop it after this step"),
            _ => format!("line {line} has taken it away: copy unlinks the original: write bind there"),
        }
    }
}

impl Fitting<'_> {
    /// Where it lies in the initramfs; as it is named, where that is all that is known.
    pub(super) fn place(&self, path: &str) -> String {
        self.tree.resolve(path).unwrap_or_else(|| normalized(path))
    }

    /// From here on the first argument is not in the initramfs.
    pub(super) fn goes(&mut self, step: &Step) {
        let path = step.word(1);
        let paths = [self.tree.real(path), self.place(path)];
        self.gone.push(Gone { paths, line: step.line, why: step.verb });
    }

    /// Whether it was there and a step has taken it away.
    fn gone(&self, path: &str) -> Option<&Gone> {
        // As it is written, too: a symlink on the way may be gone.
        let paths = [normalized(path), self.tree.real(path), self.place(path)];
        self.gone.iter().find(|gone| paths.iter().any(|path| gone.has(path)))
    }

    /// Whether it is in the initramfs still.
    pub(super) fn is_in_tree(&self, path: &str) -> bool {
        self.tree.contains(path) && self.gone(path).is_none()
    }

    /// Says so if the first argument has gone.
    pub(super) fn tell_gone(&mut self, step: &Step) {
        if let Some(said) = self.gone(step.word(1)).map(Gone::said) {
            self.tell(step, 1, format!("{} {}: {said}", step.word(0), step.word(1)));
        }
    }

    pub(super) fn drop(&mut self, step: &Step) -> Result<()> {
        let path = step.word(1);
        match self.refusal(path) {
            Some(text) => self.tell(step, 1, format!("drop {path}: {text}")),
            None if KERNELS.contains(&path) => {}
            None if self.knows_tree && self.tree.at(&normalized(path)).is_none() => self.missing(step),
            None => {
                let place = normalized(path);
                if let Some((bound, line)) = self.bound.iter().find(|(bound, _)| is_in(&place, bound)) {
                    let text = format!("drop {path}: line {line} binds {bound}, which loses it in the new root too");
                    self.warn(step, 1, text);
                }
                self.free(&place)?;
            }
        }
        self.gone.push(Gone { paths: [normalized(path), normalized(path)], line: step.line, why: Verb::Drop });
        Ok(())
    }

    /// Why init does not drop it: src/steps/carry.rs.
    fn refusal(&self, path: &str) -> Option<String> {
        let place = normalized(path);
        if place == "/" {
            return Some("the initramfs as a whole is never dropped: name a file or a directory in it".into());
        }
        if is_in(&place, NEW_ROOT) {
            return Some("the new root, of which nothing is dropped: leave the line out".into());
        }
        if let Some(gone) = self.gone.iter().find(|gone| gone.has(&place)) {
            return Some(format!("line {} has taken it away already: leave the line out", gone.line));
        }
        if let Some((bound, line)) = self.bound.iter().find(|(bound, _)| is_in(bound, &place)) {
            let part = if *bound == place { "it".to_string() } else { format!("{bound} in it") };
            return Some(format!(
                "line {line} binds {part}, which stays: leave the line out, or name what else is to go"
            ));
        }
        let ends = path.match_indices('/').map(|(end, _)| end).filter(|end| *end > 0);
        let link = ends.map(|end| &path[..end]).find(|part| matches!(self.tree.at(part), Some(Content::Symlink(_))))?;
        let meant = self.tree.resolve(path).map_or(String::new(), |real| format!(": write {real}"));
        Some(format!("{link} is a link, and none is followed{meant}"))
    }

    /// Its files' memory.
    fn free(&mut self, place: &str) -> Result<()> {
        let own = self.tree.at(place).map(|content| (place.to_string(), content));
        for (path, content) in own.into_iter().chain(self.tree.below(place)) {
            if !self.gone.iter().any(|gone| gone.has(&path)) {
                self.fit.memory.freed += pages(content.size()?);
            }
        }
        Ok(())
    }
}
