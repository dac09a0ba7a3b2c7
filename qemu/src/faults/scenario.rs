//! A boot to inject faults into: the plan, its initramfs, how the boot goes without a fault, and which line of the plan
//! each system call belongs to. All of it is found out by running, nothing is written down.

use anyhow::{Context, Result, ensure};
use syscalls::Sysno;

use super::injection::Injection;
use super::state::{self, Facts};
use super::tracer::{Run, follow};
use crate::sandbox::{Outcome, Sandbox};

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

/// A line of the plan that is a step.
#[derive(Clone, Debug)]
pub struct Line<'s> {
    pub number: usize,
    pub may_fail: bool,
    /// The verb first, without its `-`.
    pub words: Vec<&'s str>,
}

/// How the boot goes without a fault.
pub struct Reference<'s> {
    pub lines: Vec<Line<'s>>,
    pub clean: Run,
    /// For each call of the clean run the line it belongs to, by its place in `lines`; none before the first step.
    pub line_of: Vec<Option<usize>>,
    /// The initramfs before anything is done.
    pub initramfs: Facts,
    /// For each line that may fail, a run without it.
    pub without: Vec<Option<Run>>,
    /// A run without the plan's file.
    pub fallback: Option<Run>,
}

/// Steps that begin with two different calls: one of them differs from whatever else begins there.
const MARKS: [&str; 2] = ["dir /boundary\n", "link boundary /boundary\n"];

impl<'s> Scenario<'s> {
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

    /// The initramfs as a run left it, without what the harness itself has in it.
    pub fn initramfs(&self, outcome: &Outcome) -> Result<Facts> {
        let mut files = state::files(&outcome.path("/"))?;
        files.retain(|path, _| path != "/boot.plan" && Some(path.as_str()) != self.output);
        Ok(files)
    }

    /// Runs the plan without a fault, as a whole and in parts.
    pub fn reference(&self) -> Result<Reference<'s>> {
        let lines = lines(self.plan);
        let clean = self.run(None)?;
        let mut without = Vec::new();
        for line in &lines {
            without.push(line.may_fail.then(|| self.run_plan(Some(&self.without(line)), None)).transpose()?);
        }
        // One without `exec` is refused before its first step.
        let untouched = self.run_plan(Some("root\n"), None)?;
        let fallback = (!self.built_in).then(|| self.run_plan(None, None)).transpose()?;
        let line_of = self.line_of(&lines, &clean, &untouched)?;
        let initramfs = self.initramfs(&untouched.outcome)?;
        Ok(Reference { lines, clean, line_of, initramfs, without, fallback })
    }

    fn without(&self, line: &Line) -> String {
        let lines = self.plan.lines().enumerate();
        lines.map(|(at, text)| if at + 1 == line.number { "#\n".into() } else { format!("{text}\n") }).collect()
    }

    /// Which line each call belongs to. A plan that ends early makes the same calls up to there, and others from there on.
    fn line_of(&self, lines: &[Line], clean: &Run, untouched: &Run) -> Result<Vec<Option<usize>>> {
        let whole = self.run_plan(Some(self.plan), None)?;
        let whole = names(&whole);
        let mut ends = vec![common(&whole, &names(untouched))];
        for line in &lines[..lines.len() - 1] {
            let begin: String = self.plan.split_inclusive('\n').take(line.number).collect();
            let is_exec = line.words[0] == "exec";
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
        let (steps, calls) = (&whole[ends[0]..], names(clean));
        let shift = calls.len().checked_sub(steps.len()).context("a clean run with fewer calls than its steps have")?;
        ensure!(calls[shift..] == *steps, "{}: two clean runs differ: {calls:?} and {whole:?}", self.name);
        let line = |place: usize| {
            let at = (place + ends[0]).checked_sub(shift)?;
            ends.iter().rposition(|end| *end <= at)
        };
        Ok((0..calls.len()).map(line).collect())
    }
}

/// The steps of a plan that is right.
fn lines(plan: &str) -> Vec<Line<'_>> {
    let steps = plan.lines().enumerate().filter(|(_, text)| !text.trim().is_empty() && !text.trim().starts_with('#'));
    steps.map(|(at, text)| Line::new(at + 1, text)).collect()
}

impl<'s> Line<'s> {
    fn new(number: usize, text: &'s str) -> Line<'s> {
        let text = text.trim();
        let words = text.trim_start_matches('-').split_whitespace().collect();
        Line { number, may_fail: text.starts_with('-'), words }
    }
}

fn names(run: &Run) -> Vec<Sysno> {
    run.calls.iter().map(|call| call.name).collect()
}

fn common(one: &[Sysno], other: &[Sysno]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
