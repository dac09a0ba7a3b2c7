//! The laboratory's commands, and its crates under one name for the tests.

pub mod command;

pub mod boot;
pub mod client;
pub mod containerd;
pub mod dist;
pub mod docs;
pub mod test;

pub use breakage::{faults, fuzz, matrix};
pub use figures;
pub use machine::{accel, bundle, cleanup, clock, demo, pairing, qemu, sandbox, share, task, vsock};
pub use measure::{bench, profile, size, timeline};
pub use sources::{apt, arch, build, host, image, kernel, locale, toolchain, workspace};
pub use tool::{check, compression, cpio, elf, fit, init, initramfs, insertion, modules, output, pack, plan, trial};
