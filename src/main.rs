//! The program `init`: no standard library, no C library, no writable data; start.rs is its entry, boot.rs its story.
#![no_std]
#![no_main]

mod start;

use moveroot::{Exit, sys};

/// Nothing here is meant to panic; should it happen, the kernel prints this exit code.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    sys::exit(Exit::OTHER)
}
