//! Where things come from: this workspace's own programs, Debian's packages and kernels, and what machine this is.
//!
//! From the top floor down: what is fetched and built (`kernel`, `image`, `build`, `cargo_program`); compilers (`toolchain`); packages
//! (`apt`); processors (`arch`); the machine and the tree (`host`, `locale`, `workspace`).

pub mod build;
pub mod cargo_program;
pub mod image;
pub mod kernel;

pub mod toolchain;

pub mod apt;

pub mod arch;

pub mod host;
pub mod locale;
pub mod workspace;
