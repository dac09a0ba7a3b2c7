//! A process followed from system call to system call: ptrace(2).

mod memory;
mod registers;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

pub use memory::Memory;
pub use registers::Registers;

/// Follows one process, from the thread that started it.
pub struct Tracer {
    pub pid: Pid,
    /// The process that executes a program: this one, or a child of it.
    pub service: Pid,
    is_inside: bool,
    /// For the process, when it goes on.
    signal: Option<Signal>,
}

/// Where it stopped.
#[derive(Debug)]
pub enum Stop {
    /// Before a system call.
    Enters(Registers),
    /// After one.
    Leaves(Registers),
    /// It, or its child, has become another program, and has run nothing of it.
    Executes,
    Ends(End),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Killed(Signal),
}

impl End {
    /// Waits for it.
    pub fn of(pid: Pid) -> Result<End> {
        let status = waitpid(pid, None).context("cannot wait for the process")?;
        End::told(status).with_context(|| format!("the process ended oddly: {status:?}"))
    }

    fn told(status: WaitStatus) -> Option<End> {
        match status {
            WaitStatus::Exited(_, code) => Some(End::Exited(code)),
            WaitStatus::Signaled(_, signal, _) => Some(End::Killed(signal)),
            _ => None,
        }
    }
}

fn is_child(event: i32) -> bool {
    [Event::PTRACE_EVENT_VFORK, Event::PTRACE_EVENT_FORK].iter().any(|child| event == *child as i32)
}

const OPTIONS: Options =
    Options::PTRACE_O_TRACESYSGOOD.union(Options::PTRACE_O_TRACEEXEC).union(Options::PTRACE_O_EXITKILL);

impl Tracer {
    /// Of a process that asked for it by PTRACE_TRACEME and then became a program, which it has run nothing of.
    pub fn of(pid: Pid) -> Result<Tracer> {
        match waitpid(pid, None).context("cannot wait for init")? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            other => bail!("init did not start: {other:?}"),
        }
        ptrace::setoptions(pid, OPTIONS).context("cannot watch init")?;
        Ok(Tracer { pid, service: pid, is_inside: false, signal: None })
    }

    /// From here on a child that it starts by vfork(2) is held, too, when it has become a program. An emulator does so by fork(2).
    pub fn hold_child(&self) -> Result<()> {
        let children = Options::PTRACE_O_TRACEVFORK | Options::PTRACE_O_TRACEFORK;
        ptrace::setoptions(self.pid, OPTIONS | children).context("cannot watch init's child")
    }

    /// Whether the child that it has just started becomes a program; then that child is held. Else it has ended.
    fn holds_child(&mut self) -> Result<bool> {
        let child = ptrace::getevent(self.pid).context("cannot tell init's child")?;
        let child = Pid::from_raw(child as i32);
        loop {
            match waitpid(child, None).context("cannot wait for init's child")? {
                WaitStatus::PtraceEvent(..) => break,
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return Ok(false),
                _ => ptrace::cont(child, None).context("cannot go on watching init's child")?,
            }
        }
        self.service = child;
        Ok(true)
    }

    /// Lets it go on up to where it stops next.
    pub fn next_stop(&mut self) -> Result<Stop> {
        loop {
            ptrace::syscall(self.pid, self.signal.take()).context("cannot go on watching init")?;
            match waitpid(self.pid, None).context("cannot wait for init")? {
                WaitStatus::PtraceSyscall(_) => break,
                WaitStatus::PtraceEvent(_, _, event) if is_child(event) => {
                    if self.holds_child()? {
                        return Ok(Stop::Executes);
                    }
                }
                WaitStatus::PtraceEvent(..) => return Ok(Stop::Executes),
                WaitStatus::Stopped(_, signal) => self.signal = Some(signal),
                other => {
                    let end = End::told(other);
                    return end
                        .map(Stop::Ends)
                        .with_context(|| format!("init stopped for an unknown reason: {other:?}"));
                }
            }
        }
        self.is_inside = !self.is_inside;
        let registers = Registers::of(self.pid)?;
        Ok(if self.is_inside { Stop::Enters(registers) } else { Stop::Leaves(registers) })
    }

    /// Lets it run on its own, to its end.
    pub fn let_go(self) -> Result<End> {
        for pid in BTreeSet::from([self.service, self.pid]) {
            ptrace::detach(pid, None).context("cannot let the service go")?;
        }
        End::of(self.pid)
    }
}
