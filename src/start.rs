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
use core::slice::from_raw_parts;
use moveroot::boot;
use moveroot::sys::Word;

// The stack pointer is a multiple of 16 here, as the ABI wants it before a call.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start: mov rdi, rsp",
    "call {begin}",
    begin = sym begin,
);

/// Takes the initial stack apart.
///
/// # Safety
/// `stack` is what the stack pointer was when the kernel started this program.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: drawn above. The strings and the pointers to them stay as they are for as long as the process runs,
    // and a `Word` is such a pointer.
    let (arguments, environment) = unsafe {
        let (count, words) = (*stack, stack.add(1).cast::<Word<'static>>());
        let environment = words.add(count + 1);
        let mut end = environment.cast::<usize>();
        while *end != 0 {
            end = end.add(1);
        }
        let length = end.offset_from_unsigned(environment.cast());
        (from_raw_parts(words, count), from_raw_parts(environment, length))
    };
    boot::run(arguments, environment)
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
