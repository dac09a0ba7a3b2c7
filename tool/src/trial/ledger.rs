//! Which step a system call belongs to, and what each step took. A call's arguments tell: init cuts the plan into words
//! where it was read to, so an address leads to a line. A call without such an address belongs to the step before, or, from
//! where init goes into one of its roots on, to the next.

use std::time::Duration;

use language::Verb;
use libc::{
    SYS_chroot as CHROOT, SYS_clone as CLONE, SYS_open_tree as OPEN_TREE, SYS_openat as OPENAT,
    SYS_prlimit64 as PRLIMIT64, SYS_read as READ,
};

use crate::calls::texts;
use crate::tracer::{Memory, Registers};

/// A step as it went.
pub struct Taken {
    pub line: usize,
    pub text: String,
    /// None where init has not come to it.
    pub time: Option<Duration>,
    pub notes: Vec<String>,
    pub verb: Verb,
}

impl Taken {
    pub fn microseconds(&self) -> Option<u64> {
        self.time.map(|time| (time.as_secs_f64() * 1e6).round() as u64)
    }
}

pub struct Ledger<'a> {
    pub plan: &'a [u8],
    /// Where the plan was read to.
    pub base: Option<u64>,
    pub steps: Vec<Taken>,
    pub current: usize,
    /// Calls of no step yet, and whether the next one may begin with them.
    pub loose: Vec<(Duration, bool)>,
    /// The least time of any call is that of watching it.
    pub least: Duration,
    /// The first step that may yet be told by a call without an address in the plan.
    pub uncounted: usize,
    /// A `bind` has made its call; a `run` or `spawn` has.
    pub has_bound: bool,
    pub has_started: bool,
}

impl Ledger<'_> {
    /// Before a call; whether it is the step's that is under way from here on.
    pub fn enter(&mut self, memory: &Memory, registers: &Registers) -> bool {
        let step =
            texts(registers).find_map(|address| self.step_at(address)).or_else(|| self.step_of(memory, registers));
        let Some(step) = step.filter(|step| *step >= self.current) else { return false };
        let begins = match step == self.current {
            true => self.loose.len(),
            false => self.loose.iter().position(|(_, begins)| *begins).unwrap_or(self.loose.len()),
        };
        let next = self.loose.split_off(begins);
        self.settle();
        // Steps without a call, such as env, are done as well.
        for done in &mut self.steps[self.current..=step] {
            done.time.get_or_insert_default();
        }
        self.current = step;
        self.loose = next;
        self.settle();
        true
    }

    /// The step that a call belongs to which has no address in the plan.
    fn step_of(&mut self, memory: &Memory, registers: &Registers) -> Option<usize> {
        self.base?;
        let path = || memory.string(registers.arguments()[1]).unwrap_or_default();
        let verbs: &[Verb] = match registers.number() {
            OPENAT if path().ends_with("/cgroup.subtree_control") => &[Verb::Controllers],
            CLONE => &[Verb::Run, Verb::Spawn],
            PRLIMIT64 => &[Verb::Limit],
            _ => return None,
        };
        let mut rest = self.steps.iter().enumerate().skip(self.current.max(self.uncounted));
        let found = rest.find(|(_, step)| verbs.contains(&step.verb)).map(|(at, _)| at)?;
        // Each of these steps makes one such call.
        self.uncounted = found + 1;
        Some(found)
    }

    /// After a call.
    pub fn leave(&mut self, memory: &Memory, call: &Registers, result: i64, time: Duration, is_of_step: bool) {
        let (number, path) = (call.number(), call.arguments()[1]);
        self.least = self.least.min(time);
        if self.base.is_none() {
            // Init's first read is that of the plan; an emulator has read other files before.
            let is_plan = || memory.bytes(path, self.plan.len()).is_some_and(|read| read == self.plan);
            self.base = (number == READ && result > 0 && is_plan()).then_some(path);
            return;
        }
        self.has_bound |= number == OPEN_TREE;
        self.has_started |= number == CLONE;
        // As src/roots.rs goes from root to root, and begins the hand-over.
        let begins = match number {
            CHROOT => true,
            OPENAT => memory.string(path).as_deref() == Some("/"),
            _ => false,
        };
        self.loose.push((time, begins));
        if is_of_step {
            self.settle();
        }
    }

    /// The last call, which the service comes out of.
    pub fn end(&mut self, time: Duration) {
        self.loose.push((time, false));
    }

    /// The current step.
    pub fn step(&self) -> Option<&Taken> {
        self.steps.get(self.current)
    }

    /// Something to report about the current step, once.
    pub fn note(&mut self, note: &str) {
        if let Some(step) = self.steps.get_mut(self.current)
            && !step.notes.iter().any(|told| told == note)
        {
            step.notes.push(note.to_string());
        }
    }

    /// The steps, when all is over.
    pub fn close(mut self) -> Vec<Taken> {
        self.settle();
        self.steps
    }

    /// Gives what is loose to the current step, without what watching takes.
    fn settle(&mut self) {
        let least = self.least;
        let loose = self.loose.drain(..).map(|(time, _)| time.saturating_sub(least));
        let time: Duration = loose.sum();
        if let Some(step) = self.steps.get_mut(self.current).filter(|step| !time.is_zero() || step.time.is_some()) {
            *step.time.get_or_insert_default() += time;
        }
    }

    /// The step whose line an address lies in.
    fn step_at(&self, address: u64) -> Option<usize> {
        let offset = address.checked_sub(self.base?)? as usize;
        let before = self.plan.get(..offset)?;
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        // Of two in one line, the first is a `root` that the plan has not.
        self.steps.iter().rposition(|step| step.line == line)
    }
}
