//! Whether a plan and an initramfs fit: each step is followed as the init would, and what it needs is looked for.

mod furnish;
mod lines;
mod modules;
mod new_root;
mod programs;
mod room;
mod service;
mod start;

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use language::Verb;

use crate::initramfs::{Content, Initramfs};
use crate::plan::{Finding, Plan, Step};
pub use lines::lines;
use new_root::{Found, NewRoot, UNKNOWN};
pub use room::Memory;
use room::{Room, pages};
pub use start::{obstacles, obstacles_to_init};

/// The variable that names directories of libraries: ld.so(8).
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH=";

/// What came of it.
#[derive(Default)]
pub struct Fit {
    /// What would go wrong; what may fail is a warning.
    pub findings: Vec<Finding>,
    /// What programs would miss for want of the next.
    pub needs: Vec<Finding>,
    /// Interpreters and libraries that are in the initramfs, and that programs would not find in the new root.
    pub uncarried: BTreeSet<String>,
    pub memory: Memory,
    /// What depends on the guest's memory.
    pub shares: Vec<String>,
}

/// What a plan lacks by itself, whatever its initramfs holds.
pub fn alone(plan: &Plan) -> Result<Vec<Finding>> {
    let tree = Initramfs::empty();
    let mut fitting = Fitting { knows_tree: false, ..Fitting::new(&tree, start::machine_of_init(&tree)?)? };
    for step in plan.steps() {
        fitting.follow(&step)?;
    }
    Ok(fitting.fit.findings)
}

/// Follows a plan that the parser takes.
pub fn fit(plan: &Plan, tree: &Initramfs) -> Result<Fit> {
    let mut fitting = Fitting::new(tree, start::machine_of_init(tree)?)?;
    for step in plan.steps() {
        fitting.follow(&step)?;
    }
    fitting.judge_programs()?;
    fitting.fit.shares = fitting.room.shares();
    fitting.fit.findings.sort();
    fitting.fit.findings.dedup();
    Ok(fitting.fit)
}

struct Fitting<'a> {
    tree: &'a Initramfs,
    /// Else anything may be in it.
    knows_tree: bool,
    machine: u16,
    root: NewRoot<'a>,
    room: Room,
    /// What was copied away, and in which line.
    gone: HashMap<String, usize>,
    programs: Vec<Running>,
    /// The plan's LD_LIBRARY_PATH.
    library_path: Vec<String>,
    fit: Fit,
}

/// A program that the plan starts, or carries for somebody else to start.
struct Running {
    step: Step,
    /// Where it lies in the new root, and in the initramfs.
    path: String,
    name: String,
    /// It is no use unless it can be executed.
    is_program: bool,
}

impl<'a> Fitting<'a> {
    fn new(tree: &'a Initramfs, machine: u16) -> Result<Self> {
        Ok(Fitting {
            tree,
            knows_tree: true,
            machine,
            root: NewRoot::new(tree),
            room: Room::default(),
            gone: HashMap::new(),
            programs: Vec::new(),
            library_path: Vec::new(),
            fit: Fit { memory: Memory::of(tree)?, ..Fit::default() },
        })
    }

    fn tell(&mut self, step: &Step, place: usize, text: String) {
        self.fit.findings.push(step.finding(place, text));
    }

    fn follow(&mut self, step: &Step) -> Result<()> {
        match step.verb {
            Verb::Root => {
                self.room.open("/", step);
                self.root.set_flags("/", step);
            }
            Verb::Dir => self.dir(step),
            Verb::Link => self.link(step),
            Verb::Mount if step.changes_a_mount() && step.flags.set == 0 => {}
            Verb::Mount if step.changes_a_mount() => {
                self.root.set_flags(&self.root.mount_point(step.word(2)), step);
            }
            Verb::Mount => {
                let target = self.root.mount_point(step.word(2));
                self.room.open(&target, step);
                self.root.mount(&target, step.word(3));
                self.root.set_flags(&target, step);
            }
            Verb::Write => self.write(step),
            Verb::Controllers => self.controllers(step),
            Verb::Copy | Verb::Bind => self.carry(step)?,
            Verb::Env if step.word(1).starts_with(LIBRARY_PATH) => {
                let directories = &step.word(1)[LIBRARY_PATH.len()..];
                self.library_path = directories.split(':').map(String::from).collect();
            }
            Verb::Module => self.module(step)?,
            Verb::Exec => self.exec(step),
            _ => {}
        }
        Ok(())
    }

    fn carry(&mut self, step: &Step) -> Result<()> {
        let (source, target) = (step.word(1), step.target());
        let Some(name) = self.tree.resolve(source) else {
            self.missing(step);
            self.forget(target);
            return Ok(());
        };
        if let Some(line) = self.gone.get(&name) {
            let taken = format!("line {line} has taken it away: copy unlinks the original: write bind there");
            self.tell(step, 1, format!("{} {source}: {taken}", step.word(0)));
        }
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
        self.root.mount(&target, UNKNOWN);
    }

    fn missing(&mut self, step: &Step) {
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
        self.fit.memory.copy(pages(size));
        self.gone.insert(name.to_string(), step.line);
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
