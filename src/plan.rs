//! The plan language: bytes to steps. Pure, no system call; the build script and the host tools use this same code.
//!
//! A plan is gone through twice, line by line, with the same [`Step::read`], on a copy to check every line, then to
//! run it: reading cuts the text into words. Nothing else is kept of the first time, so nothing has to have room.
//! A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::options::take_flags;
use crate::sys::{Name, Table, Word};
use crate::table::{cut, find, pack, size};
use core::cell::Cell;
use heapless::Vec;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// The most words a line may have, its verb included: as many as the kernel itself passes to init.
pub const MAX_WORDS: usize = 32;

/// What the kernel passes of arguments, and of variables, at most (CONFIG_INIT_ENV_ARG_LIMIT in init/main.c, and two of
/// its own), and a null pointer.
pub const MAX_KERNEL_WORDS: usize = 35;

/// Room for a plan, one byte that shows it is too long, and a last newline.
pub type Text = Vec<u8, { MAX_LEN + 2 }>;

/// What a step does: its place in `VERBS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verb(u8);

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
    pub const EXEC: Self = Self(9);
    /// A word that is no verb.
    pub const UNKNOWN: Self = Self(10);
    /// Before the first line.
    pub const NONE: Self = Self(11);
}

/// Each verb and what follows it: how many words at least, how many more at most, which must be absolute paths.
const ROWS: &[(&str, u8)] = &[
    ("root", needs(0, 1, 0)),
    ("dir", needs(1, 1, FIRST)),
    ("link", needs(2, 0, SECOND)),
    ("mount", needs(3, 1, SECOND)),
    ("write", needs(2, 0, FIRST)),
    ("controllers", needs(1, ANY_NUMBER, 0)),
    ("copy", needs(1, 1, FIRST | SECOND)),
    ("bind", needs(1, 1, FIRST | SECOND)),
    ("env", needs(1, 0, 0)),
    ("exec", needs(1, ANY_NUMBER, FIRST)),
];
static VERBS: [u8; size(ROWS)] = pack(ROWS);

const FIRST: u8 = 1;
const SECOND: u8 = 2;
const ANY_NUMBER: u8 = 3;

/// Two bits each, as the words are counted.
const fn needs(least: u8, more: u8, paths: u8) -> u8 {
    paths | least << 2 | more << 4
}

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
    NoExec,
    TooLong,
}

static FAULTS: Table = Table::new(
    b"unknown verb\0too few words\0too many words\0path is not absolute\0mode is not octal\0\
not NAME=VALUE\0out of order\0no exec\0longer than 4096 bytes\0",
);

impl Fault {
    /// The fault in words, ASCII.
    pub fn text(self) -> Name<'static> {
        FAULTS.text(self as u16)
    }
}

/// One step: a line of the plan. Read line after line, it knows what came before.
#[repr(C)] // the large field last: an offset of one byte where four would be needed, 120 times
pub struct Step<'t> {
    pub line: u16,
    pub verb: Verb,
    /// A `-` stood before the verb: a failure is a warning.
    pub may_fail: bool,
    /// The mode of `dir`, the mount flags of `root` and `mount`.
    pub number: u32,
    /// What the verb needs: its byte in `VERBS`.
    needs: u8,
    /// How many words were read, the verb included.
    count: usize,
    /// The verb first; none where a word was left out, but for the target of `copy` and `bind`, which is the source
    /// then. Behind a line's words there is room for those that the kernel passes on to the service.
    pub words: [Word<'t>; MAX_WORDS + MAX_KERNEL_WORDS],
}

impl<'t> Step<'t> {
    /// Nothing has been read yet.
    pub fn before_first() -> Self {
        let words = [Word::NONE; MAX_WORDS + MAX_KERNEL_WORDS];
        Self { line: 0, verb: Verb::NONE, may_fail: false, number: 0, needs: 0, count: 0, words }
    }

    /// Whether the step has a place besides its first word: `link`, `mount`, `copy`, `bind`.
    pub fn has_target(&self) -> bool {
        self.needs & SECOND != 0
    }

