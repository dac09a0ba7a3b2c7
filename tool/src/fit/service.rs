//! The steps that start programs, `run`, `spawn` and `exec`: whether the program is in the new root by then, and what to write if
//! it is not.

use anyhow::Result;
use language::Verb;

use super::new_root::{Found, is_in};
use super::{Fitting, Running};
use crate::initramfs::Content;
use crate::plan::{Step, nearest};

/// Programs that make no files where they run: what comes after them is judged as if they had not been there.
const MAKE_NO_FILES: &str = "mkfs mke2fs mkswap wipefs blkdiscard fsck e2fsck tune2fs resize2fs xfs_repair xfs_growfs \
    swapon ip ifconfig route sysctl modprobe insmod hwclock true sleep echo";

/// Agents that another process 1 changes, and how; by their own source.
const AGENTS: [(&str, &str); 3] = [
    ("kata-agent", "mounts nothing and does not power off unless it is pid 1"),
    ("vminitd", "learns of its containers' ends only as pid 1, which they become children of"),
    ("vmm-task", "learns of its containers' ends only as pid 1, which they become children of"),
];

impl Fitting<'_> {
    /// `run`: what it needs must be there by now.
    pub(super) fn run(&mut self, step: &Step) -> Result<()> {
        if let Some(running) = self.start(step) {
            self.judge_one(&running)?;
        }
        if !makes_no_files(step) {
            self.root.ran.get_or_insert(step.line);
        }
        Ok(())
    }

    /// `exec` and `spawn`.
    pub(super) fn serve(&mut self, step: &Step) {
        let running = self.start(step);
        self.programs.extend(running);
        let path = step.word(1);
        if step.verb == Verb::Spawn
            && let Some((name, why)) = AGENTS.iter().find(|(name, _)| *name == file_name(path))
        {
            self.warn(step, 1, format!("spawn {path}: {name} {why}: write exec"));
        }
    }

    fn start(&mut self, step: &Step) -> Option<Running> {
        let path = step.word(1);
        let verb = step.verb.name();
        match self.root.made_by_steps(path) {
            Found::File { path, name } => {
                self.ensure_executable(step, &path);
                // Whoever carried it, this is where it has to run.
                self.programs.retain(|running| running.name != name);
                return Some(Running { step: step.clone(), path, name, is_program: true });
            }
            Found::Directory(_) => self.tell(step, 1, format!("{verb} {path}: a directory: name the program in it")),
            Found::Unknown => self.ensure_executable(step, &self.root.real(path)),
            Found::Missing => self.tell_missing(step),
        }
        None
    }

    fn tell_missing(&mut self, step: &Step) {
        let (verb, path) = (step.verb.name(), step.word(1));
        let hint = match (self.knows_tree, self.is_in_tree(path)) {
            _ if let Some(line) = self.carried_later(step) => {
                format!(" yet: line {line} carries it: put that line before this one")
            }
            (true, true) => self.not_reached(path, &self.place(path)),
            // What was run before may have made it.
            _ if self.root.ran.is_some() => return,
            (false, _) => self.not_carried(path),
            (true, false) => {
                let hint = || format!(": put it there, and carry it by `bind {path}`");
                format!(", nor in the initramfs{}", self.elsewhere(path).unwrap_or_else(hint))
            }
        };
        let text = format!("{verb} {path}: not in the new root{hint}");
        match self.root.ran {
            Some(line) => self.warn(step, 1, format!("{text}, unless what line {line} runs makes it")),
            None => self.tell(step, 1, text),
        }
    }

    /// The later line that carries a program.
    fn carried_later(&self, step: &Step) -> Option<usize> {
        let is_later = |(target, line): &&(String, usize)| *line > step.line && is_in(step.word(1), target);
        self.carried.iter().find(is_later).map(|(_, line)| *line)
    }

    /// A mount may forbid it.
    fn ensure_executable(&mut self, step: &Step, path: &str) {
        if let Some(line) = self.root.noexec(path) {
            let text = format!(
                "{} {path}: line {line} mounts it noexec: leave noexec out there, or carry it elsewhere",
                step.verb.name()
            );
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
        let same_name = |file: &&str| file_name(file) == file_name(path);
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
        let name = file_name(path);
        let same = |found: &str| file_name(found) == name && !name.is_empty();
        let found = self.tree.entries().find(|(found, ..)| same(found));
        found.map(|(found, ..)| format!("; there is {found}"))
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether the step leaves the new root's files as they are. Of busybox its argument says which program it is.
fn makes_no_files(step: &Step) -> bool {
    let name = match file_name(step.word(1)) {
        "busybox" => step.word(2),
        name => name,
    };
    let known = |name| MAKE_NO_FILES.split_whitespace().any(|known| known == name);
    known(name) || matches!(name.split_once('.'), Some(("mkfs" | "fsck", _)))
}
