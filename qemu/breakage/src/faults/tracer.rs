//! Makes one of an init's system calls fail, in a run that is followed from call to call.
//!
//! A call that fails is not made at all, but for close(2); a call that comes short is made with a smaller count, so that the
//! kernel really does less. strace(1) injects errnos too, but no smaller counts, does not stop init where its files and
//! mounts can be compared, and would leave its log to be parsed for each of some eight thousand runs.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;
use syscalls::Sysno;

use super::injection::{Call, Fault, Injection, Then, count};
use super::state::{self, Facts};
use machine::sandbox::watch::{Ending, kill, pidfd};
use machine::sandbox::{Outcome, Sandbox};
use tool::tracer::{End, Registers, Stop, Tracer};

const SECOND: Duration = Duration::from_secs(1);

/// A boot that was followed.
#[derive(Debug)]
pub struct Run {
    pub calls: Vec<Call>,
    pub outcome: Outcome,
    /// Init has become the service.
    pub booted: bool,
    /// What was in the new root when init became the service or gave up; none where there was no new root.
    pub made: Option<Facts>,
    /// The mounts by then, where it booted.
    pub mounts: Facts,
}

/// Runs `/init`, following it until it becomes the service.
pub fn follow(sandbox: Sandbox, injection: Option<Injection>) -> Result<Run> {
    let mut injector = Injector { injection, ..Injector::default() };
    let outcome = sandbox.run_watched(true, |pid, limit| injector.watch(pid, limit))?;
    let Injector { calls, booted, made, mounts, .. } = injector;
    Ok(Run { calls, outcome, booted, made, mounts })
}

#[derive(Default)]
struct Injector {
    injection: Option<Injection>,
    /// The call that went wrong, as long as the next of its name may as well.
    struck: Option<Sysno>,
    calls: Vec<Call>,
    booted: bool,
    made: Option<Facts>,
    mounts: Facts,
}

impl Injector {
    /// Follows it, and kills it at the time limit.
    fn watch(&mut self, pid: Pid, limit: Duration) -> Result<Ending> {
        let process = &pidfd(pid)?;
        let (end, done) = channel::<()>();
        thread::scope(|scope| {
            let guard = scope.spawn(move || {
                // By the second: where a whole guest gets no processor time for a while, that counts as one.
                let is_running = |_| matches!(done.recv_timeout(SECOND), Err(RecvTimeoutError::Timeout));
                let is_late = (0..limit.as_secs()).all(is_running);
                if is_late {
                    kill(process);
                }
                is_late
            });
            let ended = self.trace(pid);
            drop(end);
            let timed_out = guard.join().unwrap_or(true);
            if ended.is_err() {
                kill(process);
            }
            Ok(Ending::of(ended?, timed_out))
        })
    }

    /// Until init ends, or the service that it becomes, which runs on its own. The kernel kills init with its tracer.
    fn trace(&mut self, pid: Pid) -> Result<End> {
        let mut tracer = Tracer::of(pid)?;
        // The registers as they were before a fault changed them, and the answer to give, from a call's entry to its exit.
        let mut inside: Option<(Registers, Option<i64>)> = None;
        loop {
            match (tracer.next_stop()?, inside) {
                (Stop::Enters(entered), _) => inside = Some((entered, self.enter(pid, entered)?)),
                (Stop::Leaves(now), Some((entered, answer))) => self.leave(pid, entered.left(now), answer)?,
                (Stop::Leaves(_), None) => bail!("init left a call that it has not made"),
                (Stop::Executes, _) => {
                    self.booted = true;
                    self.mounts = state::mounts(pid)?;
                    self.made = state::new_root(pid)?;
                    return tracer.let_go();
                }
                (Stop::Ends(end), _) => return Ok(end),
            }
        }
    }

    /// The answer that the call is to have, if it is not the kernel's.
    fn enter(&mut self, pid: Pid, entered: Registers) -> Result<Option<i64>> {
        let number = entered.number();
        let name = usize::try_from(number).ok().and_then(Sysno::new);
        let name = name.with_context(|| format!("init made a call without a name: {number}"))?;
        let (arguments, place) = (entered.arguments(), count(name));
        self.calls.push(Call { name, first: arguments[0], count: place.map(|place| arguments[place]), answer: None });
        if name == Sysno::exit_group {
            self.made = state::new_root(pid)?;
        }
        let answer = match self.fault_of(name) {
            Some(Fault::Fails(errno)) => Some(-i64::from(errno as i32)),
            Some(Fault::Short(0)) => Some(0),
            Some(Fault::Short(fewer)) => {
                let place = place.context("a call without a count cannot come short")?;
                entered.with_argument(place, fewer).put(pid)?;
                None
            }
            None => None,
        };
        // close(2) is the one call that does its work and fails: the descriptor is gone.
        if answer.is_some() && name != Sysno::close {
            entered.without_call().put(pid)?;
        }
        Ok(answer)
    }

    fn leave(&mut self, pid: Pid, left: Registers, answer: Option<i64>) -> Result<()> {
        let answer = answer.unwrap_or(left.result());
        if let Some(call) = self.calls.last_mut() {
            call.answer = Some(answer);
        }
        left.with_result(answer).put(pid)
    }

    /// What goes wrong with the call that was entered last.
    fn fault_of(&mut self, name: Sysno) -> Option<Fault> {
        let Injection { place, fault, then } = self.injection?;
        if place == self.calls.len() - 1 {
            self.struck = Some(name);
            return Some(fault);
        }
        if then == Then::Following
            && place + 2 == self.calls.len()
            && !matches!(name, Sysno::exit_group | Sysno::getpid)
        {
            return matches!(fault, Fault::Fails(_)).then_some(fault);
        }
        if self.struck != Some(name) {
            return None;
        }
        match then {
            Then::Well | Then::Following => None,
            Then::Ever => Some(fault),
            Then::Next(next) => {
                self.struck = None;
                Some(next)
            }
        }
    }
}
