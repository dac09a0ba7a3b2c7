//! A boot plan as a file of this machine, read with the init's own parser: its faults, and what it takes from an
//! initramfs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use moveroot::check;
use moveroot::plan::{self, Pass, Step, Text};
use moveroot::verb::Verb;

use crate::initramfs::Initramfs;

/// Every fault as `PLAN:LINE: what`, or `PLAN: what` where it is the plan's as a whole.
pub fn faults(path: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    check::faults(&mut read(path)?, |step, fault| {
        let place = step.map_or(String::new(), |step| format!(":{}", step.line));
        faults.push(format!("{}{place}: {}", path.display(), text_of(fault.text().bytes())));
    });
    Ok(faults)
}

/// Every step that needs a file the initramfs does not have, as `PLAN:LINE: what`. Steps that may fail need nothing.
pub fn missing(path: &Path, tree: &Initramfs) -> Result<Vec<String>> {
    let mut text = read(path)?;
    plan::blank_out(&mut text);
    let mut step = Step::before(&mut text);
    let mut new_root = NewRoot { tree, parts: Vec::new() };
    let mut missing = Vec::new();
    while step.read(Pass::Run).is_ok() {
        let words = [0, 1, 2].map(|place| text_of(step.words[place].bytes()));
        if !new_root.follow(step.verb, &words) && !step.may_fail {
            let [verb, source, _] = words;
            missing.push(format!("{}:{}: {verb} {source}: not packed", path.display(), step.line));
        }
    }
    Ok(missing)
}

/// Line and words of each step, as the plan has them.
pub fn steps(text: &str) -> Vec<(u16, String)> {
    let numbered = (1..).zip(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect()
}

/// What is known of the new root while the plan is followed.
struct NewRoot<'a> {
    tree: &'a Initramfs,
    /// A path in the new root, and what lies there: a path of the initramfs, or None for what only the boot can tell.
    parts: Vec<(String, Option<String>)>,
}

impl NewRoot<'_> {
    /// Whether the step finds the file it needs.
    fn follow(&mut self, verb: Verb, [_, first, second]: &[String; 3]) -> bool {
        match verb {
            Verb::COPY | Verb::BIND => {
                self.parts.push((second.clone(), Some(first.clone())));
                self.tree.contains(first)
            }
            Verb::MOUNT | Verb::LINK => {
                self.parts.push((second.clone(), None));
                true
            }
            Verb::MODULE => self.tree.contains(first),
            Verb::EXEC => self.has(first),
            _ => true,
        }
    }

    fn has(&self, path: &str) -> bool {
        self.parts.iter().any(|(part, source)| match (below(path, part), source) {
            (Some(rest), Some(source)) => self.tree.contains(&format!("{source}{rest}")),
            (Some(_), None) => true,
            (None, _) => false,
        })
    }
}

/// What of `path` comes after `folder`, if it is that folder or lies in it.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn text_of(bytes: impl Iterator<Item = u8>) -> String {
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

/// The plan as the init reads it: one byte more than fits shows that it is too long.
fn read(path: &Path) -> Result<Text> {
    let bytes = fs::read(path).with_context(|| format!("cannot read the plan {}", path.display()))?;
    Ok(bytes.into_iter().take(plan::MAX_LEN + 1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_lies_in_a_folder_or_not() {
        assert_eq!(below("/sbin/agent", "/sbin/agent"), Some(""));
        assert_eq!(below("/sbin/agent", "/sbin"), Some("/agent"));
        assert_eq!(below("/sbin/agent", "/"), Some("/sbin/agent"));
        assert_eq!(below("/sbin/agent", "/sb"), None);
        assert_eq!(below("/sbin", "/sbin/agent"), None);
    }

    #[test]
    fn what_is_not_packed_is_named_with_its_line() {
        let mut tree = Initramfs::empty();
        tree.bytes("/usr/sbin/agent", 0o755, "").symlink("usr/sbin", "/sbin");
        let cases = [
            ("root\nbind /sbin/agent\nexec /sbin/agent\n", ""),
            ("root\nbind /usr /system\nexec /system/sbin/agent\n", ""),
            ("root\nmount disk /mnt ext4\nexec /mnt/agent\n", ""),
            ("root\n-copy /crun\nbind /sbin/agent\nexec /sbin/agent\n", ""),
            ("root\ncopy /crun\nbind /sbin/agent\nexec /sbin/agent\n", ":2: copy /crun: not packed"),
            ("root\nmodule /a.ko\nbind /sbin/agent\nexec /sbin/agent\n", ":2: module /a.ko: not packed"),
            ("root\nbind /sbin/agent\nexec /bin/agent\n", ":3: exec /bin/agent: not packed"),
        ];
        for (plan, expected) in cases {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), plan).unwrap();
            let missing = missing(file.path(), &tree).unwrap().join("\n");
            assert_eq!(missing.trim_start_matches(&*file.path().to_string_lossy()), expected, "{plan}");
        }
    }
}
