//! x86-64.

use anyhow::{Context, Result};
use libc::user_regs_struct;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// The length of the instruction `syscall`.
pub const INSTRUCTION: u64 = 2;

pub fn number(now: &user_regs_struct) -> u64 {
    now.orig_rax
}

/// After a call its result has taken the number's place.
pub fn restore_number(now: &mut user_regs_struct) {
    now.rax = now.orig_rax;
}

pub fn arguments(now: &mut user_regs_struct) -> [&mut u64; 6] {
    [&mut now.rdi, &mut now.rsi, &mut now.rdx, &mut now.r10, &mut now.r8, &mut now.r9]
}

pub fn first(_: Pid, now: &user_regs_struct) -> Result<u64> {
    Ok(now.rdi)
}

pub fn result(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.rax
}

pub fn instruction_pointer(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.rip
}

pub fn stack_pointer(now: &user_regs_struct) -> u64 {
    now.rsp
}

/// A call may change more than its result: arch_prctl(2) does.
pub fn leave(entered: &mut user_regs_struct, now: user_regs_struct) {
    let user_regs_struct { rdi, rsi, rdx, r10, r8, r9, orig_rax, .. } = *entered;
    *entered = user_regs_struct { rdi, rsi, rdx, r10, r8, r9, orig_rax, ..now };
}

/// No call has this number.
pub fn leave_out(pid: Pid, now: user_regs_struct) -> Result<()> {
    let none = user_regs_struct { orig_rax: u64::MAX, ..now };
    ptrace::setregs(pid, none).context("cannot change init's registers")
}
