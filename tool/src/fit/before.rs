//! What goes before the service: `wait`, `limit`, `on-exit`.

use std::ffi::CString;

use language::CStrPtr;

use super::Fitting;
use super::new_root::{Found, is_in};
use crate::plan::Step;

/// How high the limit of open files may be.
pub const MOST_FILES_PATH: &str = "/proc/sys/fs/nr_open";
/// What the kernel begins with there: sysctl_nr_open in fs/file.c.
const MOST_FILES: u64 = 1024 * 1024;

/// Limits in bytes, of which limits.conf(5) has KiB.
const IN_KIB: [&str; 7] = ["fsize", "data", "stack", "core", "rss", "memlock", "as"];
/// Below it such a limit in bytes is of no use.
const LEAST_BYTES: u64 = 64 * 1024;

impl Fitting<'_> {
    pub(super) fn wait(&mut self, step: &Step) {
        let path = step.word(1);
        match self.root.resolve(path) {
            Found::Unknown => {}
            Found::Missing if is_in(path, "/dev") => {
                let line = "mount devtmpfs /dev devtmpfs nosuid,noexec";
                self.tell(step, 1, format!("wait {path}: before it devtmpfs must be mounted: `{line}`"));
            }
            Found::Missing => {
                let why = "nothing makes it: no step has mounted a filesystem there in which the kernel makes files";
                self.tell(step, 1, format!("wait {path}: {why}"));
            }
            Found::Directory(_) | Found::File { .. } => {
                self.warn(step, 1, format!("wait {path}: it is there already: leave the line out"));
            }
        }
    }

    pub(super) fn limit(&mut self, step: &Step) {
        let name = step.word(1);
        let value = |place| number(step.word(place));
        let Some(soft) = value(2) else { return };
        let hard = value(3).unwrap_or(soft);
        if soft > hard {
            return self.tell(step, 2, format!("limit {name}: the soft limit {soft} is above the hard one, {hard}"));
        }
        if name == "nofile" && hard > MOST_FILES && !self.has_raised_files {
            let place = step.words.len() - 1;
            let text = format!(
                "limit nofile {}: above {MOST_FILES}, what {MOST_FILES_PATH} allows: write that file before, or a lower number",
                step.word(place)
            );
            return self.tell(step, place, text);
        }
        if IN_KIB.contains(&name) && (1..LEAST_BYTES).contains(&soft) {
            let meant = soft << 10;
            self.warn(
                step,
                2,
                format!("limit {name} {soft}: bytes, where limits.conf(5) has KiB: did you mean {meant}?"),
            );
        }
    }

    pub(super) fn on_exit(&mut self, step: &Step) {
        let action = step.word(1);
        if !self.spawns {
            let why = "exec becomes the service, and nothing follows that: write spawn in its place";
            self.warn(step, 0, format!("on-exit {action}: {why}"));
        } else if let Some(line) = self.on_exit {
            self.warn(step, 0, format!("on-exit {action}: it replaces what line {line} says: leave one of them out"));
        }
        self.on_exit = Some(step.line);
    }
}

fn number(word: &str) -> Option<u64> {
    let word = CString::new(word).ok().filter(|word| !word.is_empty())?;
    language::number(CStrPtr::new(&word))
}
