//! What the service finds: its descriptors, arguments and environment; and becoming it.

use crate::sys::*;
use linux_raw_sys::errno::E2BIG;

/// `env NAME=VALUE`: takes the place of a variable of the same name.
pub fn set(frame: &mut Frame) -> Result<(), Errno> {
    let assignment = frame.words[1];
    let [variables @ .., _] = &mut frame.environment;
    for variable in variables {
        if variable.is_none() || !variable.value_of(*assignment).is_none() {
            *variable = assignment;
            return Ok(());
        }
    }
    Err(Errno::of(E2BIG))
}

/// What the service is given: the words behind the verb, `count` with it, then the kernel's; the environment, which has
/// its end in its last place, or the kernel has passed more than there is room for.
#[inline(always)]
pub fn pass(frame: &mut Frame, count: usize, kernel: &Tail) -> Result<(), Errno> {
    frame.set_arguments(count, kernel);
    if frame.environment.last().is_some_and(|last| last.is_none()) { Ok(()) } else { Err(Errno::of(E2BIG)) }
}

/// `exec PATH [ARG…]`: PATH, the plan's words, then the kernel's behind its name for us. Returns on failure only.
pub const EXEC: &[Row] = &[
    open(INITRAMFS, AS_FOLDER),
    leave_initramfs(),
    execute(FIRST),
    // For the report, for a second try, and for an `exec` to fall back to.
    return_to(FILE).when(FAILED),
];

/// Opens 0, 1 and 2 where the kernel could not, for want of a `/dev/console` that opens: on the console, else on
/// `/dev/null`. Must come before anything else is opened; a failure has no descriptor to be told on.
pub fn open_descriptors() -> Result<(), Errno> {
    if has_standard_error() {
        return Ok(());
    }
    let console = open_device(Name::literal(c"/dev/console"), 5, 1);
    let file = console.or_else(|_| open_device(Name::literal(c"/dev/null"), 1, 3));
    file.and_then(become_standard)
}
