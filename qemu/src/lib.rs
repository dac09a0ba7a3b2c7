//! The harness of moveroot, as a library: the command `vm` and the tests use the same code.
//!
//! Floors, from the top: the commands (`boot`, `test`, `pack`, `check`, `trial`, which is `try`, `bench`, `size`, `profile`,
//! `matrix`, `fuzz`, with `timeline`); what goes into a guest and how it runs (`bundle`, `plan`, `fit`, `pairing`,
//! `modules`, `initramfs`, `disk`, `accel`, `qemu` with `console`, `port` and `clock`, `vsock` with `leavings`, `task`; `faults`
//! over `sandbox`); where things come from (`kernel`, `image`, `build`, `cargo_program`, `apt`); the formats and places at
//! the bottom (`calls`, `compression`, `cpio`, `elf`, `locale`, `machine`, `output`, `workspace`).

pub mod bench;
pub mod boot;
pub mod check;
pub mod fuzz;
pub mod matrix;
pub mod pack;
pub mod profile;
pub mod size;
pub mod test;
pub mod timeline;
pub mod trial;

pub mod accel;
pub mod bundle;
pub mod clock;
mod console;
mod disk;
pub mod faults;
pub mod fit;
pub mod initramfs;
pub mod leavings;
pub mod modules;
pub mod pairing;
pub mod plan;
pub mod port;
pub mod qemu;
pub mod sandbox;
pub mod task;
pub mod vsock;

pub mod apt;
pub mod build;
mod cargo_program;
pub mod image;
pub mod kernel;

mod calls;
pub mod compression;
pub mod cpio;
pub mod elf;
pub mod locale;
mod machine;
mod output;
pub mod workspace;
