//! x86-64's entry, and the functions that compiled Rust calls by name.

use super::{Below, begin};
use core::arch::global_asm;

global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start: mov rdi, rsp",
    "sub rsp, {below}",
    "mov rsi, rsp",
    "call {begin}",
    below = const size_of::<Below>(),
    begin = sym begin,
);

// String instructions are the shortest. memcmp only tells equal from unequal: nothing here needs the order.
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
    ".section .text.strlen,\"ax\",@progbits",
    ".globl strlen",
    "strlen: or rax, -1",
    "1: inc rax",
    "cmp byte ptr [rdi + rax], 0",
    "jne 1b",
    "ret",
);
