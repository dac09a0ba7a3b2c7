//! Where the kernel enters, and what the compiler expects of a C library.
//!
//! The initial stack, from the stack pointer up (create_elf_tables in fs/binfmt_elf.c):
//!
//! ```text
//!   sp     argc
//!   +8     argv[0] … argv[argc - 1]     pointers to NUL-terminated strings
//!          NULL
//!          envp[0] …                    pointers to NUL-terminated strings
//!          NULL
//!          auxiliary vector             not used here
//! ```

use core::arch::global_asm;
use moveroot::boot::{self, Room};
use moveroot::sys::{List, MAX_WORDS, Tail, Word};

// The stack pointer is a multiple of 16 here, as the ABI wants it before a call. Below it nothing was ever written: zeros
// (clear_user_highpage in include/linux/highmem.h), which is what room for a boot has at first. (Of a script whose interpreter this
// were, a first argument longer than the script's path would leave its end there, remove_arg_zero in fs/exec.c; the kernel starts
// its init with the path itself, run_init_process in init/main.c.)
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start: mov rdi, rsp",
    "sub rsp, {room}",
    "mov rsi, rsp",
    "call {begin}",
    room = const ROOM,
    begin = sym begin,
);

/// Room for a boot, and above it for the words before the kernel's: a multiple of 16.
const ROOM: usize = (size_of::<Room>() + MAX_WORDS * size_of::<Word>()).next_multiple_of(16);

/// Takes the initial stack apart.
///
/// # Safety
/// `stack` is what the stack pointer was when the kernel started this program, and below are zeros, `room` at the lowest.
unsafe extern "C" fn begin(stack: *mut usize, room: &'static mut Room<'static>) -> ! {
    // SAFETY: drawn above. The strings and the pointers to them stay as they are for as long as the process runs,
    // and a `Word` is such a pointer. The first argument, the kernel's name for us, is part of the room before the others.
    let (arguments, environment) = unsafe {
        let words = stack.add(2);
        (Tail::new(words), List::new(words.add(*stack).cast::<Word<'static>>()))
    };
    boot::run(arguments, environment, room)
}

// The functions that compiled Rust calls by name. As `rep` instructions: the shortest there are. memcmp tells equal from
// not equal alone: nothing here asks for an order.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .text.memcpy,\"ax\",@progbits",
    ".globl memcpy",
    "memcpy: mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    ".section .text.memset,\"ax\",@progbits",
    ".globl memset",
    "memset: mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    ".section .text.bcmp,\"ax\",@progbits",
    ".globl bcmp, memcmp",
    "bcmp: memcmp: xor eax, eax",
    "mov rcx, rdx",
    "repe cmpsb",
    "setne al",
    "ret",
);
