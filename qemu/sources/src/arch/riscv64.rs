//! RISC-V, 64 bit: QEMU's virt, and semihosting for the guest's code.

use super::{Arch, Qemu};

pub static RISCV64: Arch = Arch {
    name: "riscv64",
    shown: "riscv64",
    target: "riscv64gc-unknown-linux-gnu",
    machine: 243,
    emulation: "elf64lriscv",
    debian: "riscv64",
    triplet: "riscv64-linux-gnu",
    kernel: "linux-image-riscv64",
    first: Some(("trixie", &["bullseye", "bookworm"])),
    kernels: &["trixie", "sid"],
    qemu: Qemu {
        program: "qemu-system-riscv64",
        machine: &["-M", "virt", "-cpu", "rv64"],
        exit: &["-semihosting-config", "enable=on,userspace=on,target=native"],
        console: "ttyS0",
        command_line: "quiet panic=-1 agent_exit=semihosting",
        has_tsc: false,
    },
};
