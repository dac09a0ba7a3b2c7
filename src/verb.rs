//! The verbs of the plan language, and what each is followed by.

use crate::table::{pack, size};

/// What a step does: its place in `VERBS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verb(pub u8);

impl Verb {
    pub const ROOT: Self = Self(0);
    pub const DIR: Self = Self(1);
    pub const LINK: Self = Self(2);
    pub const MOUNT: Self = Self(3);
    pub const WRITE: Self = Self(4);
    pub const CONTROLLERS: Self = Self(5);
    pub const COPY: Self = Self(6);
    pub const BIND: Self = Self(7);
    pub const ENV: Self = Self(8);
    pub const MODULE: Self = Self(9);
    pub const EXEC: Self = Self(10);
    /// Before the first line.
    pub const NONE: Self = Self(11);
}

/// Each verb and what follows it: how many words at least, how many more at most, which must be absolute paths.
const ROWS: &[(&str, u8)] = &[
    ("root", needs(0, 1, 0)),
    ("dir", needs(1, 1, FIRST)),
    ("link", needs(2, 0, SECOND)),
    ("mount", needs(3, 1, SECOND)),
    ("write", needs(2, 0, FIRST) | TEXT),
    ("controllers", needs(1, ANY_NUMBER, 0)),
    ("copy", needs(1, 1, FIRST | SECOND)),
    ("bind", needs(1, 1, FIRST | SECOND)),
    ("env", needs(1, 0, 0)),
    ("module", needs(1, 1, FIRST) | TEXT),
    ("exec", needs(1, ANY_NUMBER, FIRST)),
];
pub static VERBS: [u8; size(ROWS)] = pack(ROWS);

const FIRST: u8 = 1;
pub const SECOND: u8 = 2;
pub const ANY_NUMBER: u8 = 3;
/// What follows the first word is one text, to the line's end.
pub const TEXT: u8 = 1 << 6;

/// Two bits each, as the words are counted.
const fn needs(least: u8, more: u8, paths: u8) -> u8 {
    paths | least << 2 | more << 4
}
