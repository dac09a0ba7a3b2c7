//! A process followed from system call to system call: ptrace(2).

mod memory;
mod registers;

use anyhow::{Context, Result, bail};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

pub use memory::Memory;
pub use registers::Registers;

/// Follows one process, from the thread that started it.
pub struct Tracer {
    pub pid: Pid,
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
    /// It has become another program, and has run nothing of it.
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

impl Tracer {
    /// Of a process that asked for it by PTRACE_TRACEME and then became a program, which it has run nothing of.
    pub fn of(pid: Pid) -> Result<Tracer> {
        match waitpid(pid, None).context("cannot wait for init")? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
            other => bail!("init did not start: {other:?}"),
        }
        let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(pid, options).context("cannot watch init")?;
        Ok(Tracer { pid, is_inside: false, signal: None })
    }

    /// Lets it go on up to where it stops next.
    pub fn next_stop(&mut self) -> Result<Stop> {
        loop {
            ptrace::syscall(self.pid, self.signal.take()).context("cannot go on watching init")?;
            match waitpid(self.pid, None).context("cannot wait for init")? {
                WaitStatus::PtraceSyscall(_) => break,
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
        ptrace::detach(self.pid, None).context("cannot let the service go")?;
        End::of(self.pid)
    }
}
