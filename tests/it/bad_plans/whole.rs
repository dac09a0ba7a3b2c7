//! The whole init under plans of any kind: as root of a user namespace, so that whatever a plan says the kernel keeps
//! this machine out of it. See `vm::sandbox`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use fuzz::model::{self, Judgement, Step};
use language::Fault;
use nix::errno::Errno;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use vm::sandbox::Outcome;

use crate::namespaces::initramfs;

use super::texts::{mutated, plan, written};
use super::{cases, runner};

/// What came of a run, in one of the ways there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// The service ran.
    Booted,
    /// A step failed, and its line is told.
    Failed,
    /// No service could be run.
    NoService,
    /// The plan was refused before its first step.
    Refused,
}

const FAULTS: [Fault; 13] = [
    Fault::UnknownVerb,
    Fault::TooFewWords,
    Fault::TooManyWords,
    Fault::NotAbsolute,
    Fault::NotOctal,
    Fault::NotAnAssignment,
    Fault::NotANumber,
    Fault::UnknownLimit,
    Fault::UnknownAction,
    Fault::NotForANewMount,
    Fault::OutOfOrder,
    Fault::NoExec,
    Fault::TooLong,
];

fn fault_text(name: &str) -> String {
    let fault = FAULTS.into_iter().find(|fault| format!("{fault:?}") == name);
    fault.map_or(String::new(), |fault| fault.text().to_string())
}

/// How the run ended, if it did in a way that is documented.
fn ending(judgement: &Judgement, outcome: &Outcome) -> Result<Ending> {
    ensure!(!outcome.timed_out, "init hangs");
    // The power off and the restart of a pid namespace end init by SIGINT and SIGHUP: reboot_pid_ns in kernel/pid_namespace.c.
    let is_off = matches!(outcome.signal, Some(1 | 2)) && outcome.stderr.lines().any(is_of_the_end);
    let code =
        outcome.code.or(is_off.then_some(0)).with_context(|| format!("signal {:?} ended init", outcome.signal))?;
    match judgement.faults.first() {
        Some(fault) => refused(fault, code, outcome),
        None => ran(judgement, code, outcome),
    }
}

/// Whether a line is of what follows a service that was spawned: its exit status, or a mount that could not be ended.
fn is_of_the_end(line: &str) -> bool {
    line.strip_prefix("moveroot: ").is_some_and(|rest| rest.starts_with('/') && rest.contains(": "))
}

/// What was written to the log, without priorities.
fn logged(outcome: &Outcome) -> String {
    outcome.kmsg.lines().map(|line| format!("{}\n", line.get(3..).unwrap_or_default())).collect()
}

/// One line, which names the fault and its line, and nothing else was said or done.
fn refused(fault: &model::Fault, code: i32, outcome: &Outcome) -> Result<Ending> {
    let place = if fault.line == 0 { String::new() } else { format!("{}: ", fault.line) };
    let colon = if fault.line == 0 { ": " } else { ":" };
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let [line] = lines[..] else { bail!("{} lines instead of one", lines.len()) };
    ensure!(line.starts_with(&format!("moveroot: boot.plan{colon}{place}")), "another line than {fault:?}");
    ensure!(line.ends_with(&format!(": {}", fault_text(&fault.what))), "another fault than {fault:?}");
    let expected = match (fault.line, fault.what.as_str()) {
        (0, "NoExec") => 201,
        (0, _) => 200,
        (line, _) => i32::from(line.min(199)),
    };
    ensure!(code == expected, "{code} instead of {expected} for {fault:?}");
    ensure!(logged(outcome) == outcome.stderr && outcome.stdout.is_empty(), "more was said, or elsewhere");
    Ok(Ending::Refused)
}

/// Warnings of steps that may fail, then the service, or the line of the step that failed.
fn ran(judgement: &Judgement, code: i32, outcome: &Outcome) -> Result<Ending> {
    // What follows the end of a service that was spawned. Without permissions the machine is not ended, which is the step's failure.
    let (after, lines): (Vec<&str>, Vec<&str>) = outcome.stderr.lines().partition(|line| is_of_the_end(line));
    let has_booted = !outcome.stdout.is_empty();
    let is_failed = !has_booted
        || !after.is_empty() && outcome.signal.is_none() && lines.last().is_some_and(|line| line.contains(": spawn "));
    let (warnings, last) = lines.split_at(lines.len() - usize::from(is_failed && !lines.is_empty()));
    for warning in warnings {
        ensure!(step_of(judgement, warning)?.may_fail, "boot went on after {warning}");
    }
    if has_booted {
        ensure!(outcome.stdout.contains("agent: "), "somebody else has booted");
        match last {
            [line] => ensure!(code == i32::from(step_of(judgement, line)?.line.min(199)), "{code} for {line}"),
            _ => ensure!([0, 1].contains(&code), "the agent exited {code}"),
        }
        return Ok(Ending::Booted);
    }
    let last = *last.first().context("init says nothing")?;
    let drops_log = |step: &Step| step.verb == "drop" && String::from_utf8_lossy(&step.words[1]).contains("dev");
    let has_log = !judgement.steps.iter().any(drops_log);
    ensure!(!has_log || logged(outcome).ends_with(&format!("{last}\n")), "the log has not {last}");
    if last == "moveroot: boot.plan: ends without exec or spawn" {
        ensure!(code == 201 && judgement.steps.last().is_some_and(|step| step.may_fail), "{code}");
        return Ok(Ending::NoService);
    }
    let step = step_of(judgement, last)?;
    ensure!(!step.may_fail, "boot ended with {last}");
    ensure!(code == i32::from(step.line.min(199)), "{code} for line {}", step.line);
    Ok(Ending::Failed)
}