    /// Reads the next line, which ends with a newline. False if it holds no step.
    #[inline(never)]
    pub fn read(&mut self, mut line: &'t [Cell<u8>]) -> Result<bool, Fault> {
        self.line += 1;
        let Some(mut verb) = cut(&mut line, false) else { return Ok(false) };
        let mut may_fail = false;
        match verb {
            [first, ..] if first.get() == b'#' => return Ok(false),
            [first, rest @ ..] if first.get() == b'-' => (may_fail, verb) = (true, rest),
            _ => {}
        }
        let last = self.verb;
        let name = verb.split_last().map_or(verb, |(_, name)| name);
        let (place, needs) = find(&VERBS, name).unwrap_or((Verb::UNKNOWN.0, 0));
        (self.verb, self.may_fail, self.needs) = (Verb(place), may_fail, needs);
        self.number = if self.verb == Verb::DIR { 0o755 } else { 0 };
        self.words = [Word::NONE; MAX_WORDS + MAX_KERNEL_WORDS];
        self.count = 0;
        self.add(Word::of(verb));
        self.follows(last)?;
        self.read_words(line)?;
        Ok(true)
    }

    /// Adds a word behind the others, if there is room.
    #[inline(always)]
    pub fn add(&mut self, word: Word<'t>) {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = word;
            self.count += 1;
        }
    }

    /// Whether the step may stand there: `root` comes first and must not fail, after an `exec` only another can run.
    fn follows(&self, last: Verb) -> Result<(), Fault> {
        let is_root = self.verb == Verb::ROOT;
        if self.verb == Verb::UNKNOWN {
            return Err(Fault::UnknownVerb);
        }
        if is_root != (last == Verb::NONE) || is_root && self.may_fail || last == Verb::EXEC && self.verb != last {
            return Err(Fault::OutOfOrder);
        }
        Ok(())
    }

    /// Takes the words after the verb and checks them.
    #[inline(never)]
    fn read_words(&mut self, mut line: &'t [Cell<u8>]) -> Result<(), Fault> {
        let (least, more) = (self.needs >> 2 & 3, self.needs >> 4 & 3);
        let most = if more == ANY_NUMBER { MAX_WORDS } else { usize::from(least + more) + 1 };
        while let Some(word) = cut(&mut line, self.verb == Verb::WRITE && self.count == 2) {
            let place = self.count;
            if place == most {
                return Err(Fault::TooManyWords);
            }
            if place <= 2 && self.needs & place as u8 != 0 && word.first().map(Cell::get) != Some(b'/') {
                return Err(Fault::NotAbsolute);
            }
            match (self.verb, place) {
                (Verb::ROOT, _) | (Verb::MOUNT, 4) => self.number = take_flags(word),
                (Verb::DIR, 2) => self.number = octal(word)?,
                (Verb::ENV, _) if word.iter().skip(1).all(|byte| byte.get() != b'=') => {
                    return Err(Fault::NotAnAssignment);
                }
                _ => {}
            }
            self.add(Word::of(word));
        }
        if self.count <= usize::from(least) {
            return Err(Fault::TooFewWords);
        }
        if let (Verb::COPY | Verb::BIND, 2) = (self.verb, self.count) {
            self.words[2] = self.words[1];
        }
        Ok(())
    }
}

/// The lines of a plan, each with its newline.
pub fn lines(text: &mut Text) -> impl Iterator<Item = &[Cell<u8>]> {
    let _ = text.push(b'\n');
    let text = Cell::from_mut(text.as_mut_slice()).as_slice_of_cells();
    text.split_inclusive(|byte| byte.get() == b'\n')
}

/// Tells of every fault in a plan, with its line, or 0 where it is the plan's as a whole: for tools on the host. The
/// boot itself stops at the first, the same one.
pub fn check(text: &mut Text, mut tell: impl FnMut(u16, Fault)) {
    if text.len() > MAX_LEN {
        return tell(0, Fault::TooLong);
    }
    let mut step = Step::before_first();
    for line in lines(text) {
        if let Err(fault) = step.read(line) {
            tell(step.line, fault);
        }
    }
    if step.verb != Verb::EXEC {
        tell(0, Fault::NoExec);
    }
}

/// A mode of four octal digits at most; the last byte is not a digit but the word's end.
fn octal(word: &[Cell<u8>]) -> Result<u32, Fault> {
    let (_, digits) = word.split_last().ok_or(Fault::NotOctal)?;
    let mut mode = 0;
    for digit in digits {
        match digit.get() {
            digit @ b'0'..=b'7' if mode < 0o1000 => mode = mode * 8 + u32::from(digit - b'0'),
            _ => return Err(Fault::NotOctal),
        }
    }
    Ok(mode)
}
