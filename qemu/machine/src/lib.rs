//! What boots a machine and hears it: QEMU and what goes into its guest, or namespaces of this machine.
//!
//! Floors, from the top: what a guest is made of and runs (`demo`, `task`, `pairing`, `bundle`, `disk`); what runs it and its devices
//! (`accel`, `share`, `vsock`); the machine (`qemu`, `sandbox`); what is heard of it (`console`, `port`, `clock`); what is left if it is
//! broken off (`cleanup`).

pub mod demo;
pub mod task;

pub mod bundle;
mod disk;
pub mod pairing;

pub mod accel;
pub mod share;
pub mod vsock;

pub mod qemu;
pub mod sandbox;

pub mod cleanup;
pub mod clock;
mod console;
pub mod port;
