//! moveroot, the `/init` of a microVM's initramfs: no standard library, no C library, no writable data.
//!
//! From the top down; each file imports only from those below it:
//! 1. `start`: where the kernel enters, one file for each processor.
//! 2. `boot`: the story of a boot, in one screen.
//! 3. `steps`: what the verbs do, one function each.
//! 4. `plan`: the plan, found, read and checked.
//! 5. `report`: one message grammar, one printing site, one death path.
//! 6. `roots`: the initramfs and the new root, and which of them `/` is.
//! 7. `scratch`: a buffer for text being built.
//! 8. `errno`: the names of error numbers.
//! 9. `built_in`: the built-in plan, and what a program that runs no other leaves out.
//! 10. `sys`: typed system calls.
//!
//! The plan language is a crate of its own, `language`. In this one, only `start` and `sys` have unsafe code.
//! Everything that can be checked is checked before the first step runs;
//! every failure is one line that names the plan, the line, the step, its object and the errno.
#![no_std]
#![no_main]

mod boot;
mod built_in;
mod errno;
#[cfg_attr(feature = "fixed-plan", path = "plan/fixed.rs")]
mod plan;
mod report;
mod roots;
mod scratch;
mod start;
mod steps;
mod sys;

/// A panic is a bug. It has no message, only this exit code, which the kernel prints.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    sys::process::exit(report::ExitCode::OTHER)
}
