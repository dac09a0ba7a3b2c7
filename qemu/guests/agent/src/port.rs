//! An I/O port that a VMM listens on, QEMU's `isa-debugcon`: bytes leave the guest by it without a driver. x86-64 alone
//! has such ports.

use std::io;

/// Where timelines' marks go.
pub const MARKS: u16 = 0xe9;

/// A mark's last two bytes: who made it. See [`mark`].
pub const FROM_AGENT: [u8; 2] = *b"ag";
/// The mark is followed by a message of the kernel's log, its number being the text's length and its time that of the
/// log, in microseconds.
pub const FROM_LOG: [u8; 2] = *b"lo";
/// From the init, if it was built with its feature `marks`.
pub const FROM_INIT: [u8; 2] = *b"it";

/// Opens a message of the log that goes on with the time stamp counter as it was then.
pub const BOTH_CLOCKS: &str = "agent: time stamp counter ";

/// What the agent marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Service = 1,
    ContainerStart = 2,
    ContainerEnd = 3,
}

/// A mark as it goes through the port: the time in eight bytes, a number in two, the lowest first; who made it.
pub fn mark(time: u64, number: u16, from: [u8; 2]) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&time.to_le_bytes());
    bytes[8..10].copy_from_slice(&number.to_le_bytes());
    bytes[10..].copy_from_slice(&from);
    bytes
}

/// A port that this process may write to.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "there is none"))]
pub struct Port(u16);

#[cfg(target_arch = "x86_64")]
impl Port {
    /// Asks the kernel for the right: ioperm(2).
    pub fn open(number: u16) -> io::Result<Port> {
        // SAFETY: asks for the right to one port; no memory is involved.
        match unsafe { nix::libc::ioperm(number.into(), 1, 1) } {
            0 => Ok(Port(number)),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub fn write(self, bytes: &[u8]) {
        // SAFETY: the kernel has allowed this port; the instruction reads as many bytes as there are.
        unsafe {
            std::arch::asm!(
                "rep outsb",
                in("dx") self.0,
                inout("rsi") bytes.as_ptr() => _,
                inout("rcx") bytes.len() => _,
                options(readonly, nostack)
            )
        }
    }
}

/// The time stamp counter.
#[cfg(target_arch = "x86_64")]
pub fn ticks() -> u64 {
    // SAFETY: every x86-64 has this counter, and Linux lets it be read.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
impl Port {
    /// There is none.
    pub fn open(_number: u16) -> io::Result<Port> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn write(self, _bytes: &[u8]) {}
}

#[cfg(not(target_arch = "x86_64"))]
pub fn ticks() -> u64 {
    0
}
