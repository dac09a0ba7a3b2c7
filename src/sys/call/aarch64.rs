//! AArch64: the one place where the kernel is entered. syscall(2) has the registers.

use core::arch::naked_asm;
use linux_raw_sys::errno::EINTR;

/// Makes the call whose number and arguments are in the registers, and repeats it if a signal interrupted it: signal(7).
/// One routine for all calls: a loop at each call took 400 bytes.
///
/// # Safety
/// The arguments are those that the call asks for. Only [`enter_with`] may call this: Rust would pass them in other registers.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    naked_asm!(
        "mov x9, x0",
        "2: mov x0, x9",
        "svc #0",
        "cmn w0, #{EINTR}",
        "b.eq 2b",
        "ret",
        EINTR = const EINTR,
    )
}

/// Calls [`enter`] with a number and up to five arguments.
macro_rules! enter_with {
    ($enter:path, $number:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr)?)?)?)?) => {{
        let answer: usize;
        core::arch::asm!(
            "bl {enter}",
            enter = sym $enter,
            in("x8") $number as usize,
            inlateout("x0") $a as usize => answer,
            $(in("x1") $b as usize, $(in("x2") $c as usize, $(in("x3") $d as usize, $(in("x4") $e as usize,)?)?)?)?
            lateout("x9") _, lateout("lr") _,
        );
        answer
    }};
}
pub(in crate::sys) use enter_with;
