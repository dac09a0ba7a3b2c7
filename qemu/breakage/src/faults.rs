//! Fault injection: each system call of a boot goes wrong once in each way it can, and each boot is judged.
//!
//! The calls are those of a traced run, so one that is new to init is covered without anybody naming it here.

use std::fmt::{self, Display, Formatter};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use nix::errno::Errno;
use syscalls::Sysno;

mod injection;
mod judge;
mod scenario;
pub mod spawned;
mod state;
mod tracer;

use injection::{Call, Fault, Injection, Then};
use judge::{Case, Verdict};
use scenario::Reference;
pub use scenario::Scenario;
use tracer::Run;

/// The errnos that calls fail with.
const ERRNOS: [Errno; 14] = [
    Errno::EIO,
    Errno::EINTR,
    Errno::ENOENT,
    Errno::EEXIST,
    Errno::EPERM,
    Errno::ENOMEM,
    Errno::EACCES,
    Errno::EBUSY,
    Errno::ENODEV,
    Errno::EINVAL,
    Errno::ENOSPC,
    Errno::EROFS,
    Errno::ENOSYS,
    Errno::EAGAIN,
];

/// How many of them, from the first on, every call fails with even in the short form, those to which init has an answer; of
/// the others a share, another one for each call.
const ALWAYS: usize = 4;
const SHARE: usize = 4;

/// A boot waits for the kernel about as long as it computes.
const BOOTS_PER_CPU: usize = 2;

/// What came of a scenario.
#[derive(Debug)]
pub struct Summary {
    pub scenario: String,
    /// Calls of init in a run without a fault.
    pub calls: usize,
    /// Calls that cannot go wrong.
    pub left_out: usize,
    pub booted: usize,
    pub warned: usize,
    pub failed: usize,
    /// Runs that ended in none of the three ways, each with all there is to see of it.
    pub wrong: Vec<String>,
}

impl Display for Summary {
    fn fmt(&self, to: &mut Formatter) -> fmt::Result {
        let Summary { scenario, calls, left_out, booted, warned, failed, wrong } = self;
        let runs = booted + warned + failed + wrong.len();
        write!(to, "faults: {scenario}: {calls} calls ({left_out} cannot fail), {runs} runs: {booted} booted, ")?;
        write!(to, "{warned} booted with a warning, {failed} failed with their line, {} otherwise", wrong.len())
    }
}

/// Runs a scenario once for each call and each fault; the short form leaves out most errnos of each call.
pub fn run(scenario: &Scenario, long: bool) -> Result<Summary> {
    let reference = scenario.reference()?;
    let injections = injections(&reference.clean, long);
    ensure!(!injections.is_empty(), "{}: no call to fail", scenario.name);
    let results = in_parallel(&injections, |injection| try_one(scenario, &reference, *injection));
    let count = |wanted| results.iter().filter(|result| matches!(result, Ok(verdict) if *verdict == wanted)).count();
    Ok(Summary {
        scenario: scenario.name.to_string(),
        calls: reference.clean.calls.len(),
        left_out: reference.clean.calls.iter().filter(|call| cannot_fail(call)).count(),
        booted: count(Verdict::Booted),
        warned: count(Verdict::Warned),
        failed: count(Verdict::Failed),
        wrong: results.iter().filter_map(|result| result.as_ref().err().cloned()).collect(),
    })
}

/// What a function makes of each of these.
fn in_parallel<I: Sync, R: Send>(of: &[I], run: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..BOOTS_PER_CPU * thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(item) = of.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run(item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// All that is to go wrong, in the order of the calls.
fn injections(clean: &Run, long: bool) -> Vec<Injection> {
    let mut found = Vec::new();
    for (place, call) in clean.calls.iter().enumerate().filter(|(_, call)| !cannot_fail(call)) {
        let mut add = |fault, then| found.push(Injection { place, fault, then });
        for (at, errno) in ERRNOS.into_iter().enumerate() {
            if long || at < ALWAYS || (place + at).is_multiple_of(SHARE) {
                add(Fault::Fails(errno), Then::Well);
            }
            if at == 0 {
                add(Fault::Fails(errno), Then::Following);
            }
            // A signal interrupts a call once, not for ever: and PID 1 has no handler that would make one do so.
            if errno != Errno::EINTR && (long || at == 0) {
                add(Fault::Fails(errno), Then::Ever);
            }
        }
        if let (Some(_), Some(answer @ 1..)) = (call.count, call.answer) {
            let mut shorts = vec![0, 1, answer as u64 / 2];
            shorts.retain(|short| *short < answer as u64);
            shorts.dedup();
            shorts.iter().for_each(|short| add(Fault::Short(*short), Then::Well));
            for (at, errno) in ERRNOS.into_iter().enumerate() {
                if call.name != Sysno::write && (long || at < ALWAYS) {
                    add(Fault::Short(answer as u64 / 2), Then::Next(Fault::Fails(errno)));
                }
            }
        }
    }
    found
}

/// getpid(2) always has an answer, exit_group(2) never; fcntl(2) of a descriptor that is not open always has the same.
fn cannot_fail(call: &Call) -> bool {
    let is_closed = call.answer == Some(-(Errno::EBADF as i64));
    matches!(call.name, Sysno::getpid | Sysno::exit_group) || call.name == Sysno::fcntl && is_closed
}

fn try_one(scenario: &Scenario, reference: &Reference, injection: Injection) -> Result<Verdict, String> {
    let Injection { place, fault, then } = injection;
    let call = reference.clean.calls[place].name;
    let step = reference.step_of[place].map(|step| reference.steps[step].text());
    let what = format!("{}: call {place}, {call}, {fault:?}, then {then:?}, of {step:?}", scenario.name);
    let run = scenario.run(Some(injection)).map_err(|error| format!("{what}: {error:#}"))?;
    let verdict = Case { scenario, reference, injection, run: &run }.verdict();
    verdict.map_err(|error| {
        let calls: Vec<_> = run.calls.iter().skip(place).map(|call| (call.name, call.answer)).collect();
        let (outcome, made) = (&run.outcome, &run.made);
        format!("{what}: {error:#}\n  calls from there: {calls:?}\n  {outcome:?}\n  made {made:?}")
    })
}
