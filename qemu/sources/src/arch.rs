//! The processors that init is built for, and everything that the laboratory takes for granted of each: a file for each of them.

mod aarch64;
mod riscv64;
mod x86_64;

use std::fmt;

pub use aarch64::AARCH64;
pub use riscv64::RISCV64;
pub use x86_64::X86_64;

pub const ALL: [&Arch; 3] = [&X86_64, &AARCH64, &RISCV64];

/// A processor.
#[derive(Debug, PartialEq, Eq)]
pub struct Arch {
    /// As rustc and uname(1) name it.
    pub name: &'static str,
    /// As messages do.
    pub shown: &'static str,
    /// rustc's target for what runs in a guest.
    pub target: &'static str,
    /// e_machine, elf(5).
    pub machine: u16,
    /// What the linker calls its files: lld's `-m`.
    pub emulation: &'static str,
    /// Debian's name.
    pub debian: &'static str,
    /// The first word of Debian's directories for its libraries.
    pub triplet: &'static str,
    /// The package that depends on the newest kernel for guests.
    pub kernel: &'static str,
    /// Debian's first release for it, and what came before.
    pub first: Option<(&'static str, &'static [&'static str])>,
    /// The Debian releases whose kernels are tried: the oldest first, the newest there is last; with other page sizes, if there are.
    pub kernels: &'static [&'static str],
    pub qemu: Qemu,
}

/// Its machine under QEMU.
#[derive(Debug, PartialEq, Eq)]
pub struct Qemu {
    pub program: &'static str,
    pub machine: &'static [&'static str],
    /// By which a guest's code leaves: [`code`](Qemu::code).
    pub exit: &'static [&'static str],
    /// The kernel's name of the serial port.
    pub console: &'static str,
    /// For the kernel's command line. A panic resets at once, which `-no-reboot` turns into QEMU's end. The kernel hands
    /// `agent_exit`, a word it doesn't know, to init as environment: the agent's way to tell its code.
    pub command_line: &'static str,
    /// The kernel has to be told the speed of its clock under TCG: clock.rs in the machine's crate.
    pub has_tsc: bool,
}

impl Qemu {
    /// The guest's code, from QEMU's: twice the guest's plus one, so that it can't be taken for one of QEMU's own ends.
    pub fn code(&self, status: i32) -> Option<u8> {
        (status % 2 == 1).then_some((status >> 1) as u8)
    }
}

impl Arch {
    /// For clap: by its name.
    pub fn named(name: &str) -> Result<&'static Arch, String> {
        let names = ALL.map(|arch| arch.name).join(", ");
        ALL.into_iter().find(|arch| arch.name == name).ok_or(format!("the processors are {names}"))
    }

    /// Whether this machine has it.
    pub fn is_native(&self) -> bool {
        self.name == std::env::consts::ARCH
    }

    /// The Debian release that its packages come from on a machine of this one.
    pub fn release<'r>(&self, own: &'r str) -> &'r str {
        match self.first {
            Some((first, before)) if before.contains(&own) => first,
            _ => own,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_found_by_name() {
        assert_eq!(Arch::named("riscv64"), Ok(&RISCV64));
        assert_eq!(Arch::named("arm"), Err("the processors are x86_64, aarch64, riscv64".to_string()));
    }

    #[test]
    fn come_from_a_release_that_has_them() {
        assert_eq!((AARCH64.release("bookworm"), RISCV64.release("bookworm")), ("bookworm", "trixie"));
        assert_eq!(RISCV64.release("sid"), "sid");
    }

    #[test]
    fn codes_are_the_guests_own() {
        assert_eq!([0, 1, 85].map(|status| X86_64.qemu.code(status)), [None, Some(0), Some(42)]);
    }
}
