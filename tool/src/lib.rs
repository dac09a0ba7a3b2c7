//! What people use moveroot with, as a library: the program `moveroot` and the laboratory, `cargo vm`, use the same code.
//!
//! Floors, from the top: the commands (`check`, `pack`, `trial`, which is `try`); a plan and the tree that it would run on (`fit`,
//! `modules`, `insertion`, `plan`); trees and where init comes from (`init`, `initramfs`); what starts
//! an init here and follows it (`namespaces`, `calls`, `tracer`); the formats at the bottom.

pub mod check;
pub mod pack;
pub mod trial;

pub mod fit;
pub mod modules;

pub mod insertion;

pub mod plan;

pub mod init;
pub mod initramfs;

pub mod namespaces;

pub mod calls;
pub mod tracer;

pub mod compression;
pub mod cpio;
pub mod elf;
pub mod execute;
pub mod output;
