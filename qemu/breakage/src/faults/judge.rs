//! Whether a boot with a fault in it ended as promised: in one of three ways, and with nothing lost.

mod losses;
mod words;

use std::fmt::{self, Display, Formatter};

use agent::Report;
use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::errno::Errno;
use syscalls::Sysno;

use super::injection::{Fault, Injection, Then};
use super::scenario::{Reference, Scenario};
use super::tracer::Run;
use losses::difference;
use tool::plan::Step;
use words::{messages, number};

/// The three ways in which a boot may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As without the fault, in all that can be seen.
    Booted,
    /// The step that may fail has failed: a warning names it, and all else is as ever.
    Warned,
    /// One line names the step and the errno, and so does the exit code.
    Failed,
}

impl Display for Verdict {
    fn fmt(&self, to: &mut Formatter) -> fmt::Result {
        to.write_str(match self {
            Verdict::Booted => "booted",
            Verdict::Warned => "booted with a warning",
            Verdict::Failed => "failed with its line",
        })
    }
}

/// Who is judged.
pub struct Case<'c> {
    pub scenario: &'c Scenario<'c>,
    pub reference: &'c Reference,
    pub injection: Injection,
    pub run: &'c Run,
}

impl Case<'_> {
    /// The way in which it ended, or what was wrong.
    pub fn verdict(&self) -> Result<Verdict> {
        let outcome = &self.run.outcome;
        ensure!(!outcome.timed_out, "it hung");
        ensure!(outcome.signal.is_none(), "it died of signal {:?}", outcome.signal);
        if let Some(fallback) = self.fallback() {
            return self.fell_back(fallback);
        }
        self.nothing_is_lost()?;
        if let Then::Ever | Then::Following = self.injection.then {
            return self.several();
        }
        if self.run.booted {
            self.contract()?;
            return self.booted();
        }
        self.failed()
    }

    /// What the service finds.
    fn contract(&self) -> Result<()> {
        let (found, expected) = (self.report(self.run)?, self.report(&self.reference.clean)?);
        // A program that could not be waited for is still there.
        let mut problems = found.problems.iter().filter(|_| self.name() != Some(Sysno::wait4));
        ensure!(problems.next().is_none(), "broken promises: {:?}", found.problems);
        ensure!(self.run.outcome.code == Some(0), "the service ended with {:?}", self.run.outcome.code);
        ensure!(found.argv == expected.argv && found.environment == expected.environment, "other words: {found:?}");
        let contents = |report: &Report| -> Vec<_> { report.files.iter().map(|file| file.sha256.clone()).collect() };
        ensure!(contents(&found) == contents(&expected), "other content of what the service asks for: {found:?}");
        Ok(())
    }

    fn report(&self, run: &Run) -> Result<Report> {
        let Some(output) = self.scenario.output else { return run.outcome.report() };
        let said = std::fs::read_to_string(run.outcome.path(output)).context("cannot read the agent's output")?;
        Report::find(&said).context("no report in the agent's output")
    }

    fn booted(&self) -> Result<Verdict> {
        let clean = &self.reference.clean;
        let said = self.said()?;
        let is_same = clean.booted && said == messages(&clean.outcome.kmsg);
        let as_ever = if is_same { self.as_ever(&said) } else { Err(anyhow!("other words: {said:?}")) };
        let without = self.index().and_then(|index| self.reference.without[index].as_ref());
        // A step that fails by itself may fail with the same words earlier than it would have.
        let (Some(step), Some(without), Err(_)) = (self.step(), without, &as_ever) else {
            return as_ever.map(|()| Verdict::Booted);
        };
        self.between(without, step)?;
        let [mut before, after] = [clean, without].map(|run| messages(&run.outcome.kmsg));
        // A step that fails by itself may find that fine what the fault says: a module that is loaded already.
        if said == after && before.iter().any(|message| number(message) == Some(step.line)) {
            return Ok(Verdict::Booted);
        }
        before.retain(|message| number(message).is_some_and(|number| number < step.line));
        let own = said.get(before.len()).with_context(|| format!("no warning: {said:?}"))?;
        self.names(own, "<4>", Some(step))?;
        let after = after.into_iter().filter(|message| number(message).is_some_and(|number| number > step.line));
        ensure!(said[before.len() + 1..].iter().eq(after.collect::<Vec<_>>().iter()), "other words: {said:?}");
        Ok(Verdict::Warned)
    }

    /// The boot without a plan, which is due where the kernel says that there is none.
    fn fallback(&self) -> Option<&Run> {
        let is_due = self.denies_plan() && self.injection.then == Then::Well && self.run.booted;
        self.reference.fallback.as_ref().filter(|_| is_due)
    }

    /// Whether the fault is that the plan's file does not exist: the file that would be read from next.
    fn denies_plan(&self) -> bool {
        let next = self.reference.clean.calls.get(self.injection.place + 1);
        let is_open = self.index().is_none() && next.is_some_and(|call| call.name == Sysno::read);
        is_open && self.injection.fault == Fault::Fails(Errno::ENOENT)
    }

    fn fell_back(&self, fallback: &Run) -> Result<Verdict> {
        let [found, expected] = [self.run, fallback].map(|run| self.scenario.initramfs(&run.outcome));
        difference(Some(&found?), Some(&expected?), "file of the initramfs")?;
        difference(self.run.made.as_ref(), fallback.made.as_ref(), "file")?;
        difference(Some(&self.run.mounts), Some(&fallback.mounts), "mount")?;
        ensure!(self.said()? == messages(&fallback.outcome.kmsg), "other words: {:?}", self.run.outcome);
        Ok(Verdict::Booted)
    }

    fn failed(&self) -> Result<Verdict> {
        let (outcome, clean) = (&self.run.outcome, &self.reference.clean);
        let said = self.said()?;
        let before = messages(&clean.outcome.kmsg);
        if !clean.booted && said == before && outcome.code == clean.outcome.code {
            return Ok(Verdict::Booted);
        }
        let Some(step) = self.step() else { return self.no_plan(&said) };
        ensure!(
            outcome.code == Some(step.line.min(199) as i32),
            "the exit code is {:?}, not line {}'s",
            outcome.code,
            step.line
        );
        let (last, earlier) = said.split_last().context("it said nothing")?;
        self.names(last, "<3>", Some(step))?;
        let earlier_ones = before.iter().filter(|message| number(message).is_some_and(|it| it < step.line));
        let up_to_it = before.iter().filter(|message| number(message).is_some_and(|it| it <= step.line));
        ensure!(earlier.iter().eq(earlier_ones) || earlier.iter().eq(up_to_it), "other words: {said:?}");
        Ok(Verdict::Failed)
    }

    /// The plan as a whole: it could not be read, or the kernel said that there is nothing in it.
    fn no_plan(&self, said: &[String]) -> Result<Verdict> {
        if self.scenario.output.is_some() && said.is_empty() {
            let code = self.run.outcome.code;
            ensure!(code == Some(202), "it said nothing, and the exit code is {code:?}");
            return Ok(Verdict::Failed);
        }
        let [message] = said else { bail!("not one line: {said:?}") };
        if self.injection.fault == Fault::Short(0) {
            ensure!(message == "<3>moveroot: boot.plan: ends without exec or spawn", "another line: {message}");
            ensure!(self.run.outcome.code == Some(201), "the exit code is {:?}", self.run.outcome.code);
        } else {
            self.names(message, "<3>", None)?;
            ensure!(self.run.outcome.code == Some(200), "the exit code is {:?}", self.run.outcome.code);
        }
        Ok(Verdict::Failed)
    }

    /// More than one fault: init may have nowhere left to say so, but the exit code tells the line.
    fn several(&self) -> Result<Verdict> {
        let code = self.run.outcome.code;
        if self.run.booted {
            self.contract()?;
            let said = self.said()?;
            let clean = messages(&self.reference.clean.outcome.kmsg);
            if said == clean {
                return self.booted();
            }
            let may_fail = |step: &Step, message| step.may_fail && number(message) == Some(step.line);
            let mut new = said.iter().filter(|message| !clean.contains(message));
            let all_may = new.all(|message| self.reference.steps.iter().any(|step| may_fail(step, message)));
            ensure!(all_may, "a step that must not fail did, and the boot went on: {said:?}");
            return Ok(Verdict::Warned);
        }
        let first = self.step().map_or(0, |step| step.line);
        let is_line = code.is_some_and(|code| {
            code as usize >= first && self.reference.steps.iter().any(|step| step.line == code as usize)
        });
        let is_plan = first == 0 && matches!(code, Some(200..=202));
        let is_other_plan = self.denies_plan();
        ensure!(is_line || is_plan || is_other_plan, "the exit code is {code:?}, the first fault was in line {first}");
        let said = self.said().unwrap_or_default();
        let last = said.last().filter(|message| message.starts_with("<3>")).and_then(|message| number(message));
        ensure!(last.is_none_or(|last| Some(last as i32) == code), "the exit code is {code:?}, but it said {said:?}");
        Ok(Verdict::Failed)
    }

    /// The call that goes wrong.
    fn name(&self) -> Option<Sysno> {
        self.reference.clean.calls.get(self.injection.place).map(|call| call.name)
    }

    fn index(&self) -> Option<usize> {
        self.reference.step_of.get(self.injection.place).copied().flatten()
    }

    fn step(&self) -> Option<&Step> {
        self.index().and_then(|index| self.reference.steps.get(index))
    }
}
