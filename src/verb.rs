//! The verbs of the plan language, and what each is followed by.

use crate::sys::{MAX_WORDS, Span};
use crate::table::{FOUND, find, pack, size};
use crate::texts::{ON, Packed, SPACE, TO};

/// What a step does: its place in `VERBS`, from 1 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verb(u8);

impl Verb {
    pub const ROOT: Self = Self(1);
    pub const MOUNT: Self = Self(2);
    pub const DIR: Self = Self(3);
    pub const LINK: Self = Self(4);
    pub const WRITE: Self = Self(5);
    pub const CONTROLLERS: Self = Self(6);
    pub const COPY: Self = Self(7);
    pub const BIND: Self = Self(8);
    pub const ENV: Self = Self(9);
    pub const MODULE: Self = Self(10);
    pub const EXEC: Self = Self(11);
    /// Before the first line.
    pub const NONE: Self = Self(0);
}

/// What follows a verb.
#[derive(Clone, Copy)]
pub struct Needs {
    /// How many words there are at least, with the verb, in three bits; above them the [joint](Needs::joint).
    least: u8,
    /// How many words there are at most.
    pub most: u8,
    /// Which of them has mount options; none where this is 0.
    pub options: u8,
    /// [`FIRST`], [`SECOND`], [`TEXT`], in three bits; above them how many words are told of, less one.
    words: u8,
}

const ABOVE: u8 = 3;

impl Needs {
    pub const NONE: Self = Self { least: 0, most: 0, options: 0, words: 0 };

    /// How many words there are at least, with the verb.
    pub fn least(&self) -> u8 {
        self.least & ((1 << ABOVE) - 1)
    }

    /// Whether one of the words, [`FIRST`] and so on, is what these say.
    pub fn has(&self, word: u8) -> bool {
        self.words & word != 0
    }

    /// How many words a message has at most, with the verb.
    pub fn told(&self) -> u8 {
        (self.words >> ABOVE) + 1
    }

    /// What stands in a message before the words behind the first.
    pub fn joint(&self) -> Packed {
        Packed((self.least >> ABOVE).into())
    }
}

/// The first, the second word is an absolute path.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
/// The second word is a text, to the line's end.
pub const TEXT: u8 = 4;

pub const VERB_COUNT: usize = 11;
/// Each verb and what follows it: how many words at least, how many more at most; with which joint how many are told of.
const ROWS: [(&str, Needs); VERB_COUNT] = [
    ("root", with_options(1, needs(0, 1, 0, TO, 1))),
    ("mount", with_options(4, needs(3, 1, SECOND, ON, 2))),
    ("dir", needs(1, 1, FIRST, TO, 1)),
    ("link", needs(2, 0, SECOND, TO, 2)),
    ("write", needs(2, 0, FIRST | TEXT, TO, 1)),
    ("controllers", needs(1, ANY_NUMBER, 0, SPACE, ANY_NUMBER)),
    ("copy", needs(1, 1, FIRST | SECOND, TO, 2)),
    ("bind", needs(1, 1, FIRST | SECOND, ON, 2)),
    ("env", needs(1, 0, 0, TO, 1)),
    ("module", needs(1, 1, FIRST | TEXT, TO, 1)),
    ("exec", needs(1, ANY_NUMBER, FIRST, TO, 1)),
];
/// As many as there may be.
const ANY_NUMBER: u8 = MAX_WORDS as u8 - 1;

const fn needs(least: u8, more: u8, words: u8, joint: Packed, told: u8) -> Needs {
    assert!(joint.0 < 1 << (8 - ABOVE), "a joint has what the number of words leaves of a byte");
    let most = if more == ANY_NUMBER { MAX_WORDS as u8 } else { least + more + 1 };
    Needs { least: (least + 1) | (joint.0 as u8) << ABOVE, most, options: 0, words: words | told << ABOVE }
}

const fn with_options(options: u8, needs: Needs) -> Needs {
    Needs { options, ..needs }
}

const NAMES: [(&str, u8); VERB_COUNT] = names();
pub static VERBS: [u8; size(&NAMES)] = pack(&NAMES);
static NEEDS: [Needs; VERB_COUNT] = needs_of_all();

const fn names() -> [(&'static str, u8); VERB_COUNT] {
    let mut names = [("", 0); VERB_COUNT];
    let mut verb = 0;
    while verb < VERB_COUNT {
        names[verb] = (ROWS[verb].0, verb as u8 + 1);
        verb += 1;
    }
    names
}

const fn needs_of_all() -> [Needs; VERB_COUNT] {
    let mut needs = [Needs::NONE; VERB_COUNT];
    let mut verb = 0;
    while verb < VERB_COUNT {
        needs[verb] = ROWS[verb].1;
        verb += 1;
    }
    needs
}

impl Verb {
    /// What this is the name of, or [`Verb::NONE`].
    #[inline(always)]
    pub fn named(name: Span) -> Self {
        Self(find(&VERBS, name) & !FOUND)
    }

    /// Its place in `VERBS`, from 1 on.
    pub fn place(self) -> usize {
        self.0.into()
    }

    /// What follows it; nothing is known of what isn't one.
    #[inline(always)]
    pub fn needs(self) -> Option<Needs> {
        NEEDS.get(self.place().wrapping_sub(1)).copied()
    }
}
