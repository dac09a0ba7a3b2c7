//! RISC-V: the one place where the kernel is entered. syscall(2) has the registers.

use core::arch::naked_asm;
use linux_raw_sys::errno::EINTR;

/// Makes the call whose number and arguments are in the registers, and repeats it if a signal interrupted it: signal(7).
/// One routine for all calls: a loop at each call took 368 bytes.
///
/// # Safety
/// The arguments are those that the call asks for. Only [`enter_with`] may call this: Rust would pass them in other registers.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    naked_asm!(
        "mv t0, a0",
        "li t1, -{EINTR}",
        "2: mv a0, t0",
        "ecall",
        "beq a0, t1, 2b",
        "ret",
        EINTR = const EINTR,
    )
}

/// Calls [`enter`] with a number and up to five arguments.
macro_rules! enter_with {
    ($enter:path, $number:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?) => {{
        let answer: usize;
        core::arch::asm!(
            "jal {enter}",
            enter = sym $enter,
            in("a7") $number as usize,
            inlateout("a0") $a as usize => answer,
            $(in("a1") $b as usize, $(in("a2") $c as usize, $(in("a3") $d as usize, $(in("a4") $e as usize,)?)?)?)?
            lateout("t0") _, lateout("t1") _, lateout("ra") _,
        );
        answer
    }};
}
pub(in crate::sys) use enter_with;
