//! Init, watched from its first instruction to its service's.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libc::{SYS_sendfile as SENDFILE, c_long, user_regs_struct};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use serde_json::{Value, json};

use super::ledger::{Ledger, Taken};
use super::memory::Memory;
use super::sandbox::Held;
use super::substitute;
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

impl Ending {
    pub fn json(&self) -> Value {
        match self {
            Ending::Service => json!({"kind": "service"}),
            Ending::Exit(code) => json!({"kind": "exit", "code": code}),
            Ending::Killed(signal) => json!({"kind": "signal", "signal": signal.as_str()}),
        }
    }
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
                if let Some(substitute) = substitute::before(memory, &registers)? {
                    ptrace::setregs(held.pid, substitute.registers).context("cannot change a call of init's")?;
                    ledger.note(substitute.note);
                }
                Some(Call { registers, since: Instant::now(), tries: 0, is_of_step })
            }
            Some(call) if is_inside => Some(Call { since: Instant::now(), ..call }),
            Some(call) => leave(held, memory, ledger, call, &registers)?,
        };
    }
}

/// After a call: it is made again, or init goes on.
fn leave(
    held: &Held,
    memory: &Memory,
    ledger: &mut Ledger,
    call: Call,
    now: &user_regs_struct,
) -> Result<Option<Call>> {
    ledger.leave(memory, &call.registers, now.rax, call.since.elapsed(), call.is_of_step);
    if call.registers.orig_rax as c_long == SENDFILE {
        keep_mode(held, &call.registers)?;
    }
    // The kernel leaves a call's arguments as they are, and init counts on that.
    let mut registers = call.registers;
    (registers.rax, registers.rip, registers.rcx, registers.r11) = (now.rax, now.rip, now.rcx, now.r11);
    let found = substitute::after(memory, &registers, ledger.verb(), call.tries)?;
    let next = found.as_ref().map_or(registers, |substitute| substitute.registers);
    ptrace::setregs(held.pid, next).context("cannot change a call of init's")?;
    let Some(substitute) = found else { return Ok(None) };
    ledger.note(substitute.note);
    Ok(substitute.is_again.then_some(Call { tries: call.tries + 1, ..call }))
}

/// Gives a copy the set-uid and set-gid bits of its original again. A write takes them away, but from a VM's root:
/// should_remove_suid in fs/inode.c asks for CAP_FSETID outside of every namespace.
fn keep_mode(held: &Held, call: &user_regs_struct) -> Result<()> {
    let file = |descriptor: u64| format!("/proc/{}/fd/{}", held.pid, descriptor as i32);
    let mode = |descriptor| fs::metadata(file(descriptor)).map(|about| about.permissions().mode() & 0o7777);
    let (Ok(copy), Ok(original)) = (mode(call.rdi), mode(call.rsi)) else { return Ok(()) };
    let kept = copy | original & (libc::S_ISUID | libc::S_ISGID);
    if kept != copy {
        fs::set_permissions(file(call.rdi), fs::Permissions::from_mode(kept)).context("cannot give a copy its mode")?;
    }
    Ok(())
}
