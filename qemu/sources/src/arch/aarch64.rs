//! AArch64: QEMU's virt, which has no device to end it with a code. Its semihosting does, under TCG.

use super::{Arch, Qemu};

pub static AARCH64: Arch = Arch {
    name: "aarch64",
    shown: "aarch64",
    target: "aarch64-unknown-linux-gnu",
    machine: 183,
    emulation: "aarch64linux",
    debian: "arm64",
    triplet: "aarch64-linux-gnu",
    kernel: "linux-image-cloud-arm64",
    first: None,
    kernels: &["bookworm", "trixie:16k", "sid"],
    qemu: Qemu {
        program: "qemu-system-aarch64",
        // Pointer authentication makes TCG four times slower. `max` has the granules of all page sizes.
        machine: &["-M", "virt", "-cpu", "max,pauth=off"],
        exit: &["-semihosting-config", "enable=on,userspace=on,target=native"],
        console: "ttyAMA0",
        command_line: "quiet panic=-1 agent_exit=semihosting",
        has_tsc: false,
    },
};
