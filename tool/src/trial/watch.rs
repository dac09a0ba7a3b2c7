//! Init, watched from its first instruction to its service's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use language::Verb;
use libc::{SYS_clone as CLONE, SYS_rt_sigreturn as SIGRETURN, SYS_sendfile as SENDFILE};
use nix::unistd::Pid;

use super::emulator::Emulator;
use super::ledger::{Ledger, Taken};
use super::substitute;
use crate::plan::{Plan, Step};
use crate::tracer::{End, Memory, Registers, Stop, Tracer};

pub struct Watched {
    pub steps: Vec<Taken>,
    /// How init ended; none where the service is about to run.
    pub ending: Option<End>,
}

/// Watches it up to the service or the end.
pub fn watch(tracer: &mut Tracer, plan: &Plan, emulator: Option<&Emulator>) -> Result<Watched> {
    let steps = plan.steps().iter().map(taken).collect();
    let memory = Memory::of(tracer.pid)?;
    let mut ledger = Ledger {
        plan: plan.text(),
        base: None,
        steps,
        current: 0,
        loose: Vec::new(),
        least: Duration::MAX,
        uncounted: 0,
        has_bound: false,
        has_started: false,
    };
    let ending = follow(tracer, &memory, &mut ledger)?;
    if let (Some(End::Exited(line)), Some(_)) = (ending, emulator) {
        refused(&mut ledger, line as usize);
    }
    Ok(Watched { steps: ledger.close(), ending })
}

fn taken(step: &Step) -> Taken {
    Taken { line: step.line, text: step.text(), time: None, notes: Vec::new(), verb: step.verb }
}

/// A call that init is in, as it made it.
struct Call {
    registers: Registers,
    since: Instant,
    /// How often it was refused and made again.
    tries: usize,
    is_of_step: bool,
    /// It was not made, and is to be made so.
    instead: Option<Registers>,
}

/// What a service that is spawned has in a VM alone.
const OF_SPAWN: &str = "a VM has more: ctrl-alt-del, disks to unmount, a machine that reboot(2) ends";

/// Says of the step that init ended with why an emulator has made no call for it.
fn refused(ledger: &mut Ledger, line: usize) {
    let (has_bound, has_started) = (ledger.has_bound, ledger.has_started);
    let Some(step) = ledger.steps.iter_mut().find(|step| step.line == line) else { return };
    let note = match step.verb {
        Verb::Bind if !has_bound => "this emulator has no open_tree(2): QEMU 7.2 has not, QEMU 10 has",
        Verb::Run | Verb::Spawn if !has_started => {
            "qemu-user starts no child without a signal for its end, which init's have not: boot it in QEMU instead"
        }
        _ => return,
    };
    step.notes.push(note.to_string());
}

/// From call to call: two stops each, one before and one after.
fn follow(tracer: &mut Tracer, memory: &Memory, ledger: &mut Ledger) -> Result<Option<End>> {
    let mut call: Option<Call> = None;
    loop {
        let stop = tracer.next_stop()?;
        call = match (stop, call) {
            // Which an emulator makes of its own: it leaves with all registers of before a signal.
            (Stop::Enters(registers), None) if registers.number() == SIGRETURN => None,
            (Stop::Enters(registers), None) => {
                let is_of_step = ledger.enter(memory, &registers);
                if registers.number() == CLONE && ledger.step().is_some_and(|step| step.verb == Verb::Spawn) {
                    tracer.hold_child()?;
                    ledger.note(OF_SPAWN);
                }
                let instead = substitute::before(memory, &registers)?;
                if let Some(substitute) = &instead {
                    registers.without_call().put(tracer.pid)?;
                    ledger.note(substitute.note);
                }
                let instead = instead.map(|substitute| substitute.registers);
                Some(Call { registers, since: Instant::now(), tries: 0, is_of_step, instead })
            }
            (Stop::Enters(_), Some(call)) => Some(Call { since: Instant::now(), ..call }),
            // Not changed before the call: not every processor's kernel would heed its first argument.
            (Stop::Leaves(now), Some(call @ Call { instead: Some(instead), .. })) => {
                instead.left(now).again().put(tracer.pid)?;
                Some(Call { instead: None, ..call })
            }
            (Stop::Leaves(registers), Some(call)) => leave(tracer.pid, memory, ledger, call, registers)?,
            (Stop::Leaves(_), None) => None,
            (Stop::Executes, call) => {
                ledger.end(call.map_or(Duration::ZERO, |call| call.since.elapsed()));
                return Ok(None);
            }
            (Stop::Ends(end), _) => return Ok(Some(end)),
        };
    }
}

/// After a call: it is made again, or init goes on.
fn leave(pid: Pid, memory: &Memory, ledger: &mut Ledger, call: Call, now: Registers) -> Result<Option<Call>> {
    ledger.leave(memory, &call.registers, now.result(), call.since.elapsed(), call.is_of_step);
    if call.registers.number() == SENDFILE {
        keep_mode(pid, &call.registers)?;
    }
    let registers = call.registers.left(now);
    let found = substitute::after(memory, &registers, ledger.step(), call.tries)?;
    found.as_ref().map_or(registers, |substitute| substitute.registers).put(pid)?;
    let Some(substitute) = found else { return Ok(None) };
    ledger.note(substitute.note);
    Ok(substitute.is_again.then_some(Call { tries: call.tries + 1, ..call }))
}

/// Gives a copy the set-uid and set-gid bits of its original again. A write takes them away, but from a VM's root:
/// should_remove_suid in fs/inode.c asks for CAP_FSETID outside of every namespace.
fn keep_mode(pid: Pid, call: &Registers) -> Result<()> {
    let [copy_at, original_at, ..] = call.arguments().map(|descriptor| format!("/proc/{pid}/fd/{}", descriptor as i32));
    let mode = |file: &str| fs::metadata(file).map(|about| about.permissions().mode() & 0o7777);
    let (Ok(copy), Ok(original)) = (mode(&copy_at), mode(&original_at)) else { return Ok(()) };
    let kept = copy | original & (libc::S_ISUID | libc::S_ISGID);
    if kept != copy {
        fs::set_permissions(copy_at, fs::Permissions::from_mode(kept)).context("cannot give a copy its mode")?;
    }
    Ok(())
}
