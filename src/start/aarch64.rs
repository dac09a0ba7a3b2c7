//! AArch64's entry, and the functions that compiled Rust calls by name.

use super::{Below, begin};
use core::arch::global_asm;

global_asm!(
    ".section .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start: mov x0, sp",
    "sub sp, sp, #{pages}, lsl #12", // an immediate operand has twelve bits
    "sub sp, sp, #{rest}",
    "mov x1, sp",
    "bl {begin}",
    pages = const size_of::<Below>() >> 12,
    rest = const size_of::<Below>() & 0xfff,
    begin = sym begin,
);

// Byte by byte: what init copies and compares is short. memcmp only tells equal from unequal: nothing here needs the order.
global_asm!(
    ".section .text.memcpy,\"ax\",@progbits",
    ".globl memcpy",
    "memcpy: add x2, x2, x0",
    "mov x3, x0",
    "1: cmp x3, x2",
    "b.eq 2f",
    "ldrb w4, [x1], #1",
    "strb w4, [x3], #1",
    "b 1b",
    "2: ret",
    ".section .text.memset,\"ax\",@progbits",
    ".globl memset",
    "memset: add x2, x2, x0",
    "mov x3, x0",
    "1: cmp x3, x2",
    "b.eq 2f",
    "strb w1, [x3], #1",
    "b 1b",
    "2: ret",
    ".section .text.bcmp,\"ax\",@progbits",
    ".globl bcmp, memcmp",
    "bcmp: memcmp: add x2, x2, x0",
    "1: cmp x0, x2",
    "b.eq 2f",
    "ldrb w3, [x0], #1",
    "ldrb w4, [x1], #1",
    "cmp w3, w4",
    "b.eq 1b",
    "2: cset w0, ne",
    "ret",
    ".section .text.strlen,\"ax\",@progbits",
    ".globl strlen",
    "strlen: mov x1, x0",
    "1: ldrb w2, [x1], #1",
    "cbnz w2, 1b",
    "sub x0, x1, x0",
    "sub x0, x0, #1",
    "ret",
);
