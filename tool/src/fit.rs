//! Whether a plan and an initramfs fit: each step is followed as the init would, and what it needs is looked for.

mod before;
mod carry;
mod furnish;
mod gone;
mod lines;
mod modules;
mod new_root;
mod programs;
mod room;
mod service;
mod start;

use std::collections::BTreeSet;

use anyhow::Result;
use language::Verb;

use crate::initramfs::{Initramfs, normalized};
use crate::plan::{Finding, Plan, Step};
use gone::Gone;
pub use lines::lines;
use new_root::NewRoot;
pub use room::Memory;
use room::Room;
pub use start::{machine_of_init, obstacles, obstacles_to_init};

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
    fitting.follow_all(plan)?;
    Ok(fitting.fit.findings)
}

/// Follows a plan that the parser takes.
pub fn fit(plan: &Plan, tree: &Initramfs) -> Result<Fit> {
    let mut fitting = Fitting::new(tree, start::machine_of_init(tree)?)?;
    fitting.follow_all(plan)?;
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
    gone: Vec<Gone>,
    /// What lies in the initramfs and was bound, and in which line.
    bound: Vec<(String, usize)>,
    /// Of all steps: where they carry to, and in which line.
    carried: Vec<(String, usize)>,
    /// Whether the service is spawned, and the line of an `on-exit`.
    spawns: bool,
    on_exit: Option<usize>,
    /// A step has written how high the limit of open files may be.
    has_raised_files: bool,
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
            gone: Vec::new(),
            bound: Vec::new(),
            carried: Vec::new(),
            spawns: false,
            on_exit: None,
            has_raised_files: false,
            programs: Vec::new(),
            library_path: Vec::new(),
            fit: Fit { memory: Memory::of(tree)?, ..Fit::default() },
        })
    }

    fn tell(&mut self, step: &Step, place: usize, text: String) {
        self.fit.findings.push(step.finding(place, text));
    }

    /// What does no harm to a boot, and is most likely not meant.
    fn warn(&mut self, step: &Step, place: usize, text: String) {
        self.fit.findings.push(Finding { is_warning: true, ..step.finding(place, text) });
    }

    fn follow_all(&mut self, plan: &Plan) -> Result<()> {
        let steps = plan.steps();
        let carries = steps.iter().filter(|step| matches!(step.verb, Verb::Copy | Verb::Bind));
        self.carried = carries.map(|step| (normalized(step.target()), step.line)).collect();
        self.spawns = steps.iter().any(|step| step.verb == Verb::Spawn);
        steps.iter().try_for_each(|step| self.follow(step))
    }

    fn follow(&mut self, step: &Step) -> Result<()> {
        match step.verb {
            Verb::Root | Verb::Mount => self.mount(step),
            Verb::Dir => self.dir(step),
            Verb::Link => self.link(step),
            Verb::Write => self.write(step),
            Verb::Controllers => self.controllers(step),
            Verb::Copy | Verb::Bind => self.carry(step)?,
            Verb::Env if step.word(1).starts_with(LIBRARY_PATH) => {
                let directories = &step.word(1)[LIBRARY_PATH.len()..];
                self.library_path = directories.split(':').map(String::from).collect();
            }
            Verb::Env => {}
            Verb::Module => self.module(step)?,
            Verb::Drop => self.drop(step)?,
            Verb::Wait => self.wait(step),
            Verb::Limit => self.limit(step),
            Verb::OnExit => self.on_exit(step),
            Verb::Run => self.run(step)?,
            Verb::Exec | Verb::Spawn => self.serve(step),
        }
        Ok(())
    }
}
