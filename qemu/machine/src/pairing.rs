//! A boot plan and the agent it is for: what the plan wants of a guest, read from its steps and from lines of comment:
//!
//! - `# mock agent: NAME`: the program of qemu/guests/mocks that stands for the agent;
//! - `# second mock: NAME PATH`: one that the agent runs, and where the plan looks for it in the initramfs;
//! - `# kernel: WORDS`: what the agent wants on the kernel's command line;
//! - `# kernel has: NAME…`: what it wants of the kernel, which loads these modules where they are not built in.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use language::Verb;

use tool::insertion;
use tool::plan::{Line, Plan};

/// The disk that a plan may mount: the first that virtio_blk finds.
const DISK: &str = "/dev/vda";

/// Names under which the container runtime is carried. The demo's crun goes by each of them.
const RUNTIMES: [&str; 2] = ["crun", "runc"];

/// What a plan says, beyond what its steps do.
#[derive(Debug, Default)]
pub struct Pairing {
    plan: Plan,
    /// The mock of the plan's agent; None: any agent.
    pub mock: Option<String>,
    /// (name, path) of the mock of what the agent runs.
    pub second: Option<(String, String)>,
    /// For the kernel's command line.
    pub kernel_words: String,
    /// Modules that the plan's own steps do not load, as paths in the initramfs.
    pub kernel_has: Vec<String>,
    /// Where the plan looks for its agent: in the initramfs, or on the disk if there is one.
    pub agent: String,
    /// Where it looks for a container runtime, if it carries one.
    pub runtime: Option<String>,
    /// The kernel modules it loads, as paths in the initramfs.
    pub modules: Vec<String>,
    /// Where it mounts the disk.
    pub disk: Option<String>,
    /// (source, target) of what it carries.
    carried: Vec<(String, String)>,
    /// Paths of the new root that it makes links at.
    links: Vec<String>,
}

impl Pairing {
    /// Reads a plan. One with faults is read as far as it goes: to name those is not done here.
    pub fn read(plan: &Path) -> Result<Self> {
        let text = fs::read_to_string(plan).with_context(|| format!("cannot read the plan {}", plan.display()))?;
        Ok(Pairing::of(&text))
    }

    fn of(text: &str) -> Self {
        let mut pairing = Pairing { plan: Plan::of("plan", text), ..Pairing::default() };
        let comment = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        pairing.mock = comment("# mock agent: ").map(String::from);
        let second = comment("# second mock: ").and_then(|words| words.split_once(' '));
        pairing.second = second.map(|(name, path)| (name.to_string(), path.to_string()));
        let has = comment("# kernel has: ").unwrap_or_default();
        pairing.kernel_has = has.split_whitespace().map(|name| format!("/modules/{name}.ko")).collect();
        pairing.kernel_words = comment("# kernel: ").unwrap_or_default().to_string();
        let mut exec = None;
        for line in pairing.plan.lines().to_vec() {
            let first = line.word(1).to_string();
            match line.verb() {
                Some(Verb::Copy | Verb::Bind) => pairing.carry(&line),
                Some(Verb::Link) => pairing.links.push(line.word(2).to_string()),
                Some(Verb::Module) => pairing.modules.push(first),
                Some(Verb::Mount) if first == DISK => pairing.disk = Some(line.word(2).to_string()),
                Some(Verb::Exec | Verb::Spawn) => exec = exec.or(Some(first)),
                _ => {}
            }
        }
        let exec = exec.unwrap_or_default();
        pairing.agent = pairing.source_of(&exec).unwrap_or(exec);
        pairing
    }

    fn carry(&mut self, line: &Line) {
        let source = line.word(1);
        let target = if line.words.len() > 2 { line.word(2) } else { source };
        if RUNTIMES.iter().any(|name| source.rsplit('/').next() == Some(name)) {
            self.runtime = Some(source.to_string());
        }
        self.carried.push((source.to_string(), target.to_string()));
    }

    /// What is to be packed for a path of the new root to lead to it.
    fn source_of(&self, path: &str) -> Option<String> {
        if let Some(rest) = self.disk.as_deref().and_then(|disk| below(path, disk)) {
            return Some(rest.to_string());
        }
        self.carried.iter().find_map(|(source, target)| Some(format!("{source}{}", below(path, target)?)))
    }

    /// Whether the plan brings something to this path of the new root, or to a directory that it is in.
    pub fn carries(&self, path: &str) -> bool {
        let targets = self.carried.iter().map(|(_, target)| target);
        self.links.iter().chain(targets).any(|target| below(path, target).is_some())
    }

    /// The step that brings a file or directory of the initramfs, or of the disk, to the same path in the new root.
    pub fn step(&self, path: &str) -> String {
        match &self.disk {
            Some(disk) => format!("link {disk}{path} {path}"),
            None => format!("bind {path}"),
        }
    }

    /// The plan's text with these steps, before its first `exec`.
    pub fn with(&self, steps: &[String]) -> String {
        insertion::carried(&self.plan, steps)
    }
}

/// What of `path` comes after `directory`, if it is that directory or lies in it.
fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    path.strip_prefix(directory).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "# for any\n# mock agent: own\n# second mock: two /two\n# kernel: a=1 b\n# kernel has: c d\nroot\ncopy /crun /sbin/crun\nbind /agents /sbin\n\
        -module /m/a.ko b=1\nlink b /lib\n-exec /sbin/one x\nexec /sbin/two\n";

    #[test]
    fn a_plan_tells_what_it_wants() {
        let pairing = Pairing::of(PLAN);
        assert_eq!(pairing.mock.as_deref(), Some("own"));
        assert_eq!(pairing.second, Some(("two".to_string(), "/two".to_string())));
        assert_eq!(
            (pairing.kernel_words.as_str(), &pairing.kernel_has),
            ("a=1 b", &vec!["/modules/c.ko".to_string(), "/modules/d.ko".to_string()])
        );
        assert_eq!((pairing.agent.as_str(), pairing.runtime.as_deref()), ("/agents/one", Some("/crun")));
        assert_eq!((pairing.modules.as_slice(), &pairing.disk), (["/m/a.ko".to_string()].as_slice(), &None));
        assert!(pairing.carries("/lib") && pairing.carries("/sbin/crun/x") && !pairing.carries("/crun"));
    }

    #[test]
    fn a_plan_with_a_disk_has_its_agent_there() {
        let pairing = Pairing::of("root\nmount /dev/vda /disk erofs ro\nexec /disk/sbin/agent\n");
        assert_eq!((pairing.disk.as_deref(), pairing.agent.as_str()), (Some("/disk"), "/sbin/agent"));
        assert_eq!(pairing.step("/lib"), "link /disk/lib /lib");
    }

    #[test]
    fn steps_are_added_before_the_first_exec() {
        let pairing = Pairing::of("root\n# exec\n-exec /a\nexec /b\n");
        assert_eq!(pairing.with(&["bind /c".to_string()]), "root\nbind /c\n-exec /a\nexec /b\n");
    }
}
