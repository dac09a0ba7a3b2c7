//! What can be wrong with a plan before its first step runs.

use crate::string::CStrPtr;

/// Why a plan is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    UnknownVerb,
    TooFewWords,
    TooManyWords,
    NotAbsolute,
    NotOctal,
    NotAnAssignment,
    NotANumber,
    UnknownLimit,
    UnknownAction,
    /// An option of `root` that would change a mount instead of making one.
    NotForANewMount,
    OutOfOrder,
    /// Its last step runs no service.
    NoExec,
    TooLong,
}

impl Fault {
    /// Whether it concerns the plan as a whole, not one line.
    pub fn is_of_the_plan(self) -> bool {
        matches!(self, Self::NoExec | Self::TooLong)
    }

    /// Its text in a message, ASCII.
    pub fn text(self) -> CStrPtr<'static> {
        CStrPtr::new(match self {
            Self::UnknownVerb => c"unknown verb",
            Self::TooFewWords => c"too few words",
            Self::TooManyWords => c"too many words",
            Self::NotAbsolute => c"path is not absolute",
            Self::NotOctal => c"mode is not octal",
            Self::NotAnAssignment => c"not NAME=VALUE",
            Self::NotANumber => c"not a number",
            Self::UnknownLimit => c"unknown limit",
            Self::UnknownAction => c"not poweroff, reboot, halt or panic",
            Self::NotForANewMount => c"not for a new mount",
            Self::OutOfOrder => c"out of order",
            Self::NoExec => c"ends without exec or spawn",
            Self::TooLong => c"longer than 4096 bytes",
        })
    }
}
