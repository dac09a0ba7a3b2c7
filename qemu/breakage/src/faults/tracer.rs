//! Follows an init from system call to system call, and makes one of them fail: ptrace(2).
//!
//! A call that fails is not made at all, but for close(2); a call that comes short is made with a smaller count, so that the kernel really
//! does less.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::libc::{PTRACE_EVENT_EXEC, user_regs_struct};
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use syscalls::Sysno;

use super::injection::{Call, Fault, Injection, Then, count, count_register};
use super::state::{self, Facts};
use machine::sandbox::watch::Ending;
use machine::sandbox::{Outcome, Sandbox};

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
    let mut tracer = Tracer { injection, ..Tracer::default() };
    let (started, start) = channel();
    let (mut outcome, timed_out) = thread::scope(|scope| {
        // In this thread's namespace: the one that starts init can start no thread any more.
        let guard = scope.spawn(|| kill_when_late(start));
        let outcome = sandbox.run_watched(true, |child, limit| tracer.watch(child, limit, started));
        let timed_out = guard.join().unwrap_or(true);
        outcome.map(|outcome| (outcome, timed_out))
    })?;
    let Tracer { calls, booted, made, mounts, .. } = tracer;
    outcome.timed_out = timed_out;
    Ok(Run { calls, outcome, booted, made, mounts })
}

/// Kills the process that it is given when the sender is still there at the time limit: whether it was.
fn kill_when_late(start: Receiver<(OwnedFd, Duration)>) -> bool {
    let Ok((process, limit)) = start.recv() else { return false };
    let is_late = matches!(start.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
    if is_late {
        // One that has ended in the meantime needs no killing.
        let _ = pidfd_send_signal(&process, Signal::KILL);
    }
    is_late
}

#[derive(Default)]
struct Tracer {
    injection: Option<Injection>,
    /// The call that went wrong, as long as the next of its name may as well.
    struck: Option<Sysno>,
    calls: Vec<Call>,
    booted: bool,
    made: Option<Facts>,
    mounts: Facts,
}

impl Tracer {
    /// Traces to the end; the guard has the process by then.
    fn watch(&mut self, mut child: Child, limit: Duration, guard: Sender<(OwnedFd, Duration)>) -> Result<Ending> {
        let pid = Pid::from_raw(child.id() as i32);
        let process = rustix::process::Pid::from_child(&child);
        let process = pidfd_open(process, PidfdFlags::empty()).context("cannot open a process: pidfd_open(2)")?;
        guard.send((process, limit)).context("the guard is gone")?;
        let status = match self.trace(pid) {
            Ok(Some(status)) => status,
            Ok(None) => child.wait().context("cannot wait for the service")?,
            Err(error) => {
                child.kill()?;
                return Err(error);
            }
        };
        Ok(Ending { status, timed_out: false })
    }

    /// Until init ends: its status; or until it becomes the service, which then runs on its own: none.
    fn trace(&mut self, pid: Pid) -> Result<Option<ExitStatus>> {
        if let Some(status) = ended(waitpid(pid, None)?) {
            return Ok(Some(status));
        }
        let wanted = ptrace::Options::PTRACE_O_TRACESYSGOOD
            | ptrace::Options::PTRACE_O_TRACEEXEC
            | ptrace::Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(pid, wanted).context("cannot set ptrace's options")?;
        // The registers as they were before a fault changed them, and the answer to give, from a call's entry to its exit.
        let mut inside: Option<(user_regs_struct, Option<i64>)> = None;
        let mut signal = None;
        loop {
            ptrace::syscall(pid, signal.take()).context("cannot let init go on")?;
            let status = waitpid(pid, None).context("cannot wait for init")?;
            match status {
                WaitStatus::PtraceSyscall(_) => {
                    inside = match inside {
                        None => Some(self.enter(pid)?),
                        Some((entered, answer)) => {
                            self.leave(pid, entered, answer)?;
                            None
                        }
                    }
                }
                WaitStatus::PtraceEvent(_, _, PTRACE_EVENT_EXEC) => {
                    self.booted = true;
                    self.mounts = state::mounts(pid)?;
                    self.made = state::new_root(pid)?;
                    ptrace::detach(pid, None).context("cannot let the service go")?;
                    return Ok(None);
                }
                WaitStatus::Stopped(_, other) => signal = Some(other),
                other => match ended(other) {
                    Some(status) => return Ok(Some(status)),
                    None => bail!("init stopped for an unknown reason: {other:?}"),
                },
            }
        }
    }

    fn enter(&mut self, pid: Pid) -> Result<(user_regs_struct, Option<i64>)> {
        let entered = ptrace::getregs(pid).context("cannot read init's registers")?;
        let number = entered.orig_rax as usize;
        let name = Sysno::new(number).with_context(|| format!("init made a call without a name: {number}"))?;
        self.calls.push(Call { name, first: entered.rdi, count: count(name, &entered), answer: None });
        if name == Sysno::exit_group {
            self.made = state::new_root(pid)?;
        }
        let answer = match self.fault_of(name) {
            Some(Fault::Fails(errno)) => Some(-i64::from(errno as i32)),
            Some(Fault::Short(0)) => Some(0),
            Some(Fault::Short(fewer)) => {
                let mut changed = entered;
                *count_register(name, &mut changed).context("a call without a count cannot come short")? = fewer;
                ptrace::setregs(pid, changed).context("cannot change init's registers")?;
                None
            }
            None => None,
        };
        // close(2) is the one call that does its work and fails: the descriptor is gone.
        if answer.is_some() && name != Sysno::close {
            // No call has this number: the kernel makes none.
            let changed = user_regs_struct { orig_rax: u64::MAX, ..entered };
            ptrace::setregs(pid, changed).context("cannot change init's registers")?;
        }
        Ok((entered, answer))
    }

    /// The kernel leaves all registers but three as they were, and so must a fault.
    fn leave(&mut self, pid: Pid, entered: user_regs_struct, answer: Option<i64>) -> Result<()> {
        let mut left = ptrace::getregs(pid).context("cannot read init's registers")?;
        let answer = answer.unwrap_or(left.rax as i64);
        left.rax = answer as u64;
        (left.rdx, left.r10) = (entered.rdx, entered.r10);
        ptrace::setregs(pid, left).context("cannot change init's registers")?;
        if let Some(call) = self.calls.last_mut() {
            call.answer = Some(answer);
        }
        Ok(())
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

fn ended(status: WaitStatus) -> Option<ExitStatus> {
    match status {
        WaitStatus::Exited(_, code) => Some(ExitStatus::from_raw(code << 8)),
        WaitStatus::Signaled(_, signal, _) => Some(ExitStatus::from_raw(signal as i32)),
        _ => None,
    }
}
