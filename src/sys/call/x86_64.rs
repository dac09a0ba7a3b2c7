//! x86-64: the one place where the kernel is entered. syscall(2) has the registers.

use core::arch::naked_asm;
use linux_raw_sys::errno::EINTR;

/// Makes the call whose number and arguments are in the registers, and repeats it if a signal interrupted it: signal(7).
/// One routine for all calls: a loop at each call took 152 bytes.
///
/// # Safety
/// The arguments are those that the call asks for. Only [`enter_with`] may call this: Rust would pass them in other registers.
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
