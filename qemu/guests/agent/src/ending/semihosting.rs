//! The way of machines without I/O ports: semihosting, which QEMU's TCG hears as instructions that otherwise only trap. From its
//! 64-bit specifications for Arm, which RISC-V has taken over.

use std::arch::asm;
use std::io::{Error, ErrorKind};

/// SYS_EXIT_EXTENDED, and its first word: ADP_Stopped_ApplicationExit.
const EXIT_EXTENDED: usize = 0x20;
const APPLICATION_EXIT: usize = 0x20026;

/// Asks for the end. QEMU ends with `2 * code + 1`, as a machine with I/O ports does.
pub fn tell_vmm(way: &str, code: i32) -> Result<(), Error> {
    if way != "semihosting" {
        return Err(ErrorKind::InvalidInput.into());
    }
    call(EXIT_EXTENDED, &[APPLICATION_EXIT, 2 * code as u8 as usize + 1]);
    Err(ErrorKind::Unsupported.into())
}

fn call(operation: usize, block: &[usize; 2]) {
    // SAFETY: reads the block, and answers in the register of the operation.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("hlt #0xf000", inout("x0") operation => _, in("x1") block, options(nostack));
    }
    // The three instructions are of four bytes each, and in one page.
    // SAFETY: as above.
    #[cfg(target_arch = "riscv64")]
    unsafe {
        asm!(
            ".option push",
            ".option norvc",
            ".balign 16",
            "slli zero, zero, 0x1f",
            "ebreak",
            "srai zero, zero, 7",
            ".option pop",
            inout("a0") operation => _,
            in("a1") block,
            options(nostack)
        );
    }
}
