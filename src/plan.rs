//! The plan language: bytes to steps. Pure, no system call; the build script and the host tools use this same code.
//!
//! A plan is gone through twice with the same [`Step::read`]: first to check it, then to run it; the one that is
//! built in was checked by the build. Nothing is kept of the first time, and the text is cut into words the second time only.
//! A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::fault::Fault;
use crate::options::take_flags;
use crate::sys::{Frame, Place, Word};
use crate::table::find;
use crate::verb::{Needs, SECOND, TEXT, VERBS, Verb};

#[allow(unused_imports)] // the build script has no use for all
pub use crate::sys::{MAX_LEN, MAX_WORDS, Text};

/// Which of the two times a plan is gone through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The text stays as it is, so a word is not cut off: it ends at a blank.
    Check,
    /// Words end with NUL; flag words are taken out of mount options.
    Run,
}

/// One step: a line of the plan. Read one after the other, it knows what came before.
#[repr(C)] // the large field last: an offset of one byte where four would be needed
pub struct Step<'t> {
    pub line: u16,
    pub verb: Verb,
    /// A `-` stood before the verb: a failure is a warning.
    pub may_fail: bool,
    /// The mode of `dir`, the mount flags of `root` and `mount`.
    pub number: u32,
    /// What the verb needs.
    needs: Needs,
    /// How many words were read, the verb included; none before the first step and behind the last.
    pub count: usize,
    /// Where it goes on: at the next line, or behind the word in error.
    pub rest: Place<'t>,
    /// Its words, the verb first, and what it works on.
    pub frame: Frame<'t>,
}

impl<'t> Step<'t> {
    /// Before the first step of `text`, which has no NUL: see [`blank_out`].
    #[inline(always)]
    pub fn before(frame: Frame<'t>, text: &'t mut Text) -> Self {
        Self {
            line: 0,
            verb: Verb::NONE,
            may_fail: false,
            number: 0,
            needs: Needs::NONE,
            count: 0,
            rest: Place::begin(text),
            frame,
        }
    }

    /// Whether the step has a place besides its first word: `link`, `mount`, `copy`, `bind`.
    pub fn has_target(&self) -> bool {
        self.needs.words & SECOND != 0
    }

    /// Reads the next step. A fault is this step's, but for `NoExec`, which tells that there is none, whatever the last
    /// one was.
    #[inline(never)]
    pub fn read(&mut self, pass: Pass) -> Result<(), Fault> {
        let (last, mut at) = (self.verb, self.rest);
        self.line += 1;
        self.count = 0;
        loop {
            let is_comment = self.count == 0 && at.byte() == b'#';
            let is_text = self.count == 2 && self.needs.words & TEXT != 0 && at.byte() > b' ';
            let (start, mut end) = (at, at);
            while at.byte() > b' ' || (is_comment || is_text) && !matches!(at.byte(), b'\n' | 0) {
                if at.byte() > b' ' {
                    end = at.next();
                }
                at = at.next();
            }
            let separator = at.byte();
            self.rest = at;
            at = at.next();
            if start != end && !is_comment {
                self.take(start, end, last, pass)?;
                if pass == Pass::Run {
                    end.put(0);
                }
            }
            if matches!(separator, b'\n' | 0) {
                if self.count > 0 {
                    self.complete()?;
                    self.rest = at;
                    return Ok(());
                }
                if separator == 0 {
                    return Err(Fault::NoExec);
                }
                self.line += 1;
            }
        }
    }

    /// Takes a word and checks it.
    fn take(&mut self, mut start: Place<'t>, end: Place<'t>, last: Verb, pass: Pass) -> Result<(), Fault> {
        let place = self.count;
        if place == 0 {
            self.may_fail = start.byte() == b'-';
            if self.may_fail {
                start = start.next();
            }
            self.add(start.word());
            let verb = Verb(find(&VERBS, start, end).0);
            self.needs = verb.needs().ok_or(Fault::UnknownVerb)?;
            self.verb = verb;
            self.number = if self.verb == Verb::DIR { 0o755 } else { 0 };
            return self.follow(last);
        }
        self.add(start.word());
        if place == self.needs.most.into() {
            return Err(Fault::TooManyWords);
        }
        if place <= 2 && self.needs.words & place as u8 != 0 && start.byte() != b'/' {
            return Err(Fault::NotAbsolute);
        }
        if place == self.needs.options.into() && pass == Pass::Run {
            self.number = take_flags(start, end);
        }
        if self.verb == Verb::DIR && place == 2 {
            self.number = octal(start, end)?;
        }
        if self.verb == Verb::ENV {
            let mut at = start.next();
            while at.byte() != b'=' {
                if at == end {
                    return Err(Fault::NotAnAssignment);
                }
                at = at.next();
            }
        }
        Ok(())
    }

    /// Whether the step may stand there: `root` comes first and must not fail, after an `exec` only another can run.
    fn follow(&self, last: Verb) -> Result<(), Fault> {
        let is_root = self.verb == Verb::ROOT;
        if is_root != (last == Verb::NONE) || is_root && self.may_fail || last == Verb::EXEC && self.verb != last {
            return Err(Fault::OutOfOrder);
        }
        Ok(())
    }

    /// Whether enough words were there; adds the one that may be left out.
    fn complete(&mut self) -> Result<(), Fault> {
        if self.count < self.needs.least.into() {
            return Err(Fault::TooFewWords);
        }
        if let (Verb::COPY | Verb::BIND, 2) = (self.verb, self.count) {
            self.add(self.frame.words[1]);
        }
        Ok(())
    }

    /// Adds a word behind the others, if there is room, and none behind it.
    #[inline(always)]
    fn add(&mut self, word: Word<'t>) {
        if let Some([place, next]) =
            self.frame.words.get_mut(self.count..self.count + 2).and_then(|two| two.as_mut_array())
        {
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
fn octal(mut at: Place, end: Place) -> Result<u32, Fault> {
    let mut mode = 0;
    while at != end {
        match at.byte() {
            digit @ b'0'..=b'7' if mode < 0o1000 => mode = mode * 8 + u32::from(digit - b'0'),
            _ => return Err(Fault::NotOctal),
        }
        at = at.next();
    }
    Ok(mode)
}
