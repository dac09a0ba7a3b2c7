//! How the agent ends: by its exit code, or, when the kernel command line carries `agent_exit=PORT`,
//! by telling the VMM the code and powering off.

use std::io::Write;

use nix::sys::reboot::{RebootMode, reboot};

/// The variable with the I/O port of QEMU's `isa-debug-exit` device, in hexadecimal.
const PORT_VARIABLE: &str = "agent_exit";

/// Ends the agent, and the machine where that was asked for.
pub fn end(code: i32) -> ! {
    if let Err(error) = std::io::stdout().flush() {
        eprintln!("agent: cannot write: {error}");
    }
    if let Ok(port) = std::env::var(PORT_VARIABLE) {
        drain(1);
        tell_vmm(&port, code);
        let Err(error) = reboot(RebootMode::RB_POWER_OFF);
        eprintln!("agent: cannot power off: {error}");
    }
    std::process::exit(code)
}

/// Waits until a terminal has sent what was written to it: the machine ends at once, and with more than one CPU another
/// one may be sending still. What isn't a terminal has nothing to send.
fn drain(descriptor: i32) {
    // SAFETY: no memory is involved.
    unsafe { nix::libc::tcdrain(descriptor) };
}

/// Writes the code to the port. QEMU ends then, with `2 * code + 1`.
#[cfg(target_arch = "x86_64")]
fn tell_vmm(port: &str, code: i32) {
    let Ok(port) = u16::from_str_radix(port.trim_start_matches("0x"), 16) else {
        eprintln!("agent: {PORT_VARIABLE}={port} is no port");
        return;
    };
    // SAFETY: asks for the right to one port; no memory is involved.
    if unsafe { nix::libc::ioperm(port.into(), 1, 1) } != 0 {
        eprintln!("agent: cannot use port {port:#x}: {}", std::io::Error::last_os_error());
        return;
    }
    // SAFETY: the kernel just allowed this port; the instruction touches no memory.
    unsafe { std::arch::asm!("out dx, al", in("dx") port, in("al") code as u8, options(nomem, nostack)) }
}

/// Other machines have no I/O ports: powering off says it all.
#[cfg(not(target_arch = "x86_64"))]
fn tell_vmm(_port: &str, _code: i32) {}
