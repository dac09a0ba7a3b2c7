//! What init said of a fault: to standard error and to the log, of which step, with which errno.

use anyhow::{Context, Result, ensure};
use language::Verb;
use nix::errno::Errno;
use syscalls::Sysno;

use super::super::injection::{Fault, Then};
use super::Case;
use tool::plan::Step;

impl Case<'_> {
    /// What init said, in the log's form. On standard error and in the log it is the same; where the fault was in
    /// saying it, on one of them.
    pub fn said(&self) -> Result<Vec<String>> {
        let (log, errors) = (messages(&self.run.outcome.kmsg), messages(&self.run.outcome.stderr));
        let is_same =
            log.len() == errors.len() && log.iter().zip(&errors).all(|(log, error)| log.get(3..) == Some(error));
        let has_console = self.scenario.output.is_none();
        if is_same || !has_console {
            // Without a console the log is all there is; what cannot be said there is not said, or only in part.
            let clean = messages(&self.reference.clean.outcome.kmsg);
            let is_lost = self.run.booted && self.in_report() && (!has_console || log.len() < clean.len());
            return Ok(if is_lost { clean } else { log });
        }
        let may_differ = self.in_report() || matches!(self.injection.then, Then::Ever | Then::Following);
        ensure!(may_differ, "two stories: {errors:?} and in the log {log:?}");
        if log.len() >= errors.len() && self.run.outcome.kmsg.ends_with('\n') {
            return Ok(log);
        }
        // Only the log has priorities: the last word of a boot that failed is its failure, all others are warnings.
        let priority = |at| if self.run.booted || at + 1 < errors.len() { "<4>" } else { "<3>" };
        Ok(errors.iter().enumerate().map(|(at, error)| format!("{}{error}", priority(at))).collect())
    }

    /// Whether the fault was in a report: in a step's calls, from the first write to standard error on; or in fchdir, which is for
    /// nothing but the way back to the log's device.
    fn in_report(&self) -> bool {
        let reference = self.reference;
        let mut mine = (0..=self.injection.place).filter(|at| reference.step_of.get(*at) == Some(&self.index()));
        let is_way_back =
            reference.clean.calls.get(self.injection.place).is_some_and(|call| call.name == Sysno::fchdir);
        is_way_back
            || mine.any(|at| reference.clean.calls[at].name == Sysno::write && reference.clean.calls[at].first == 2)
    }

    /// Whether a message names the plan, the line and its step, and the right errno.
    pub fn names(&self, message: &str, priority: &str, step: Option<&Step>) -> Result<()> {
        let rest = message.strip_prefix(priority).and_then(|rest| rest.strip_prefix("moveroot: "));
        let plan = if step.is_some() { self.scenario.file_name() } else { "boot.plan" };
        let rest = rest
            .and_then(|rest| rest.strip_prefix(plan))
            .with_context(|| format!("no {priority} of {plan}: {message}"))?;
        let (told, reason) = rest.rsplit_once(": ").with_context(|| format!("no reason: {message}"))?;
        match step {
            None => ensure!(told.is_empty(), "a step of the plan as a whole: {message}"),
            Some(step) => {
                let wrong = || format!("not the step {:?}: {message}", step.text());
                let told = told.strip_prefix(&format!(":{}: ", step.line)).with_context(wrong)?;
                let words: Vec<&str> = told.split(' ').filter(|word| !["on", "to"].contains(word)).collect();
                ensure!(words.len() >= step.words.len().min(2) && words[0] == step.word(0), wrong());
                ensure!(words.iter().all(|word| step.texts().any(|own| own == *word)), wrong());
            }
        }
        let is_right = self.errnos().into_iter().any(|errno| reason == format!("{errno:?} ({})", errno as i32));
        ensure!(is_right, "another errno than {:?}: {message}", self.injection);
        Ok(())
    }

    /// The errnos that a report may name. Where init has an answer to an errno, it may fail at that; where the call
    /// was itself the answer to another's failure, that other failure is still what is wrong.
    fn errnos(&self) -> Vec<Errno> {
        let fault = if let Then::Next(next) = self.injection.then { next } else { self.injection.fault };
        let mut may = vec![if let Fault::Fails(errno) = fault { errno } else { Errno::EIO }];
        if matches!(may[0], Errno::EEXIST | Errno::ENOENT) {
            let later = self.run.calls.iter().skip(self.injection.place + 1).filter_map(|call| call.answer);
            may.extend(later.filter(|answer| *answer < 0).map(|answer| Errno::from_raw(-answer as i32)));
        }
        // Where there are no controllers, none can be enabled.
        if fault == Fault::Short(0) && self.step().is_some_and(|step| step.verb == Verb::Controllers) {
            may.push(Errno::ENOENT);
        }
        let place = self.injection.place;
        let before = place.checked_sub(1).filter(|at| self.reference.step_of[*at] == self.index());
        let failed = before.and_then(|at| self.run.calls[at].answer).filter(|answer| *answer < 0);
        may.extend(failed.map(|answer| Errno::from_raw(-answer as i32)));
        may
    }
}

pub fn messages(text: &str) -> Vec<String> {
    text.lines().map(str::to_string).collect()
}

/// The line that a message names.
pub fn number(message: &str) -> Option<usize> {
    message.split(':').nth(2)?.parse().ok()
}
