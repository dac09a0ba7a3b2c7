//! What can be wrong with a plan before its first step runs.

use crate::sys::{Name, Table};

/// Why a plan is refused; the numbers are the places in `FAULTS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    UnknownVerb,
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

static FAULTS: Table = Table::new(
    b"unknown verb\0too few words\0too many words\0path is not absolute\0mode is not octal\0\
not NAME=VALUE\0out of order\0ends without exec\0longer than 4096 bytes\0",
);

impl Fault {
    /// The fault in words, ASCII.
    pub fn text(self) -> Name<'static> {
        FAULTS.text(self as u16)
    }
}
