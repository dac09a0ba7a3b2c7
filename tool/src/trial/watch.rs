//! Init, watched from its first instruction to its service's.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libc::user_regs_struct;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};

use super::enclosure::Held;
use super::ledger::{Ledger, Taken};
use super::memory::Memory;
use super::stand_in;
use crate::plan::{Plan, Step};

pub struct Watched {
    pub steps: Vec<Taken>,
    pub ending: Ending,
}

#[derive(Debug)]
pub enum Ending {
    /// The service is about to run.
    Service,
    Exit(i32),
    Killed(Signal),
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Ending::Service => write!(out, "it does"),
            Ending::Exit(code) => write!(out, "init exited with {code}, and a kernel would panic"),
            Ending::Killed(signal) => write!(out, "{signal} ended init, and a kernel would panic"),
        }
    }
}

/// Watches it up to the service or the end.
pub fn watch(held: &Held, plan: &Plan) -> Result<Watched> {
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(held.pid, options).context("cannot watch init")?;
    let steps = plan.steps().iter().map(taken).collect();
    let memory = Memory::of(held.pid)?;
    let mut ledger =
        Ledger { plan: plan.text(), base: None, steps, current: 0, loose: Vec::new(), least: Duration::MAX };
    let ending = follow(held, &memory, &mut ledger)?;
    Ok(Watched { steps: ledger.close(), ending })
}

fn taken(step: &Step) -> Taken {
    Taken { line: step.line, text: step.text(), time: None, notes: Vec::new(), verb: step.verb }
}

/// A call that init is in, as it made it.
struct Call {
    registers: user_regs_struct,
    since: Instant,
    /// How often it was refused and made again.
    tries: usize,
    is_of_step: bool,
}

/// From call to call: two stops each, one before and one after.
fn follow(held: &Held, memory: &Memory, ledger: &mut Ledger) -> Result<Ending> {
    let mut call: Option<Call> = None;
    let mut is_inside = false;
    loop {
        ptrace::syscall(held.pid, None).context("cannot go on watching init")?;
        match waitpid(held.pid, None).context("cannot wait for init")? {
            WaitStatus::PtraceSyscall(_) => is_inside = !is_inside,
            WaitStatus::PtraceEvent(..) => {
                ledger.end(call.map_or(Duration::ZERO, |call| call.since.elapsed()));
                return Ok(Ending::Service);
            }
            WaitStatus::Exited(_, code) => return Ok(Ending::Exit(code)),
            WaitStatus::Signaled(_, signal, _) => return Ok(Ending::Killed(signal)),
            _ => continue,
        }
        let registers = ptrace::getregs(held.pid).context("cannot read init's registers")?;
        call = match call {
            None => {
                let is_of_step = ledger.enter(memory, &registers);
                if let Some(stand_in) = stand_in::before(memory, &registers)? {
                    ptrace::setregs(held.pid, stand_in.registers).context("cannot change a call of init's")?;
                    ledger.note(stand_in.note);
                }
                Some(Call { registers, since: Instant::now(), tries: 0, is_of_step })
            }
            Some(call) if is_inside => Some(Call { since: Instant::now(), ..call }),
            Some(call) => leave(held, memory, ledger, call, &registers)?,
        };
    }
}

/// Behind a call: it is made again, or init goes on.
fn leave(
    held: &Held,
    memory: &Memory,
    ledger: &mut Ledger,
    call: Call,
    now: &user_regs_struct,
) -> Result<Option<Call>> {
    ledger.leave(memory, &call.registers, now.rax, call.since.elapsed(), call.is_of_step);
    // The kernel leaves a call's arguments as they are, and init counts on that.
    let mut registers = call.registers;
    (registers.rax, registers.rip, registers.rcx, registers.r11) = (now.rax, now.rip, now.rcx, now.r11);
    let found = stand_in::after(memory, &registers, ledger.verb(), call.tries)?;
    let next = found.as_ref().map_or(registers, |stand_in| stand_in.registers);
    ptrace::setregs(held.pid, next).context("cannot change a call of init's")?;
    let Some(stand_in) = found else { return Ok(None) };
    ledger.note(stand_in.note);
    Ok(stand_in.is_again.then_some(Call { tries: call.tries + 1, ..call }))
}
