//! What takes the place of what only a VM's root may do: the call is changed on its way into the kernel, or made once more
//! with other arguments after a refusal.

use anyhow::Result;
use language::Verb;
use libc::{
    EACCES, ENOSYS, EPERM, EROFS, MS_BIND, MS_REC, SYS_finit_module as MODULE, SYS_mount as MOUNT,
    SYS_openat as OPENAT, c_long, user_regs_struct,
};

use super::enclosure::STORE;
use super::memory::Memory;

/// Below the stack pointer and its red zone: nothing of init's.
const SCRATCH: u64 = 4096;
const ROOM: u64 = 256;

/// The x86-64 instruction `syscall`.
const SYSCALL_BYTES: u64 = 2;

/// A call with other arguments or another result, and what to tell of it.
pub struct StandIn {
    pub registers: user_regs_struct,
    /// It is made once more.
    pub is_again: bool,
    pub note: &'static str,
}

/// Before a call: what must not even be tried.
pub fn before(memory: &Memory, registers: &user_regs_struct) -> Result<Option<StandIn>> {
    if registers.orig_rax as c_long != MOUNT {
        return Ok(None);
    }
    match memory.string(registers.rdx).as_deref() {
        Some("devtmpfs") => {
            let note = "stand-in: a folder with null, zero, full, random, urandom, tty and console; devtmpfs is one for \
                        the whole machine";
            bound(memory, *registers, "dev", note).map(Some)
        }
        Some("cgroup2" | "cgroup") => {
            let note = "stand-in: a folder with files of cgroup2's names; the real one is this machine's own";
            bound(memory, *registers, "cgroup", note).map(Some)
        }
        _ => Ok(None),
    }
}

/// After a refusal: what a VM's kernel would not refuse.
pub fn after(
    memory: &Memory,
    registers: &user_regs_struct,
    verb: Option<Verb>,
    tries: usize,
) -> Result<Option<StandIn>> {
    let errno = -(registers.rax as i64) as i32;
    match registers.orig_rax as c_long {
        MOUNT if errno == EPERM => {
            let found = match (memory.string(registers.rdx).as_deref(), tries) {
                (Some("proc"), 0) => {
                    bound(memory, *registers, "proc", "EPERM here, so a stand-in: this machine's own /proc")?
                }
                (Some("sysfs"), 0) => {
                    bound(memory, *registers, "sys", "EPERM here, so a stand-in: this machine's own /sys")?
                }
                (Some("tmpfs"), _) => return Ok(None),
                _ => empty(memory, *registers)?,
            };
            Ok(Some(again(found, registers)))
        }
        OPENAT if verb == Some(Verb::Write) && tries == 0 && matches!(errno, EACCES | EPERM | EROFS) => {
            let mut changed = *registers;
            changed.rdi = libc::AT_FDCWD as u64;
            changed.rsi = put(memory, registers, 0, &format!("{STORE}/sink"))?;
            let note = "refused here, so written to nowhere: only a VM's root may";
            Ok(Some(again(StandIn { registers: changed, is_again: true, note }, registers)))
        }
        MODULE if matches!(errno, EPERM | ENOSYS) => {
            let done = user_regs_struct { rax: 0, ..*registers };
            Ok(Some(StandIn { registers: done, is_again: false, note: "not loaded: only a VM's root may" }))
        }
        _ => Ok(None),
    }
}

/// A bind mount of something in the store, which the working directory of init holds.
fn bound(memory: &Memory, mut registers: user_regs_struct, name: &str, note: &'static str) -> Result<StandIn> {
    registers.rdi = put(memory, &registers, 0, &format!("{STORE}/{name}"))?;
    registers.rdx = 0;
    registers.r10 = MS_BIND | MS_REC;
    registers.r8 = 0;
    Ok(StandIn { registers, is_again: true, note })
}

/// An empty tmpfs.
fn empty(memory: &Memory, mut registers: user_regs_struct) -> Result<StandIn> {
    registers.rdx = put(memory, &registers, 1, "tmpfs")?;
    registers.r8 = 0;
    Ok(StandIn {
        registers,
        is_again: true,
        note: "EPERM here, so a stand-in: an empty tmpfs; in a VM root may mount it",
    })
}

/// The same instruction once more, with the arguments of `changed`.
fn again(changed: StandIn, refused: &user_regs_struct) -> StandIn {
    let mut registers = changed.registers;
    registers.rax = refused.orig_rax;
    registers.rip = refused.rip - SYSCALL_BYTES;
    StandIn { registers, ..changed }
}

fn put(memory: &Memory, registers: &user_regs_struct, place: u64, text: &str) -> Result<u64> {
    let address = registers.rsp - SCRATCH + place * ROOM;
    memory.write(address, &[text.as_bytes(), &[0]].concat())?;
    Ok(address)
}
