//! The verbs: one row each, from which parser, messages, tools and tests take them.

use crate::cursor::Span;
use crate::step::MAX_WORDS;
use crate::string::CStrPtr;
use crate::table::{find, pack, size};

macro_rules! verbs {
    ($($verb:ident $usage:literal $objects:ident)+) => {
        /// What a step does.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Verb { $($verb,)+ }

        impl Verb {
            pub const ALL: &[Self] = &[$(Self::$verb),+];
            const USAGES: &[&str] = &[$($usage),+];
        }

        static OBJECTS: [Objects; COUNT] = [$(Objects::$objects),+];
    };
}

// A verb's usage line is all that the parser knows of it: see `Kind`. A `/` marks an absolute path. After it, which arguments a
// message names.
verbs! {
    Root "root [OPTIONS]" First
    Mount "mount SOURCE /TARGET FSTYPE [OPTIONS]" FirstOnSecond
    Dir "dir /PATH [MODE]" First
    Link "link TARGET /PATH" FirstToSecond
    Write "write /PATH TEXT" First
    Controllers "controllers [NAME…]" All
    Wait "wait /PATH [SECONDS]" All
    Limit "limit NAME SOFT [HARD]" All
    Copy "copy /SOURCE [/TARGET]" FirstToSecond
    Bind "bind /SOURCE [/TARGET]" FirstOnSecond
    Drop "drop /PATH" First
    Env "env NAME=VALUE" First
    Module "module /PATH [PARAMS]" First
    Run "run /PATH [ARG…]" First
    OnExit "on-exit poweroff|reboot|halt|panic" First
    Spawn "spawn /PATH [ARG…]" First
    Exec "exec /PATH [ARG…]" First
}

/// Which of its arguments a message names.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Objects {
    First,
    All,
    FirstOnSecond,
    FirstToSecond,
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Anything.
    Word,
    /// An absolute path.
    Path,
    /// Up to four octal digits.
    Mode,
    /// Mount options.
    Options,
    /// A name of limits.conf(5): see [`limit`](crate::limit).
    Limit,
    /// A decimal number, or `unlimited`: see [`number`](crate::number).
    Number,
    /// See [`Action`](crate::Action).
    Action,
    /// All up to the line's end.
    Text,
    /// NAME=VALUE up to the line's end.
    Assignment,
}

impl Kind {
    /// By the argument's name in a usage line.
    const fn named(name: &[u8]) -> Self {
        match name {
            [b'/', ..] => Self::Path,
            b"MODE" => Self::Mode,
            b"OPTIONS" => Self::Options,
            // Of `limit`. `NAME…`, of `controllers`, is any word.
            b"NAME" => Self::Limit,
            b"SECONDS" | b"SOFT" | b"HARD" => Self::Number,
            b"poweroff|reboot|halt|panic" => Self::Action,
            b"TEXT" | b"PARAMS" => Self::Text,
            b"NAME=VALUE" => Self::Assignment,
            _ => Self::Word,
        }
    }

    /// Whether it contains blanks, and so ends with the line.
    pub const fn reaches_line_end(self) -> bool {
        matches!(self, Self::Text | Self::Assignment)
    }
}

/// As many arguments can have a kind of their own.
const MOST_KINDS: usize = 4;

/// What may follow a verb.
#[derive(Clone, Copy)]
pub struct Shape {
    /// How many words there must be, with the verb.
    pub least: u8,
    /// How many words there may be, with the verb.
    pub most: u8,
    kinds: [Kind; MOST_KINDS],
}

impl Shape {
    /// Reads a usage line.
    const fn of(usage: &str) -> Self {
        let mut shape = Self { least: 1, most: 1, kinds: [Kind::Word; MOST_KINDS] };
        let (_, mut rest) = split(usage.as_bytes());
        while !rest.is_empty() {
            let word;
            (word, rest) = split(rest);
            let name = match word {
                [b'[', name @ .., b']'] => name,
                name => {
                    shape.least += 1;
                    name
                }
            };
            shape.kinds[shape.most as usize - 1] = Kind::named(name);
            shape.most += 1;
            if let [.., 0xe2, 0x80, 0xa6] = name {
                assert!(rest.is_empty(), "nothing can follow an argument that repeats");
                shape.most = MAX_WORDS as u8;
            }
        }
        shape
    }

    /// The kind of a word, counted from the verb, which is 0.
    pub fn kind(&self, place: u8) -> Kind {
        self.kinds.get(usize::from(place).wrapping_sub(1)).copied().unwrap_or(Kind::Word)
    }
}

/// The bytes before the first space, and those after it.
const fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < text.len() {
        if text[at] == b' ' {
            let (word, rest) = text.split_at(at);
            return (word, rest.split_at(1).1);
        }
        at += 1;
    }
    (text, &[])
}

const COUNT: usize = Verb::ALL.len();

const ROWS: [(&str, u8); COUNT] = {
    let mut rows = [("", 0); COUNT];
    let mut verb = 0;
    while verb < COUNT {
        let (name, _) = split(Verb::USAGES[verb].as_bytes());
        rows[verb] = match core::str::from_utf8(name) {
            Ok(name) => (name, verb as u8),
            Err(_) => panic!("a verb is ASCII"),
        };
        verb += 1;
    }
    rows
};
static NAMES: [u8; size(&ROWS)] = pack(&ROWS);

static SHAPES: [Shape; COUNT] = {
    let mut shapes = [Shape::of(""); COUNT];
    let mut verb = 0;
    while verb < COUNT {
        shapes[verb] = Shape::of(Verb::USAGES[verb]);
        verb += 1;
    }
    shapes
};

impl Verb {
    /// Whether it runs the service, and so ends the plan.
    pub fn runs_service(self) -> bool {
        matches!(self, Self::Exec | Self::Spawn)
    }

    pub(crate) fn named(name: Span) -> Option<Self> {
        Self::ALL.get(usize::from(find(&NAMES, name)?)).copied()
    }

    /// Its usage line in pieces, without the slashes that mark absolute paths in the table.
    pub fn usage(self) -> impl Iterator<Item = &'static str> {
        Self::USAGES[self as usize].split('/')
    }

    pub fn name(self) -> &'static str {
        ROWS[self as usize].0
    }

    pub fn shape(self) -> &'static Shape {
        &SHAPES[self as usize]
    }

    /// What a message puts between its arguments.
    pub fn separator(self) -> CStrPtr<'static> {
        CStrPtr::new(match OBJECTS[self as usize] {
            Objects::First | Objects::All => c" ",
            Objects::FirstOnSecond => c" on ",
            Objects::FirstToSecond => c" to ",
        })
    }

    /// Which words a message names, the lowest bit for the verb.
    pub fn named_words(self) -> u64 {
        match OBJECTS[self as usize] {
            Objects::First => 0b11,
            Objects::FirstOnSecond | Objects::FirstToSecond => 0b111,
            Objects::All => u64::MAX,
        }
    }
}
