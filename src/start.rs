//! From the program's first instruction to [`boot::run`]: what the kernel has put on the stack, and where the boot's buffers are.
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

use crate::boot::{self, Buffers};
use crate::sys::process::{Arguments, KernelWords};
use language::MAX_WORDS;

#[cfg_attr(target_arch = "x86_64", path = "start/x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "start/aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "start/riscv64.rs")]
mod processor;

/// What `_start` reserves below the initial stack pointer. The stack pointer stays a multiple of 16, which the ABI demands at a call.
#[repr(C, align(16))]
struct Below {
    buffers: Buffers,
    /// The plan's arguments, written downwards from the kernel's: see [`Arguments`].
    arguments: [usize; MAX_WORDS],
}

/// Where `_start` continues: `stack` is the initial stack pointer, `below` lies right below it.
///
/// # Safety
/// Only `_start` calls it, once.
unsafe extern "C" fn begin(stack: *mut usize, below: *mut Below) -> ! {
    // SAFETY: the picture above. The strings and the pointers to them stay as they are for as long as the process runs, zeros
    // are valid `Buffers`, and nothing else uses the memory from `arguments` up to argv[0].
    unsafe {
        let argv = stack.add(1);
        let envp = argv.add(*stack + 1);
        boot::run(Arguments::new(argv.add(1)), KernelWords::new(envp), &mut (*below).buffers)
    }
}
