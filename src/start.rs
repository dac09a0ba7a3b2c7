//! From the kernel's first instruction to [`boot::run`]: what the kernel has put on the stack, and where a boot's memory is.
//!
//! Holds on entry: the stack pointer is a multiple of 16, and memory looks like this (create_elf_tables in
//! fs/binfmt_elf.c). Holds on exit: there is none.
//!
//! ```text
//!   higher   auxiliary vector           not used here
//!            NULL
//!            envp[0] …                  pointers to NUL-terminated strings
//!            NULL
//!            argv[0] … argv[argc - 1]   pointers to NUL-terminated strings
//!   sp       argc
//!            Below                      zeros: nothing was ever written below the initial stack pointer
//!                                       (clear_user_highpage in include/linux/highmem.h)
//!   lower    our own stack
//! ```
#![allow(unsafe_code)]

use crate::boot::{self, Room};
use crate::sys::process::{Arguments, KernelWords};
use language::MAX_WORDS;

#[cfg_attr(target_arch = "x86_64", path = "start/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "start/aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "start/riscv64.rs")]
mod processor;

/// What `_start` puts below the initial stack pointer, which stays a multiple of 16, as the ABI has it before a call.
#[repr(C, align(16))]
struct Below {
    room: Room,
    /// The plan's arguments, written downwards from the kernel's: see [`Arguments`].
    arguments: [usize; MAX_WORDS],
}

/// Where `_start` goes on: `stack` is the initial stack pointer, `below` lies right below it.
///
/// # Safety
/// To be entered from `_start` alone, once.
unsafe extern "C" fn begin(stack: *mut usize, below: *mut Below) -> ! {
    // SAFETY: the picture above. The strings and the pointers to them stay as they are for as long as the process runs, zeros
    // are a `Room`, and all from `arguments` up to argv[0] is nobody else's.
    unsafe {
        let argv = stack.add(1);
        let envp = argv.add(*stack + 1);
        boot::run(Arguments::new(argv.add(1)), KernelWords::new(envp), &mut (*below).room)
    }
}
