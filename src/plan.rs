//! The plan language: bytes to steps. Pure, no system call; the build script and the host tools use this same code.
//!
//! A plan is gone through twice with the same [`Step::read`]: first to check it, then to run it; the one that is
//! built in was checked by the build. Nothing is kept of the first time, and the text is cut into words the second time only.
//! A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::fault::Fault;
use crate::options::take_flags;
use crate::sys::{Frame, Place, Span, Word};
use crate::verb::{Needs, TEXT, Verb};
use core::mem::offset_of;

#[allow(unused_imports)] // the build script has no use for all
pub use crate::sys::{MAX_LEN, MAX_WORDS, Text};

/// Which of the two times a plan is gone through.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Pass {
    /// The text stays as it is, so a word is not cut off: it ends at a blank.
    Check = 0,
    /// Words end with NUL; flag words are taken out of mount options.
    Run,
}

/// One step: a line of the plan. Read one after the other, it knows what came before.
#[repr(C)] // the large field last: an offset of one byte where four would be needed
pub struct Step<'t> {
    pub verb: Verb,
    /// A `-` stood before the verb: a failure is a warning.
    pub may_fail: bool,
    /// Which of the two times this is.
    pub pass: Pass,
    /// How many words were read, the verb included; none before the first step and behind the last. (Without a gap behind it
    /// [`begin_again`](Step::begin_again) is one store.)
    pub count: u8,
    pub line: u32,
    /// The mode of `dir`, the mount flags of `root` and `mount`.
    pub number: u32,
    /// What the verb needs.
    pub needs: Needs,
    /// Where it goes on: at the next line, or behind the word in error.
    pub rest: Place<'t>,
    /// Its words, the verb first, and what it works on.
    pub frame: Frame<'t>,
}

const _: () = assert!(offset_of!(Step, frame) + size_of::<Frame>() == size_of::<Step>());

impl<'t> Step<'t> {
    /// Before the first step of `text`, which has no NUL: see [`blank_out`]. `line` is for what a boot puts together.
    pub fn before(text: &'t mut Text, line: &'t mut Text, pass: Pass) -> Self {
        Self {
            verb: Verb::NONE,
            may_fail: false,
            pass,
            count: 0,
            line: 0,
            number: 0,
            needs: Needs::NONE,
            rest: Place::begin(text),
            frame: Frame::new(line),
        }
    }

    /// Begins to read `text`, which has no NUL.
    #[inline(always)]
    pub fn begin(&mut self, text: &'t mut Text) {
        self.rest = Place::begin(text);
    }

    /// Goes back to where the text begins, for the second time.
    #[inline(always)]
    pub fn begin_again(&mut self, first: Place<'t>) {
        (self.verb, self.may_fail, self.pass, self.count, self.line) = (Verb::NONE, false, Pass::Run, 0, 0);
        self.rest = first;
    }

    /// Reads the next step. A fault is this step's, but for `NoExec`, which tells that there is none, whatever the last
    /// one was.
    #[inline(never)]
    pub fn read(&mut self) -> Result<(), Fault> {
        self.line += 1;
        self.count = 0;
        loop {
            let is_comment = self.count == 0 && self.rest.byte() == b'#';
            let is_text = self.count == 2 && self.needs.has(TEXT) && self.rest.byte() > b' ';
            let word = self.rest.pass(is_comment || is_text);
            let (separator, next) = (self.rest.byte(), self.rest.next());
            if !is_comment && !word.is_empty() {
                self.take(word)?;
                if self.pass == Pass::Run {
                    word.cut_behind();
                }
            }
            if matches!(separator, b'\n' | 0) {
                if self.count > 0 {
                    self.complete()?;
                    self.rest = next;
                    return Ok(());
                }
                if separator == 0 {
                    return Err(Fault::NoExec);
                }
                self.line += 1;
            }
            self.rest = next;
        }
    }

    /// Takes a word and checks it.
    fn take(&mut self, mut word: Span<'t>) -> Result<(), Fault> {
        let place = self.count;
        if place == 0 {
            self.may_fail = word.byte() == b'-';
            if self.may_fail {
                word.next();
            }
        }
        self.add(word.word());
        if place == 0 {
            let (verb, last) = (Verb::named(word), self.verb);
            self.needs = verb.needs().ok_or(Fault::UnknownVerb)?;
            self.verb = verb;
            self.number = if verb == Verb::DIR { 0o755 } else { 0 };
            return self.follow(last);
        }
        if place == self.needs.most {
            return Err(Fault::TooManyWords);
        }
        if place <= 2 && self.needs.has(place) && word.byte() != b'/' {
            return Err(Fault::NotAbsolute);
        }
        if place == self.needs.options && self.pass == Pass::Run {
            self.number = take_flags(word);
        }
        if self.verb == Verb::DIR && self.count > 2 {
            self.number = octal(word)?;
        }
        if self.verb == Verb::ENV {
            word.next();
            word.up_to(b'=');
            if word.is_empty() {
                return Err(Fault::NotAnAssignment);
            }
        }
        Ok(())
    }

    /// Whether the step may stand there: `root` comes first and must not fail, after an `exec` only another can run.
    fn follow(&self, last: Verb) -> Result<(), Fault> {
        match (last, self.verb) {
            (Verb::NONE, Verb::ROOT) if !self.may_fail => Ok(()),
            (Verb::NONE, _) | (_, Verb::ROOT) => Err(Fault::OutOfOrder),
            (Verb::EXEC, verb) if verb != Verb::EXEC => Err(Fault::OutOfOrder),
            _ => Ok(()),
        }
    }

    /// Whether enough words were there; adds the one that may be left out.
    fn complete(&mut self) -> Result<(), Fault> {
        if self.count < self.needs.least() {
            return Err(Fault::TooFewWords);
        }
        if self.count == 2 {
            let word = self.frame.words[1];
            if let Verb::COPY | Verb::BIND = self.verb {
                self.frame.words[2] = word;
            }
            if self.verb == Verb::MODULE {
                self.frame.words[2] = word.nothing();
            }
        }
        Ok(())
    }

    /// Adds a word behind the others, if there is room, and none behind it.
    #[inline(never)]
    fn add(&mut self, word: Word<'t>) {
        let count = usize::from(self.count);
        if let Some([place, next]) = self.frame.words.get_mut(count..count + 2).and_then(|two| two.as_mut_array()) {
            (*place, *next) = (word, Word::NONE);
            self.count += 1;
        }
    }

    /// Goes on with the line after the one in error.
    pub fn skip_line(&mut self) {
        while !matches!(self.rest.byte(), b'\n' | 0) {
            self.rest = self.rest.next();
        }
        self.rest = self.rest.next();
    }
}

/// Makes blanks of NULs, in a text that comes from a file.
pub fn blank_out(text: &mut Text) {
    for byte in text.iter_mut().filter(|byte| **byte == 0) {
        *byte = b' ';
    }
}

/// A mode of four octal digits at most.
fn octal(digits: Span) -> Result<u32, Fault> {
    let mut mode = 0;
    for byte in digits {
        let digit = u32::from(byte ^ b'0');
        if digit > 7 || mode >= 0o1000 {
            return Err(Fault::NotOctal);
        }
        mode = mode * 8 + digit;
    }
    Ok(mode)
}
