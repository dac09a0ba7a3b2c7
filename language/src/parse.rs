//! Lines to steps. A blank is any byte up to the space, so tabs, carriage returns and NULs separate words too.

use crate::cursor::{Editor, Span};
use crate::fault::Fault;
use crate::options::option_that_changes_a_mount;
use crate::step::{Line, Lines, Text};
use crate::value::{Action, limit, number, octal};
use crate::verb::{Kind, Verb};
use core::ops::Range;

/// The longest plan, in bytes.
pub const MAX_LEN: usize = 4096;

/// Reads a whole plan: [`Plan::read`](crate::Plan::read). A plan that doesn't begin with `root` gets one, a line without words.
pub fn parse<'t>(text: &'t mut Text, lines: &mut Lines<'t>) -> Result<(), Fault> {
    lines.clear();
    let (mut editor, mut last) = (Editor::new(ended(text)?), None);
    while let Some((name, number)) = next_line(&mut editor) {
        let mut line = Line::new(name, number);
        // Neither push can fail: see `Lines`.
        if last.is_none() && line.verb != Some(Verb::Root) {
            let _ = lines.push(Line { verb: Some(Verb::Root), count: 0, may_fail: false, ..line });
        }
        let result = read(&mut editor, &mut line, last);
        last = line.verb;
        let _ = lines.push(line);
        result?;
    }
    runs_service(last)
}

/// Calls `found` with every fault of a plan, and its line unless it concerns the plan as a whole: for tools on the host. The first
/// is the one that [`parse`] returns.
pub fn check(text: &mut Text, mut found: impl FnMut(Option<&Line>, Fault)) {
    let mut editor = match ended(text) {
        Ok(text) => Editor::new(text),
        Err(fault) => return found(None, fault),
    };
    let mut last = None;
    while let Some((name, number)) = next_line(&mut editor) {
        let mut line = Line::new(name, number);
        let result = read(&mut editor, &mut line, last);
        last = line.verb.or(last);
        if let Err(fault) = result {
            found(Some(&line), fault);
        }
    }
    if let Err(fault) = runs_service(last) {
        found(None, fault);
    }
}

/// Calls `found` with the line's number and the byte range of every word in a text of any length, valid or not, except comments: for
/// tools on the host. The text's last byte must not belong to the plan: it becomes NUL.
pub fn words(text: &mut [u8], mut found: impl FnMut(u16, Range<usize>)) {
    let begin = text.as_ptr();
    let mut editor = Editor::new(text);
    while let Some((name, number)) = next_line(&mut editor) {
        let verb = Line::new(name, number).verb;
        let (mut place, mut word) = (0, name);
        while !word.is_empty() {
            found(number, word.range_in(begin));
            place += 1;
            word = cut_word(&mut editor, verb.map_or(Kind::Word, |verb| verb.shape().kind(place)));
        }
    }
}

/// The text with one more byte at its end.
fn ended(text: &mut Text) -> Result<&mut [u8], Fault> {
    if text.len() > MAX_LEN {
        return Err(Fault::TooLong);
    }
    let _ = text.push(0);
    Ok(text)
}

/// The first word of the next line that is neither empty nor a comment, and the line's number; none at the text's end.
fn next_line<'t>(editor: &mut Editor<'t>) -> Option<(Span<'t>, u16)> {
    loop {
        let number = editor.next_line()?;
        let name = cut_word(editor, Kind::Word);
        if !matches!(name.begin.byte(), 0 | b'#') {
            return Some((name, number));
        }
    }
}

/// Cuts off the next word of a line; an empty one at the line's end.
fn cut_word<'t>(editor: &mut Editor<'t>, kind: Kind) -> Span<'t> {
    let is_blank = |byte| matches!(byte, 1..=b' ');
    while is_blank(editor.byte()) {
        editor.advance();
    }
    let mut word = Span { begin: editor.cursor(), end: editor.cursor() };
    while editor.byte() > b' ' || kind.reaches_line_end() && editor.byte() != 0 {
        let is_part = !is_blank(editor.byte());
        editor.advance();
        if is_part {
            word.end = editor.cursor();
        }
    }
    editor.cut(word);
    word
}

/// Reads a line's words after the first, up to the first wrong one. `last` is the verb of the line before.
fn read<'t>(editor: &mut Editor<'t>, line: &mut Line<'t>, last: Option<Verb>) -> Result<(), Fault> {
    let verb = line.verb.ok_or(Fault::UnknownVerb)?;
    if !may_follow(verb, line.may_fail, last) {
        return Err(Fault::OutOfOrder);
    }
    let shape = verb.shape();
    loop {
        let count = line.count;
        let kind = shape.kind(count);
        let argument = cut_word(editor, kind);
        if argument.is_empty() {
            return if count < shape.least { Err(Fault::TooFewWords) } else { Ok(()) };
        }
        line.count += 1;
        if count == shape.most {
            return Err(Fault::TooManyWords);
        }
        check_argument(editor, verb, kind, argument)?;
    }
}

fn check_argument<'t>(editor: &mut Editor<'t>, verb: Verb, kind: Kind, mut argument: Span<'t>) -> Result<(), Fault> {
    if kind == Kind::Path && argument.begin.byte() != b'/' {
        return Err(Fault::NotAbsolute);
    }
    if kind == Kind::Mode && octal(argument.begin.c_str()).is_none() {
        return Err(Fault::NotOctal);
    }
    if kind == Kind::Number && number(argument.begin.c_str()).is_none() {
        return Err(Fault::NotANumber);
    }
    if kind == Kind::Limit && limit(argument.begin.c_str()).is_none() {
        return Err(Fault::UnknownLimit);
    }
    if kind == Kind::Action && Action::named(argument.begin.c_str()).is_none() {
        return Err(Fault::UnknownAction);
    }
    if kind == Kind::Assignment {
        let mut name = argument.take_until(b'=');
        if name.is_empty() || argument.is_empty() || name.any(|byte| byte <= b' ') {
            return Err(Fault::NotAnAssignment);
        }
    }
    if kind == Kind::Options
        && verb == Verb::Root
        && let Some(option) = option_that_changes_a_mount(argument)
    {
        // The message ends with this option then.
        editor.cut_at_end(option);
        return Err(Fault::NotForANewMount);
    }
    Ok(())
}

/// Fails if a plan whose last verb this is runs no service.
fn runs_service(last: Option<Verb>) -> Result<(), Fault> {
    if last.is_some_and(Verb::runs_service) { Ok(()) } else { Err(Fault::NoExec) }
}

/// Whether a verb may come here: `root` only as the first, without `-`; after a step that runs a service only another such step.
fn may_follow(verb: Verb, may_fail: bool, last: Option<Verb>) -> bool {
    match (last, verb) {
        (last, Verb::Root) => last.is_none() && !may_fail,
        (Some(last), verb) => verb.runs_service() || !last.runs_service(),
        _ => true,
    }
}
