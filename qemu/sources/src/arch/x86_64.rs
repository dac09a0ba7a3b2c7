//! x86-64: QEMU's microvm.

use super::{Arch, Qemu};

pub static X86_64: Arch = Arch {
    name: "x86_64",
    shown: "x86-64",
    target: "x86_64-unknown-linux-gnu",
    machine: 62,
    emulation: "elf_x86_64",
    debian: "amd64",
    triplet: "x86_64-linux-gnu",
    kernel: "linux-image-cloud-amd64",
    first: None,
    kernels: &["bullseye", "bookworm", "trixie", "sid"],
    qemu: Qemu {
        program: "qemu-system-x86_64",
        machine: &["-M", "microvm", "-cpu", "max"],
        exit: &["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"],
        console: "ttyS0",
        // By triple fault: a microvm has no other reset.
        command_line: "quiet panic=-1 reboot=t agent_exit=0xf4",
        has_tsc: true,
    },
};
