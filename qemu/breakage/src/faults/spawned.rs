//! Faults of what pid 1 does from the service's start to the machine's end: each is told, or makes no difference; none is a hang.

use anyhow::{Context, Result, ensure};
use language::Verb;
use nix::errno::Errno;
use syscalls::Sysno;

use super::injection::{Fault, Injection, Then};
use super::scenario::Scenario;
use super::tracer::{Run, follow};
use super::{ERRNOS, Summary, in_parallel};
use tool::plan::Plan;

/// Runs a plan that ends with `spawn` once for each call from there on and each errno.
pub fn run(scenario: &Scenario) -> Result<Summary> {
    let boot = |injection| follow((scenario.furnish)()?.plan(scenario.plan)?, injection);
    let clean = boot(None)?;
    // The first that is made for a service that is a child.
    let first =
        clean.calls.iter().position(|call| call.name == Sysno::rt_sigprocmask).context("nothing was spawned")?;
    let places = (first..clean.calls.len()).filter(|place| clean.calls[*place].name != Sysno::exit_group);
    let injections = places.flat_map(|place| {
        let fails = move |errno| Injection { place, fault: Fault::Fails(errno), then: Then::Well };
        ERRNOS.into_iter().chain([Errno::ECHILD, Errno::ESRCH]).map(fails)
    });
    let line =
        Plan::of("boot.plan", scenario.plan).steps().iter().find(|step| step.verb == Verb::Spawn).map(|step| step.line);
    let line = line.context("the plan spawns nothing")?;
    let results = in_parallel(&injections.collect::<Vec<_>>(), |injection| {
        let run = boot(Some(*injection)).map_err(|error| format!("{injection:?}: {error:#}"))?;
        let name = clean.calls[injection.place].name;
        judge(&clean, &run, *injection, line)
            .map_err(|error| format!("{name}, {injection:?}: {error:#}\n{:?}", run.outcome))
    });
    let count =
        |wanted| results.iter().filter(|result| result.as_ref().is_ok_and(|is_told| *is_told == wanted)).count();
    Ok(Summary {
        scenario: scenario.name.to_string(),
        calls: clean.calls.len() - first,
        left_out: 0,
        booted: count(false),
        warned: 0,
        failed: count(true),
        wrong: results.iter().filter_map(|result| result.as_ref().err().cloned()).collect(),
    })
}

/// Whether the fault was told as the failure of the step; else all went as without it.
fn judge(clean: &Run, run: &Run, injection: Injection, line: usize) -> Result<bool> {
    let (outcome, expected) = (&run.outcome, &clean.outcome);
    ensure!(!outcome.timed_out, "it hung");
    ensure!(outcome.signal.is_none(), "it died of signal {:?}", outcome.signal);
    let (said, last) = (outcome.stderr.as_str(), outcome.stderr.lines().last().unwrap_or_default());
    let Fault::Fails(errno) = injection.fault else { return Ok(false) };
    if last.starts_with(&format!("moveroot: boot.plan:{line}: spawn ")) {
        let errnos = [errno, Errno::ECHILD].map(|errno| format!(": {errno:?} ({})", errno as i32));
        ensure!(errnos.iter().any(|errno| last.ends_with(errno)), "another errno: {last}");
        ensure!(outcome.code == Some(line as i32), "the exit code is {:?}, not the line's", outcome.code);
        return Ok(true);
    }
    ensure!(outcome.code == expected.code, "the exit code is {:?} and nothing was said", outcome.code);
    // The end of the service is told on the console or in the log, whichever still takes it, and so is what could not be unmounted.
    let is_told = |text: &str| expected.stderr.lines().all(|line| text.contains(line));
    ensure!(is_told(said) || is_told(&outcome.kmsg), "the service's end is not told");
    Ok(false)
}
