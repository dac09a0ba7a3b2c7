//! AArch64: the result takes the first argument's register, and the kernel keeps the number apart from the registers.

use std::io;

use anyhow::{Context, Result};
use libc::{c_int, c_void, iovec, user_regs_struct};
use nix::unistd::Pid;

/// The length of the instruction `svc`.
pub const INSTRUCTION: u64 = 4;

/// The register set that is the number of the call under way: elf.h of the kernel's uapi.
const NT_ARM_SYSTEM_CALL: usize = 0x404;

pub fn number(now: &user_regs_struct) -> u64 {
    now.regs[8]
}

/// It still has its register.
pub fn restore_number(_: &mut user_regs_struct) {}

pub fn arguments(now: &mut user_regs_struct) -> [&mut u64; 6] {
    let [first, second, third, fourth, fifth, sixth, ..] = &mut now.regs;
    [first, second, third, fourth, fifth, sixth]
}

pub fn first(_: Pid, now: &user_regs_struct) -> Result<u64> {
    Ok(now.regs[0])
}

pub fn result(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.regs[0]
}

pub fn instruction_pointer(now: &mut user_regs_struct) -> &mut u64 {
    &mut now.pc
}

pub fn stack_pointer(now: &user_regs_struct) -> u64 {
    now.sp
}

pub fn leave(entered: &mut user_regs_struct, now: user_regs_struct) {
    entered.regs[0] = now.regs[0];
    entered.pc = now.pc;
}

/// No call has this number.
pub fn leave_out(pid: Pid, _: user_regs_struct) -> Result<()> {
    let mut none: c_int = -1;
    let part = iovec { iov_base: (&raw mut none).cast::<c_void>(), iov_len: size_of::<c_int>() };
    // SAFETY: ptrace(2) reads the number that `part` names, and writes nothing here.
    let result = unsafe { libc::ptrace(libc::PTRACE_SETREGSET, pid.as_raw(), NT_ARM_SYSTEM_CALL, &raw const part) };
    if result < 0 { Err(io::Error::last_os_error()).context("cannot leave out init's call") } else { Ok(()) }
}
