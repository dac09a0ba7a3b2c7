//! A boot to inject faults into: the plan, its initramfs, how the boot goes without a fault, and which step of the plan
//! each system call belongs to. All of it is found out by running, nothing is written down.

use anyhow::{Context, Result, ensure};
use language::Verb;
use syscalls::Sysno;

use super::injection::Injection;
use super::state::{self, Facts, NEW_ROOT};
use super::tracer::{Run, follow};
use machine::sandbox::{Outcome, Sandbox, fixed};
use tool::plan::{Plan, Step};

/// What is to be run.
pub struct Scenario<'s> {
    pub name: &'s str,
    pub plan: &'s str,
    /// The plan is the one that init has built in.
    pub built_in: bool,
    /// Makes the initramfs, without a plan.
    pub furnish: &'s (dyn Fn() -> Result<Sandbox> + Sync),
    /// The file of the initramfs that the agent writes its report to, where its standard output leads nowhere.
    pub output: Option<&'s str>,
}

/// How the boot goes without a fault.
pub struct Reference {
    pub steps: Vec<Step>,
    pub clean: Run,
    /// For each call of the clean run the step it belongs to, by its place in `steps`; none before the first step.
    pub step_of: Vec<Option<usize>>,
    /// The initramfs before anything is done.
    pub initramfs: Facts,
    /// For each step that may fail, a run without it.
    pub without: Vec<Option<Run>>,
    /// A run without the plan's file.
    pub fallback: Option<Run>,
}

/// Steps that begin with different calls, whichever root `/` is: one of them differs from whatever else begins there.
const MARKS: [&str; 3] = ["dir /boundary\n", "link boundary /boundary\n", "bind /boundary\n"];

impl Scenario<'_> {
    /// The plan's name in messages.
    pub fn file_name(&self) -> &'static str {
        if self.built_in { "default.plan" } else { "boot.plan" }
    }

    /// Runs the scenario's plan.
    pub fn run(&self, injection: Option<Injection>) -> Result<Run> {
        self.run_plan((!self.built_in).then_some(self.plan), injection)
    }

    fn run_plan(&self, plan: Option<&str>, injection: Option<Injection>) -> Result<Run> {
        let sandbox = (self.furnish)()?;
        follow(if let Some(plan) = plan { sandbox.plan(plan)? } else { sandbox }, injection)
    }

    /// The initramfs as a run left it, without what the harness itself has in it and where the new root was mounted.
    pub fn initramfs(&self, outcome: &Outcome) -> Result<Facts> {
        let mut files = state::files(&outcome.path("/"))?;
        files.retain(|path, _| path != "/boot.plan" && path != NEW_ROOT && Some(path.as_str()) != self.output);
        if fixed::is_on() {
            files.remove("/init");
        }
        Ok(files)
    }

    /// Runs the plan without a fault, as a whole and in parts.
    pub fn reference(&self) -> Result<Reference> {
        let steps = Plan::of(self.file_name(), self.plan).steps();
        let clean = self.run(None)?;
        let mut without = Vec::new();
        for step in &steps {
            without.push(step.may_fail.then(|| self.run_plan(Some(&self.without(step)), None)).transpose()?);
        }
        // One without `exec` is refused before its first step.
        let untouched = self.run_plan(Some("root\n"), None)?;
        let fallback = (!self.built_in).then(|| self.run_plan(None, None)).transpose()?;
        let step_of = self.step_of(&steps, &clean, &untouched)?;
        let initramfs = self.initramfs(&untouched.outcome)?;
        Ok(Reference { steps, clean, step_of, initramfs, without, fallback })
    }

    fn without(&self, step: &Step) -> String {
        let lines = self.plan.lines().enumerate();
        lines.map(|(at, text)| if at + 1 == step.line { "#\n".into() } else { format!("{text}\n") }).collect()
    }

    /// Which step each call belongs to. A plan that ends early makes the same calls up to there, and others from there on.
    fn step_of(&self, steps: &[Step], clean: &Run, untouched: &Run) -> Result<Vec<Option<usize>>> {
        let whole = self.run_plan(Some(self.plan), None)?;
        let whole = names(&whole);
        let mut ends = vec![common(&whole, &names(untouched))];
        for step in &steps[..steps.len() - 1] {
            let begin: String = self.plan.split_inclusive('\n').take(step.line).collect();
            let is_exec = step.verb == Verb::Exec;
            let mut end = whole.len();
            for mark in MARKS {
                let rest = if is_exec { String::new() } else { format!("{mark}exec /boundary\n") };
                let run = self.run_plan(Some(&format!("{begin}{rest}")), None)?;
                end = end.min(common(&whole, &names(&run)));
            }
            ends.push(end);
        }
        ensure!(ends.is_sorted(), "{}: lines whose calls are out of order: {ends:?}", self.name);
        // A plan that is built in is not read, but its steps are the same.
        let (of_steps, calls) = (&whole[ends[0]..], names(clean));
        let shift =
            calls.len().checked_sub(of_steps.len()).context("a clean run with fewer calls than its steps have")?;
        ensure!(calls[shift..] == *of_steps, "{}: two clean runs differ: {calls:?} and {whole:?}", self.name);
        let step = |place: usize| {
            let at = (place + ends[0]).checked_sub(shift)?;
            ends.iter().rposition(|end| *end <= at)
        };
        Ok((0..calls.len()).map(step).collect())
    }
}

fn names(run: &Run) -> Vec<Sysno> {
    run.calls.iter().map(|call| call.name).collect()
}

fn common(one: &[Sysno], other: &[Sysno]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
