//! The plan that is built in, as linker/build.rs has read it, and what of init a program needs that runs no other: with the feature
//! `fixed-plan` the rest is not in it.

#[cfg(feature = "fixed-plan")]
use language::MountFlags;
use language::{CStrPtr, Fault, Line, Verb};
use linux_raw_sys::errno::{EHWPOISON, ELOOP};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

const IS_FIXED: bool = cfg!(feature = "fixed-plan");

/// Whether the program has this verb.
pub const fn uses(verb: Verb) -> bool {
    !IS_FIXED || is_in_plan(verb)
}

/// Whether it tells how a program has ended.
pub const STARTS_PROGRAMS: bool = uses(Verb::Run) || uses(Verb::Spawn);

/// Up to which number it has errnos' names. The pages of the calls that steps make in section 2 of the manual name those up to ELOOP,
/// but for a few; a message has the number of another one, and no name. ETIMEDOUT, of `wait`, is far behind.
pub const NAMED_ERRNOS: usize = if IS_FIXED && !uses(Verb::Wait) { ELOOP } else { EHWPOISON } as usize;

/// What a message says of a fault: one is left for a boot of a fixed plan to find.
pub fn fault_text(fault: Fault) -> CStrPtr<'static> {
    if IS_FIXED { Fault::NoExec.text() } else { fault.text() }
}
