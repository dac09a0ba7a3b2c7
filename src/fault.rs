//! What can be wrong with a plan before its first step runs.

use crate::texts::TEXTS;

/// Why a plan is refused; the numbers are places in `TEXTS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Fault {
    UnknownVerb = 4,
    TooFewWords,
    TooManyWords,
    NotAbsolute,
    NotOctal,
    NotAnAssignment,
    OutOfOrder,
    /// The plan ends, and its last step is none that could be the last.
    NoExec,
    TooLong,
}

impl Fault {
    /// The fault in words, ASCII: for the tools of the host.
    pub fn text(self) -> &'static str {
        TEXTS[self as usize]
    }
}