/// The step that a failure's line names, if the line is right: `moveroot: boot.plan:LINE: VERB …: ERRNO (NUMBER)`.
fn step_of<'j>(judgement: &'j Judgement, line: &str) -> Result<&'j Step> {
    let wrong = || format!("this is no message: {line}");
    let (number, rest) =
        line.strip_prefix("moveroot: boot.plan:").and_then(|rest| rest.split_once(": ")).with_context(wrong)?;
    let number: u16 = number.parse().with_context(wrong)?;
    let (objects, reason) = rest.rsplit_once(": ").with_context(wrong)?;
    let verb = objects.split(' ').next().unwrap_or_default();
    let step = judgement.steps.iter().find(|step| step.line == number && step.verb == verb).with_context(wrong)?;
    if verb == "run" && reason.starts_with("exit status ") {
        return Ok(step);
    }
    let (name, errno) = reason.strip_suffix(')').and_then(|reason| reason.split_once(" (")).with_context(wrong)?;
    let errno = Errno::from_raw(errno.parse().with_context(wrong)?);
    ensure!(name == format!("{errno:?}"), "another name than {errno:?}: {line}");
    Ok(step)
}

/// What the generated plans' sources may find.
fn run(text: &[u8]) -> Result<Outcome> {
    let sandbox = initramfs()?.plan(text)?.without_rights()?;
    let sandbox = sandbox.file("/etc/file", "content\n", 0o640)?.file("/empty", "", 0o644)?;
    sandbox.symlink("file", "/etc/link")?.symlink("/e", "/e")?.dir("/a/b", 0o700)?.run()
}

/// Runs plans and counts their endings.
fn endings(cases: u32, seed: u8, texts: impl Strategy<Value = Vec<u8>>) -> BTreeMap<Ending, u32> {
    let counts = RefCell::new(BTreeMap::new());
    let result = runner(cases, seed).run(&texts, |text| {
        let outcome = run(&text).expect("a sandbox can be made");
        let ending = ending(&fuzz::assert_right(&text), &outcome);
        let shown = || format!("{:?}\n{outcome:#?}", String::from_utf8_lossy(&text));
        match ending {
            Ok(ending) => *counts.borrow_mut().entry(ending).or_insert(0) += 1,
            Err(error) => return Err(TestCaseError::fail(format!("{error:#}: {}", shown()))),
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    counts.into_inner()
}

/// Why any plan may run here: what would touch the machine is refused, whatever stands before it.
#[test]
fn the_machine_is_out_of_reach() -> Result<()> {
    let steps = [
        ("mount devtmpfs /dev devtmpfs", "mount devtmpfs on /dev: EPERM (1)"),
        ("mount sysfs /sys sysfs", "mount sysfs on /sys: EPERM (1)"),
        ("mount proc /proc proc", "mount proc on /proc: EPERM (1)"),
        ("mount /dev/vda /disk ext4", "mount /dev/vda on /disk: EPERM (1)"),
        ("mount none /debug debugfs", "mount none on /debug: EPERM (1)"),
        ("module /etc/file", "module /etc/file: EPERM (1)"),
        ("bind /proc/sysrq-trigger", "bind /proc/sysrq-trigger: ENOENT (2)"),
        ("write /sys/fs/cgroup/cgroup.procs 1", "write /sys/fs/cgroup/cgroup.procs: ENOENT (2)"),
    ];
    let lines: String = steps.iter().map(|(step, _)| format!("-{step}\n")).collect();
    let outcome = run(format!("root\nbind /sbin/agent\n{lines}exec /sbin/agent --report\n").as_bytes())?;
    let said = |(at, (_, said)): (usize, &(&str, &str))| format!("moveroot: boot.plan:{}: {said}\n", at + 3);
    // A kernel that has no modules says so before it asks who wants one.
    let stderr = outcome.stderr.replace("ENOSYS (38)", "EPERM (1)");
    assert_eq!(stderr, steps.iter().enumerate().map(said).collect::<String>());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    Ok(())
}

#[test]
fn random_plans_end_as_documented() {
    let texts = (plan(), vec(any::<Index>(), 1..12)).prop_map(|(plan, noise)| written(&plan, &noise));
    let counts = endings(cases(150, 10_000), 4, texts);
    println!("{counts:?}");
    let count = |ending| counts.get(&ending).copied().unwrap_or_default();
    assert!(count(Ending::Booted) > 10 && count(Ending::Failed) > 10, "the plans are of no use: {counts:?}");
    assert_eq!(count(Ending::Refused), 0);
}

#[test]
fn mutated_plans_end_as_documented() {
    let counts = endings(cases(100, 5_000), 5, mutated());
    println!("{counts:?}");
    assert!(counts.get(&Ending::Refused).is_some_and(|count| *count > 10), "the plans are of no use: {counts:?}");
}
