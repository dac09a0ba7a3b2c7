//! The registers of a system call, by the processor's calling convention, syscall(2): nothing else looks at them.

#[cfg_attr(target_arch = "x86_64", path = "registers/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "registers/aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "registers/riscv64.rs")]
mod convention;

use anyhow::{Context, Result};
use libc::user_regs_struct;
use nix::sys::ptrace;
use nix::unistd::Pid;

#[derive(Clone, Copy, Debug)]
pub struct Registers {
    now: user_regs_struct,
    /// The call's first argument: where the result takes its register, that has it no more after the call.
    first: u64,
    /// The kernel is to make no call.
    is_left_out: bool,
}

impl Registers {
    /// Those of a process that is stopped.
    pub fn of(pid: Pid) -> Result<Registers> {
        let now = ptrace::getregs(pid).context("cannot read init's registers")?;
        let first = convention::first(pid, &now)?;
        Ok(Registers { now, first, is_left_out: false })
    }

    /// Changes those of a process that is stopped.
    pub fn put(&self, pid: Pid) -> Result<()> {
        if self.is_left_out {
            convention::leave_out(pid, self.now)
        } else {
            ptrace::setregs(pid, self.now).context("cannot change init's registers")
        }
    }

    /// The call's own.
    pub fn number(&self) -> i64 {
        convention::number(&self.now) as i64
    }

    /// Those after the call's own are left over from something else.
    pub fn arguments(&self) -> [u64; 6] {
        let mut now = self.now;
        let [_, rest @ ..] = convention::arguments(&mut now).map(|value| *value);
        let [second, third, fourth, fifth, sixth] = rest;
        [self.first, second, third, fourth, fifth, sixth]
    }

    /// Before a call, the first argument only for one that is made [`again`](Registers::again): RISC-V's kernel has taken it already.
    pub fn with_argument(mut self, place: usize, value: u64) -> Registers {
        *convention::arguments(&mut self.now)[place] = value;
        if place == 0 {
            self.first = value;
        }
        self
    }

    /// A negative errno, or a value.
    pub fn result(&self) -> i64 {
        let mut now = self.now;
        *convention::result(&mut now) as i64
    }

    pub fn with_result(mut self, result: i64) -> Registers {
        *convention::result(&mut self.now) = result as u64;
        self
    }

    pub fn instruction_pointer(&self) -> u64 {
        let mut now = self.now;
        *convention::instruction_pointer(&mut now)
    }

    pub fn stack_pointer(&self) -> u64 {
        convention::stack_pointer(&self.now)
    }

    /// Before a call: the kernel makes none.
    pub fn without_call(self) -> Registers {
        Registers { is_left_out: true, ..self }
    }

    /// After a call: the same instruction once more.
    pub fn again(mut self) -> Registers {
        *convention::arguments(&mut self.now)[0] = self.first;
        convention::restore_number(&mut self.now);
        *convention::instruction_pointer(&mut self.now) -= convention::INSTRUCTION;
        self
    }

    /// How the kernel leaves a call that was entered with `self`, whatever was changed in between: it keeps all arguments, and
    /// init counts on that.
    pub fn left(mut self, now: Registers) -> Registers {
        convention::leave(&mut self.now, now.now);
        self
    }
}
