//! The plan language: bytes to steps. Pure, no system call; the build script and the host tools use this same code.
//!
//! A plan is gone through twice with the same [`Step::read`]: first to check it, then to run it; the one that is
//! built in was checked by the build. Nothing is kept of the first time, and the text is cut into words the second time only.
//! A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::fault::Fault;
use crate::options::take_flags;
use crate::sys::{Place, Word};
use crate::table::find;
use crate::verb::{ANY_NUMBER, SECOND, TEXT, VERBS, Verb};
use heapless::Vec;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// The most words a line may have, its verb included: as many as the kernel itself passes to init.
pub const MAX_WORDS: usize = 32;

/// What the kernel passes of either kind (CONFIG_INIT_ENV_ARG_LIMIT in init/main.c, and two), and a null pointer.
pub const MAX_KERNEL_WORDS: usize = 35;

/// Room for a line's words and the kernel's.
pub type Words<'t> = [Word<'t>; MAX_WORDS + MAX_KERNEL_WORDS];

/// All none: a constant, because that is cleared by one instruction, an expression by a loop.
pub const NO_WORDS: Words = [Word::NONE; _];

/// Room for a plan, one byte that shows it is too long, and a NUL.
pub type Text = Vec<u8, { MAX_LEN + 2 }>;

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
    /// What the verb needs: its byte in `VERBS`.
    needs: u8,
    /// How many words were read, the verb included; none before the first step and behind the last.
    pub count: usize,
    /// Where it goes on: at the next line, or behind the word in error.
    pub rest: Place<'t>,
    /// The verb first; none where a word was left out, but for the target of `copy` and `bind`, which is the source
    /// then. Behind a line's words there is room for those that the kernel passes on to the service.
    pub words: Words<'t>,
}

impl<'t> Step<'t> {
    /// Before the first step of `text`, which has no NUL: see [`blank_out`].
    pub fn before(text: &'t mut Text) -> Self {
        let _ = text.push(0);
        Self {
            line: 0,
            verb: Verb::NONE,
            may_fail: false,
            number: 0,
            needs: 0,
            count: 0,
            rest: Place::begin(text),
            words: NO_WORDS,
        }
    }

    /// Whether the step has a place besides its first word: `link`, `mount`, `copy`, `bind`.
    pub fn has_target(&self) -> bool {
        self.needs & SECOND != 0
    }

    /// Reads the next step. A fault is this step's, but for `NoExec`, which tells that there is none, whatever the last
    /// one was.
    #[inline(never)]
    pub fn read(&mut self, pass: Pass) -> Result<(), Fault> {
        let (last, mut at) = (self.verb, self.rest);
        self.line += 1;
        // One more than were read: a target that was left out.
        for word in self.words.iter_mut().take(self.count + 1) {
            *word = Word::NONE;
        }
        self.count = 0;
        loop {
            let is_comment = self.count == 0 && at.byte() == b'#';
            let is_text = self.count == 2 && self.needs & TEXT != 0 && at.byte() > b' ';
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
            let (verb, needs) = find(&VERBS, start, end).ok_or(Fault::UnknownVerb)?;
            (self.verb, self.needs) = (Verb(verb), needs);
            self.number = if self.verb == Verb::DIR { 0o755 } else { 0 };
            return self.follow(last);
        }
        self.add(start.word());
        if place == self.most() {
            return Err(Fault::TooManyWords);
        }
        if place <= 2 && self.needs & place as u8 != 0 && start.byte() != b'/' {
            return Err(Fault::NotAbsolute);
        }
        match (self.verb, place) {
            (Verb::ROOT, 1) | (Verb::MOUNT, 4) if pass == Pass::Run => self.number = take_flags(start, end),
            (Verb::DIR, 2) => self.number = octal(start, end)?,
            (Verb::ENV, _) => {
                let mut at = start.next();
                while at.byte() != b'=' {
                    if at == end {
                        return Err(Fault::NotAnAssignment);
                    }
                    at = at.next();
                }
            }
            _ => {}
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
        if self.count <= usize::from(self.needs >> 2 & 3) {
            return Err(Fault::TooFewWords);
        }
        if let (Verb::COPY | Verb::BIND, 2) = (self.verb, self.count) {
            self.words[2] = self.words[1];
        }
        Ok(())
    }

    /// How many words the verb takes, with itself.
    fn most(&self) -> usize {
        match self.needs >> 4 & 3 {
            ANY_NUMBER => MAX_WORDS,
            more => usize::from((self.needs >> 2 & 3) + more) + 1,
        }
    }

    /// Adds a word behind the others, if there is room.
    #[inline(never)]
    pub fn add(&mut self, word: Word<'t>) {
        if let Some(place) = self.words.get_mut(self.count) {
            *place = word;
            self.count += 1;
        }
    }

    /// Takes the last words away, down to `count` of them.
    pub fn truncate(&mut self, count: usize) {
        for word in self.words.iter_mut().skip(count) {
            *word = Word::NONE;
        }
        self.count = count;
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
