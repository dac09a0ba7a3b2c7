//! RISC-V, 64 bit: the result takes the first argument's register. The kernel takes that argument before a tracer sees the call.

use anyhow::{Context, Result};
use libc::{PTRACE_SYSCALL_INFO_ENTRY, user_regs_struct};
use nix::sys::ptrace;
use nix::unistd::Pid;

/// The length of the instruction `ecall`.
pub const INSTRUCTION: u64 = 4;

pub fn number(now: &user_regs_struct) -> u64 {
    now.a7
}

/// It still has its register.
pub fn restore_number(_: &mut user_regs_struct) {}

pub fn arguments(now: &mut user_regs_struct) -> [&mut u64; 6] {
    [&mut now.a0, &mut now.a1, &mut now.a2, &mut now.a3, &mut now.a4, &mut now.a5]
}

/// Before a call its register has -ENOSYS already, from Linux 6.11 on; the kernel keeps the argument elsewhere.
pub fn first(pid: Pid, now: &user_regs_struct) -> Result<u64> {
    let info = ptrace::syscall_info(pid).context("cannot read the arguments of init's call")?;
    // SAFETY: `op` says which part of the union the kernel has written: ptrace(2).
    let argument = (info.op == PTRACE_SYSCALL_INFO_ENTRY).then(|| unsafe { info.u.entry.args[0] });
    Ok(argument.unwrap_or(now.a0))
}

pub fn result(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.a0
}

pub fn instruction_pointer(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.pc
}

pub fn stack_pointer(now: &user_regs_struct) -> u64 {
    now.sp
}

pub fn leave(entered: &mut user_regs_struct, now: user_regs_struct) {
    entered.a0 = now.a0;
    entered.pc = now.pc;
}

/// No call has this number.
pub fn leave_out(pid: Pid, now: user_regs_struct) -> Result<()> {
    let none = user_regs_struct { a7: u64::MAX, ..now };
    ptrace::setregs(pid, none).context("cannot change init's registers")
}
