//! x86-64: the one place where the kernel is entered. syscall(2) has the registers.

use core::arch::naked_asm;
use linux_raw_sys::errno::EINTR;

/// Makes the call whose number and arguments are in the registers, and makes it again where a signal came between: signal(7).
/// One routine for all: a loop at each call took 152 bytes.
///
/// # Safety
/// The arguments are what the call asks for. Not to be called from Rust, which does not pass them so.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    naked_asm!(
        "2: push rax",
        "syscall",
        "pop rcx",
        "cmp eax, -{EINTR}",
        "jne 3f",
        "mov eax, ecx",
        "jmp 2b",
        "3: ret",
        EINTR = const EINTR,
    )
}

/// Calls [`enter`] with a number and up to five arguments.
macro_rules! enter_with {
    ($enter:path, $number:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?) => {{
        let answer: usize;
        core::arch::asm!(
            "call {enter}",
            enter = sym $enter,
            inlateout("rax") $number as usize => answer,
            in("rdi") $a as usize,
            $(in("rsi") $b as usize, $(in("rdx") $c as usize, $(in("r10") $d as usize, $(in("r8") $e as usize,)?)?)?)?
            lateout("rcx") _, lateout("r11") _,
        );
        answer
    }};
}
pub(in crate::sys) use enter_with;
