//! The registers of a system call, by the processor's calling convention, syscall(2): nothing else looks at them.

use anyhow::{Context, Result};
use libc::user_regs_struct;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// The length of the instruction `syscall`.
const SYSCALL_BYTES: u64 = 2;

#[derive(Clone, Copy, Debug)]
pub struct Registers(user_regs_struct);

impl Registers {
    /// Those of a process that is stopped.
    pub fn of(pid: Pid) -> Result<Registers> {
        ptrace::getregs(pid).map(Registers).context("cannot read init's registers")
    }

    /// Changes those of a process that is stopped.
    pub fn put(&self, pid: Pid) -> Result<()> {
        ptrace::setregs(pid, self.0).context("cannot change init's registers")
    }

    /// The call's own.
    pub fn number(&self) -> i64 {
        self.0.orig_rax as i64
    }

    /// Those after the call's own are left over from something else.
    pub fn arguments(&self) -> [u64; 6] {
        [self.0.rdi, self.0.rsi, self.0.rdx, self.0.r10, self.0.r8, self.0.r9]
    }

    pub fn with_argument(mut self, place: usize, value: u64) -> Registers {
        let Registers(now) = &mut self;
        *[&mut now.rdi, &mut now.rsi, &mut now.rdx, &mut now.r10, &mut now.r8, &mut now.r9][place] = value;
        self
    }

    /// A negative errno, or a value.
    pub fn result(&self) -> i64 {
        self.0.rax as i64
    }

    pub fn with_result(self, result: i64) -> Registers {
        Registers(user_regs_struct { rax: result as u64, ..self.0 })
    }

    pub fn instruction_pointer(&self) -> u64 {
        self.0.rip
    }

    pub fn stack_pointer(&self) -> u64 {
        self.0.rsp
    }

    /// Before a call: no call has this number, so the kernel makes none.
    pub fn without_call(self) -> Registers {
        Registers(user_regs_struct { orig_rax: u64::MAX, ..self.0 })
    }

    /// After a call: the same instruction once more.
    pub fn again(self) -> Registers {
        let Registers(now) = self;
        Registers(user_regs_struct { rax: now.orig_rax, rip: now.rip - SYSCALL_BYTES, ..now })
    }

    /// How the kernel leaves a call that was entered with `self`, whatever was changed in between: it keeps all arguments, and
    /// init counts on that.
    pub fn left(self, now: Registers) -> Registers {
        let Registers(now) = now;
        Registers(user_regs_struct { rax: now.rax, rip: now.rip, rcx: now.rcx, r11: now.r11, ..self.0 })
    }
}
