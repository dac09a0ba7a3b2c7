//! Marks for a timeline, with the feature `marks`: bytes written to an I/O port, which a VMM sees as they come.
//! No part of the init that is shipped. Only x86-64 has such ports.
//!
//! A mark is twelve bytes, each number little-endian: eight of the time stamp counter; two of the step's line, 0 for init's entry;
//! the two letters `it`. It takes no system call; the permission to use the port takes one, ioperm(2), at the entry. The service
//! inherits that permission.

use super::call::{Errno, call};
use core::arch::asm;
use core::arch::x86_64::_rdtsc;

/// QEMU's `isa-debugcon`, as Bochs has it.
const PORT: u16 = 0xe9;

/// `ioperm(PORT, 1, 1)`, then the mark of the entry, with the time before that call: ioperm(2).
pub fn begin_marks() -> Result<(), Errno> {
    let entry = now();
    // SAFETY: no memory is touched.
    unsafe { call!(ioperm, PORT, 1, 1) }.done()?;
    send(entry, 0);
    Ok(())
}

/// Marks that the step of this line begins.
pub fn mark(line: u16) {
    send(now(), line);
}

fn now() -> u64 {
    // SAFETY: every x86-64 has this counter, and Linux lets it be read.
    unsafe { _rdtsc() }
}

fn send(time: u64, line: u16) {
    let line = line.to_le_bytes();
    let rest = u32::from_le_bytes([line[0], line[1], b'i', b't']);
    let record = [time, rest.into()];
    // SAFETY: twelve bytes of `record` are read; `begin_marks` has got the permission for the port.
    unsafe {
        asm!("rep outsb", in("dx") PORT, inout("rsi") record.as_ptr() => _, inout("rcx") 12 => _, options(readonly, nostack));
    }
}
