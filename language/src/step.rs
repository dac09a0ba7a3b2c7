//! A plan that was read: its lines, and the steps and words that they are.

use crate::fault::Fault;
use crate::parse::{MAX_LEN, parse};
use crate::string::Word;
use crate::verb::Verb;
use heapless::Vec;

/// The most words that a line may have, its verb included: as many as the kernel itself passes to init.
pub const MAX_WORDS: usize = 32;

/// Buffer for a plan's text and a NUL. More than [`MAX_LEN`] bytes show that it is too long.
pub type Text = Vec<u8, { MAX_LEN + 1 }>;

/// Buffer for as many lines as a plan can have: none is shorter than `dir /` and a newline, and one may be added.
pub type Lines = Vec<Line, { MAX_LEN / "dir /\n".len() + 2 }>;

/// A line of a plan, as it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Where its first word, the verb, begins in the text; the others follow.
    pub first: u16,
    /// From 1.
    pub number: u16,
    /// Of a line whose verb is unknown, any.
    pub verb: Verb,
    /// How many words there are, the verb included, as far as they were read; none of a `root` that the plan doesn't have.
    pub count: u8,
    /// A `-` stands before the verb: failure is a warning.
    pub may_fail: bool,
}

/// A plan whose words were cut off.
pub struct Plan<'t> {
    text: *mut u8,
    lines: &'t [Line],
}

/// What is wrong with a plan: in a step, as far as that was read, or with the plan as a whole.
pub struct Refusal<'t> {
    pub step: Option<Step<'t>>,
    pub fault: Fault,
}

impl<'t> Plan<'t> {
    /// Reads a plan. One that doesn't begin with `root` gets one.
    pub fn read(text: &'t mut Text, lines: &'t mut Lines) -> Result<Self, Refusal<'t>> {
        let result = parse(text, lines);
        let plan = Self { text: text.as_mut_ptr(), lines };
        match result {
            Ok(()) => Ok(plan),
            Err(fault) if fault.is_of_the_plan() => Err(Refusal { step: None, fault }),
            Err(fault) => Err(Refusal { step: plan.steps().last(), fault }),
        }
    }

    /// The plan that was read when the program was built.
    pub fn built_in(plan: &BuiltIn, buffer: &'t mut Text) -> Self {
        buffer.clear();
        let _ = buffer.extend_from_slice(plan.text);
        Self { text: buffer.as_mut_ptr(), lines: plan.lines }
    }

    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step<'t>> {
        let text = self.text;
        // SAFETY: the lines lead into this text, which ends with NUL and was borrowed for as long.
        #[allow(unsafe_code)]
        let verb = move |line: &Line| unsafe { Word::at(text, line.first) };
        self.lines.iter().map(move |line| Step { line, verb: verb(line), named: u32::MAX })
    }
}

/// A plan as constants.
pub struct BuiltIn {
    text: &'static [u8],
    lines: &'static [Line],
}

impl BuiltIn {
    /// Each line's words must be in the text, one after the other, each with a NUL after it.
    pub const fn new(text: &'static [u8], lines: &'static [Line]) -> Self {
        let mut line = 0;
        while line < lines.len() {
            let (mut at, mut left) = (lines[line].first as usize, lines[line].count);
            while left > 0 {
                // Beyond the text this fails the build.
                assert!(text[at] > b' ');
                while text[at] != 0 {
                    at += 1;
                }
                (at, left) = (at + 1, left - 1);
            }
            line += 1;
        }
        assert!(matches!(text, [.., 0]) && text.len() <= MAX_LEN + 1);
        Self { text, lines }
    }
}

/// A line of a plan, with its words.
#[derive(Clone, Copy)]
pub struct Step<'t> {
    line: &'t Line,
    verb: Word<'t>,
    /// Which of its words a message names, the lowest bit for the verb: all, unless some have done their part.
    pub named: u32,
}

impl<'t> Step<'t> {
    pub fn verb(&self) -> Verb {
        self.line.verb
    }

    /// Its number, from 1; that of the first step for a `root` that the plan doesn't have.
    pub fn line(&self) -> u16 {
        self.line.number
    }

    /// Failure is a warning.
    pub fn may_fail(&self) -> bool {
        self.line.may_fail
    }

    /// The verb and its arguments, as far as they were read; none of a `root` that the plan doesn't have.
    pub fn words(&self) -> Words<'t> {
        Words { next: self.verb, left: self.line.count }
    }

    /// The first four arguments, which are all that most verbs have; those that were left out are empty, which no other is.
    pub fn arguments(&self) -> [Word<'t>; 4] {
        let mut words = self.words();
        words.next();
        [(); 4].map(|()| words.next().unwrap_or(Word::EMPTY))
    }
}

/// See [`Step::words`].
#[derive(Clone, Copy)]
pub struct Words<'t> {
    next: Word<'t>,
    left: u8,
}

impl<'t> Iterator for Words<'t> {
    type Item = Word<'t>;

    #[allow(unsafe_code)]
    fn next(&mut self) -> Option<Word<'t>> {
        let word = self.next;
        self.left = self.left.checked_sub(1)?;
        if self.left > 0 {
            // SAFETY: so many words were cut off in this line.
            self.next = unsafe { word.next_in_line() };
        }
        Some(word)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

impl ExactSizeIterator for Words<'_> {}
