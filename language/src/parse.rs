//! Lines to steps. A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::cursor::{Editor, Span};
use crate::fault::Fault;
use crate::options::option_that_changes_a_mount;
use crate::step::{Line, Lines, Text};
use crate::string::CStrPtr;
use crate::verb::{Kind, Verb};
use core::ops::Range;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// Reads a whole plan: [`Plan::read`](crate::Plan::read). One that doesn't begin with `root` gets one, a line without words.
pub fn parse(text: &mut Text, lines: &mut Lines) -> Result<(), Fault> {
    lines.clear();
    if text.len() > MAX_LEN {
        return Err(Fault::TooLong);
    }
    let _ = text.push(0);
    let mut parser = Parser::new(text);
    while parser.next_line() {
        let result = parser.read();
        if lines.is_empty() && parser.line.verb != Verb::Root {
            push(lines, Line { verb: Verb::Root, count: 0, may_fail: false, ..parser.line })?;
        }
        push(lines, parser.line)?;
        result?;
    }
    parser.finish()
}

fn push(lines: &mut Lines, line: Line) -> Result<(), Fault> {
    lines.push(line).map_err(|_| Fault::TooLong)
}

/// Calls `found` with every fault of a plan, and its line where it isn't the plan's as a whole: for tools on the host. The
/// first is what [`parse`] returns.
pub fn check(text: &mut Text, mut found: impl FnMut(Option<&Line>, Fault)) {
    if text.len() > MAX_LEN {
        return found(None, Fault::TooLong);
    }
    let _ = text.push(0);
    let mut parser = Parser::new(text);
    while parser.next_line() {
        if let Err(fault) = parser.read() {
            found(Some(&parser.line), fault);
        }
    }
    if let Err(fault) = parser.finish() {
        found(None, fault);
    }
}

/// Calls `found` with the number of the line and the bytes of every word in a text of any length, right or wrong, but for
/// comments: for tools on the host. The text's last byte, which must be no part of the plan, becomes NUL.
pub fn words(text: &mut [u8], mut found: impl FnMut(u16, Range<usize>)) {
    let mut parser = Parser::new(text);
    while parser.next_line() {
        let mut word = parser.name;
        let dash = usize::from(word.begin.byte() == b'-');
        let verb = Verb::named(Span { begin: if dash > 0 { word.begin.next() } else { word.begin }, ..word });
        let mut place = 0;
        while !word.is_empty() {
            found(parser.line.number, parser.at.range(word));
            place += 1;
            word = parser.word(verb.map_or(Kind::Word, |verb| verb.shape().kind(place)));
        }
    }
}

struct Parser<'t> {
    at: Editor<'t>,
    /// `at` is behind the current line.
    is_line_over: bool,
    /// The verb of the last line that had one.
    last: Option<Verb>,
    /// What was read of the current line.
    line: Line,
    /// Its first word.
    name: Span<'t>,
}

impl<'t> Parser<'t> {
    /// A text with a byte behind it, which becomes NUL.
    fn new(text: &'t mut [u8]) -> Self {
        // Inside the text, a NUL is a blank.
        text.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
        let at = Editor::new(text);
        let line = Line { first: 0, number: 0, verb: Verb::Root, count: 0, may_fail: false };
        let name = Span { begin: at.cursor(), end: at.cursor() };
        Self { at, is_line_over: true, last: None, line, name }
    }

    /// Goes to the next line that is neither empty nor a comment; false at the text's end.
    fn next_line(&mut self) -> bool {
        loop {
            while !self.is_line_over {
                self.word(Kind::Word);
            }
            if self.at.byte() == 0 {
                return false;
            }
            self.line.number = self.line.number.wrapping_add(1);
            self.is_line_over = false;
            self.name = self.word(Kind::Word);
            if !self.name.is_empty() && self.name.begin.byte() != b'#' {
                return true;
            }
        }
    }

    /// Cuts the next word of the line off; an empty one at the line's end.
    fn word(&mut self, kind: Kind) -> Span<'t> {
        let ends_line = |byte| matches!(byte, b'\n' | 0);
        while !self.is_line_over && self.at.byte() <= b' ' && !ends_line(self.at.byte()) {
            self.at.advance();
        }
        let begin = self.at.cursor();
        let mut word = Span { begin, end: begin };
        if self.is_line_over {
            return word;
        }
        while self.at.byte() > b' ' || kind.reaches_line_end() && !ends_line(self.at.byte()) {
            let is_blank = self.at.byte() <= b' ';
            self.at.advance();
            if !is_blank {
                word.end = self.at.cursor();
            }
        }
        self.is_line_over = ends_line(self.at.byte());
        self.at.cut(word);
        word
    }

    /// Reads the line.
    fn read(&mut self) -> Result<(), Fault> {
        let mut name = self.name;
        self.line.may_fail = name.begin.byte() == b'-';
        if self.line.may_fail {
            name.next();
        }
        self.line.first = self.at.offset(name) as u16;
        self.line.count = 1;
        self.line.verb = Verb::named(name).ok_or(Fault::UnknownVerb)?;
        if !may_follow(&self.line, self.last.replace(self.line.verb)) {
            return Err(Fault::OutOfOrder);
        }
        let shape = self.line.verb.shape();
        loop {
            let count = self.line.count;
            let kind = shape.kind(count);
            let argument = self.word(kind);
            if argument.is_empty() {
                return if count < shape.least { Err(Fault::TooFewWords) } else { Ok(()) };
            }
            self.line.count += 1;
            if count == shape.most {
                return Err(Fault::TooManyWords);
            }
            self.check(argument, kind)?;
        }
    }

    fn check(&mut self, mut argument: Span<'t>, kind: Kind) -> Result<(), Fault> {
        if kind == Kind::Path && argument.begin.byte() != b'/' {
            return Err(Fault::NotAbsolute);
        }
        if kind == Kind::Mode && octal(argument.begin.c_str()).is_none() {
            return Err(Fault::NotOctal);
        }
        if kind == Kind::Assignment {
            let mut name = argument.take_until(b'=');
            if name.is_empty() || argument.is_empty() || name.any(|byte| byte <= b' ') {
                return Err(Fault::NotAnAssignment);
            }
        }
        if kind == Kind::Options
            && self.line.verb == Verb::Root
            && let Some(option) = option_that_changes_a_mount(argument)
        {
            // So that it is the last that the message names.
            self.at.cut_at_end(option);
            return Err(Fault::NotForANewMount);
        }
        Ok(())
    }

    /// What is wrong with the plan as a whole.
    fn finish(&self) -> Result<(), Fault> {
        if self.last == Some(Verb::Exec) { Ok(()) } else { Err(Fault::NoExec) }
    }
}

/// `root` comes first and must not fail; behind `exec` there is only another `exec`.
fn may_follow(line: &Line, last: Option<Verb>) -> bool {
    match (last, line.verb) {
        (last, Verb::Root) => last.is_none() && !line.may_fail,
        (Some(Verb::Exec), verb) => verb == Verb::Exec,
        _ => true,
    }
}

/// A mode of up to four octal digits.
pub fn octal(digits: CStrPtr) -> Option<u32> {
    let mut mode = 0;
    for byte in digits.bytes() {
        let digit = u32::from(byte ^ b'0');
        if digit > 7 || mode >= 0o1000 {
            return None;
        }
        mode = mode * 8 + digit;
    }
    Some(mode)
}
