//! How the agent ends: by its exit code, or, when the kernel command line carries `agent_exit=WAY`,
//! by telling the VMM the code and powering off.

#[cfg_attr(target_arch = "x86_64", path = "ending/port.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "ending/semihosting.rs")]
mod way;

use std::io::Write;

use nix::sys::reboot::{RebootMode, reboot};

/// The variable with the way to tell the VMM. On x86-64 it is the I/O port of QEMU's `isa-debug-exit` device, in hexadecimal; other
/// machines have no such ports, and it is `semihosting`.
const VARIABLE: &str = "agent_exit";

/// Ends the agent, and the machine where that was asked for.
pub fn end(code: i32) -> ! {
    if let Err(error) = std::io::stdout().flush() {
        eprintln!("agent: cannot write: {error}");
    }
    if let Ok(way) = std::env::var(VARIABLE) {
        drain(1);
        if let Err(error) = way::tell_vmm(&way, code) {
            eprintln!("agent: {VARIABLE}={way}: {error}");
        }
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
