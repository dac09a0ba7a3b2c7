//! A plan looked through for all its faults: for the build script and the tools of the host. No part of a boot.

use crate::fault::Fault;
use crate::plan::{MAX_LEN, Pass, Step, Text, blank_out};
use crate::verb::Verb;

/// Tells of every fault in a plan, with its step, or with none where it is the plan's as a whole: for tools on the host.
/// The boot itself stops at the first, the same one.
pub fn faults(text: &mut Text, mut tell: impl FnMut(Option<&Step>, Fault)) {
    if text.len() > MAX_LEN {
        return tell(None, Fault::TooLong);
    }
    blank_out(text);
    let mut line = Text::new();
    let mut step = Step::before(text, &mut line, Pass::Check);
    loop {
        match step.read() {
            Ok(()) => {}
            Err(Fault::NoExec) => break,
            Err(fault) => {
                tell(Some(&step), fault);
                step.skip_line();
            }
        }
    }
    if step.verb != Verb::EXEC {
        tell(None, Fault::NoExec);
    }
}
