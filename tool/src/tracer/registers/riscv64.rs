//! RISC-V, 64 bit: the result takes the first argument's register. The kernel takes that argument before a tracer sees the call.

use anyhow::{Context, Result};
use libc::user_regs_struct;
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
