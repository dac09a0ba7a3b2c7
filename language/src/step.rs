//! A plan that was read: its lines as steps and words.

use crate::cursor::Span;
use crate::fault::Fault;
use crate::parse::{MAX_LEN, parse};
use crate::string::CStrPtr;
use crate::verb::Verb;
use heapless::Vec;

/// The most words that a line may have, its verb included: as many as the kernel passes to init (MAX_INIT_ARGS in init/main.c).
pub const MAX_WORDS: usize = 32;

/// Buffer for a plan's text and a NUL. A file that fills it is too long.
pub type Text = Vec<u8, { MAX_LEN + 1 }>;

/// Buffer for as many lines as a plan can have: none is shorter than `dir /` and a newline, and one may be added.
pub type Lines<'t> = Vec<Line<'t>, { MAX_LEN / "dir /\n".len() + 2 }>;

/// A line of a plan that was read.
#[derive(Clone, Copy)]
pub struct Line<'t> {
    /// Its first word, the verb's name; the others follow.
    pub name: CStrPtr<'t>,
    /// From 1.
    pub number: u16,
    /// None if the verb is unknown.
    pub verb: Option<Verb>,
    /// How many words were read, the verb included; 0 for a `root` that the plan doesn't have.
    pub count: u8,
    /// There is a `-` before the verb: failure is a warning.
    pub may_fail: bool,
}

impl<'t> Line<'t> {
    /// A line of which only the first word was read.
    pub(crate) fn new(mut name: Span<'t>, number: u16) -> Self {
        let may_fail = name.begin.byte() == b'-';
        if may_fail {
            name.next();
        }
        Self { name: name.begin.c_str(), number, verb: Verb::named(name), count: 1, may_fail }
    }

    /// A line that linker/build.rs has read: its words, each with a NUL at its end.
    pub const fn built_in(words: &'t [u8], number: u16, verb: Verb, may_fail: bool) -> Self {
        let (mut count, mut at) = (0, 0);
        while at < words.len() {
            count += (words[at] == 0) as u8;
            at += 1;
        }
        let name = match CStrPtr::terminated(words) {
            Some(name) => name,
            None => CStrPtr::EMPTY,
        };
        Self { name, number, verb: Some(verb), count, may_fail }
    }
}

/// A plan that was read.
#[derive(Clone, Copy)]
pub struct Plan<'t> {
    lines: &'t [Line<'t>],
}

/// What is wrong with a plan: with one step, of which the words up to the wrong one were read, or with the plan as a whole.
pub struct Refusal<'t> {
    pub step: Option<Step<'t>>,
    pub fault: Fault,
}

impl<'t> Plan<'t> {
    /// Reads and checks a plan. One that doesn't begin with `root` gets one.
    #[inline(never)] // 80 bytes: inlined, it would compete for boot::run's registers
    pub fn read<'s: 't>(text: &'s mut Text, lines: &'t mut Lines<'s>) -> Result<Self, Refusal<'t>> {
        let result = parse(text, lines);
        let plan = Self { lines };
        match result {
            Ok(()) => Ok(plan),
            Err(fault) if fault.is_of_the_plan() => Err(Refusal { step: None, fault }),
            Err(fault) => Err(Refusal { step: plan.steps().last(), fault }),
        }
    }

    /// A plan that linker/build.rs has read.
    pub const fn built_in(lines: &'t [Line<'t>]) -> Self {
        Self { lines }
    }

    pub fn steps(self) -> impl DoubleEndedIterator<Item = Step<'t>> {
        self.lines.iter().map(|line| Step { line, named: u64::MAX, may_fail: line.may_fail })
    }
}

/// A line of a plan, with what may change while it runs.
#[derive(Clone, Copy)]
pub struct Step<'t> {
    line: &'t Line<'t>,
    /// Which words a message may name: the lowest bit is the verb's, the next the first argument's. `controllers` clears those that
    /// were enabled.
    pub named: u64,
    /// Failure is a warning. `spawn` clears it once the service runs.
    pub may_fail: bool,
}

impl<'t> Step<'t> {
    pub fn verb(&self) -> Verb {
        self.line.verb.unwrap_or(Verb::Root)
    }

    /// Its line's number, from 1; the first step's for a `root` that the plan doesn't have.
    pub fn line(&self) -> u16 {
        self.line.number
    }

    /// The verb and its arguments, as far as they were read; no words for a `root` that the plan doesn't have.
    pub fn words(&self) -> Words<'t> {
        Words { next: self.line.name, left: self.line.count }
    }

    /// The first four arguments, which are all that most verbs have. Those that the line doesn't have are empty; no other is.
    pub fn arguments(&self) -> [CStrPtr<'t>; 4] {
        let mut words = self.words();
        words.next();
        let mut next = || words.next().unwrap_or(CStrPtr::EMPTY);
        [next(), next(), next(), next()]
    }
}

/// See [`Step::words`].
#[derive(Clone, Copy)]
pub struct Words<'t> {
    next: CStrPtr<'t>,
    left: u8,
}

impl<'t> Iterator for Words<'t> {
    type Item = CStrPtr<'t>;

    #[allow(unsafe_code)]
    fn next(&mut self) -> Option<CStrPtr<'t>> {
        let word = self.next;
        self.left = self.left.checked_sub(1)?;
        if self.left > 0 {
            // SAFETY: the line has `left` more words.
            self.next = unsafe { word.next_in_line() };
        }
        Some(word)
    }
}

impl Words<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.left.into()
    }

    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}
