//! moveroot, the `/init` of a microVM's initramfs: no standard library, no C library, no writable data.
//!
//! From the top down; each file imports only from those below it:
//! 1. `start`: where the kernel enters, one file for each processor.
//! 2. `boot`: the story of a boot, in one screen.
//! 3. `steps`: what the verbs do, one function each.
//! 4. `plan`: the plan, found, read and checked.
//! 5. `report`: one message grammar, one printing site, one death path.
//! 6. `roots`: the initramfs and the new root, and which of them `/` is.
//! 7. `scratch`: a buffer for text that is put together; `errno`: the names of error numbers.
//! 8. `built_in`: the plan that was built in, and what a program with that plan alone leaves out.
//! 9. `sys`: typed system calls.
//!
//! The plan language is a crate of its own, `language`. In this one, only `start` and `sys` may do what the compiler cannot check.
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

/// Nothing here is meant to panic; should it happen, the kernel prints this exit code.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    sys::process::exit(report::ExitCode::OTHER)
}
