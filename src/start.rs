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
use moveroot::boot;
use moveroot::plan::{Step, Text};
use moveroot::sys::{List, MAX_WORDS, Tail, Word};

// The stack pointer is a multiple of 16 here. Below it nothing was ever written: zeros (clear_user_highpage in
// include/linux/highmem.h), which is what a boot's room has at first. (Of a script whose interpreter this were, a first argument
// longer than the script's path would leave its end there, remove_arg_zero in fs/exec.c; the kernel starts its init with the path
// itself, run_init_process in init/main.c.)
//
// From the top down: room for the plan's words before the kernel's, the plan's text, a line, the step. `enter` takes as many bytes, and
// puts a word above them: in argv[0]'s place, and for the line and the step in what each has last, where any bits are fine. The length of
// the plan's text, which it has first, is written, though it is zero: a page that is read first is taken twice, as one of zeros and then as
// one's own (do_anonymous_page and do_wp_page in mm/memory.c).
//
// The first eight bytes stand in the program header, in a field that no kernel reads, and `begin` follows the last without a jump:
// linker/init.ld sees to both.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start: pop rax", // argc
    "pop rdi",         // argv[0], the kernel's name for us
    "lea rsi, [rsp + 8 * rax]", // envp
    ".byte 0xeb", // a short jump: to another section the assembler makes a long one
    ".byte 1f - . - 1",
    ".section .text._start_on,\"ax\",@progbits",
    "1:",
    "push rsp",
    "pop rdi", // argv[1]
    "enter {before}, 0",
    "push 0",
    "push rsp",
    "pop rdx", // text
    "enter {line}, 0",
    "push rsp",
    "pop rcx", // line
    "enter {step}, 0",
    "push rsp",
    "pop r8", // step
    before = const BEFORE,
    line = const size_of::<Text>() - PUT,
    step = const size_of::<Step>() - PUT,
);

/// What `enter` puts above the bytes it takes.
const PUT: usize = size_of::<usize>();

/// The plan's text without its length, and behind it room for the plan's words.
const BEFORE: usize = {
    let room = size_of::<Text>() - PUT + MAX_WORDS * size_of::<Word>();
    let below = 2 * PUT + size_of::<Text>() + size_of::<Step>();
    // Where a function begins, the ABI has the stack pointer eight below a multiple of 16: a call has put its address there.
    (room + below).next_multiple_of(16) + PUT - below
};

/// Gives the boot its room.
///
/// # Safety
/// To be entered from `_start`: `arguments` and `environment` are where the kernel put them, and there is room for as many words as a
/// line may have before `arguments`. `text`, `line` and `step` are each a piece of memory that nobody else has: the text of zeros, the
/// others of zeros but for the last word.
#[unsafe(no_mangle)]
unsafe extern "C" fn begin(
    arguments: *mut usize,
    environment: *mut Word<'static>,
    text: *mut Text,
    line: *mut Text,
    step: *mut Step<'static>,
) -> ! {
    // SAFETY: see above. Zeros are an empty text and, with a line to write on, a step before the first. The strings and the pointers to
    // them stay as they are for as long as the process runs, and a `Word` is such a pointer.
    unsafe {
        (&raw mut (*step).frame.line).write(&mut *line);
        boot::run(Tail::new(arguments), List::new(environment), &mut *text, &mut *step)
    }
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
