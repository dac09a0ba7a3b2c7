//! The built-in plan, as linker/build.rs has read it. With the feature `fixed-plan` init runs no other: then this also says which parts
//! of init that plan needs; the others are left out.

#[cfg(feature = "fixed-plan")]
use language::MountFlags;
use language::{CStrPtr, Fault, Line, Verb};
use linux_raw_sys::errno::{EHWPOISON, ELOOP};

include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

const IS_FIXED: bool = cfg!(feature = "fixed-plan");

/// Whether this init can run steps with this verb.
pub const fn uses(verb: Verb) -> bool {
    !IS_FIXED || is_in_plan(verb)
}

/// Whether a message can say how a program has ended.
pub const STARTS_PROGRAMS: bool = uses(Verb::Run) || uses(Verb::Spawn);

/// The highest errno that has a name in messages; a higher one is shown by number alone. ELOOP, 40, is enough for a fixed plan: the man
/// pages of the calls that its steps make list few above. `wait` fails with ETIMEDOUT, 110, and so brings all names in.
pub const NAMED_ERRNOS: usize = if IS_FIXED && !uses(Verb::Wait) { ELOOP } else { EHWPOISON } as usize;

/// The text of a fault. The build has checked a fixed plan, so only one fault is left for the boot to find: no service could be run.
pub fn fault_text(fault: Fault) -> CStrPtr<'static> {
    if IS_FIXED { Fault::NoExec.text() } else { fault.text() }
}
