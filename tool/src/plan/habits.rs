//! Habits from other languages that a plan doesn't share: verbs of shells, lines of fstab(5), variables, comments behind
//! a step, quotes around words, a blank after an option's comma, a byte order mark before the text. Each is reported and
//! taken away before the plan is read for faults, so that none is reported with its consequences.

mod expansion;
pub mod fstab;
pub mod limits;
mod mount;
mod shell;
mod steps;
mod verbs;

use std::collections::BTreeSet;

use language::{Kind, Verb};

use super::words::{self, Line, Spot, place_of};
use super::{Finding, Plan};

const QUOTES: [char; 2] = ['"', '\''];

/// Verbs whose words the kernel has to know.
const KERNELS: [Verb; 3] = [Verb::Root, Verb::Mount, Verb::Controllers];

/// What a text in UTF-8 may begin with, and one in UTF-16 does.
pub const MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// A plan's text without a mark before it, and what is to be said of that.
pub fn unmarked(text: &[u8]) -> (&[u8], Option<Finding>) {
    let finding = |text: &str| Some(Finding { place: Some((1, 1)), text: text.to_string(), is_warning: false });
    if let Some(rest) = text.strip_prefix(MARK) {
        let said = "a byte order mark stands before the first word, three bytes that no editor shows: save the plan as \
                    UTF-8 without BOM";
        return (rest, finding(said));
    }
    match UTF_16.iter().any(|mark| text.starts_with(mark)) {
        true => (&[], finding("the plan is in UTF-16: save it as UTF-8, without BOM")),
        false => (text, None),
    }
}

/// What a line of another language was meant to be, and what to say of it.
pub struct Meant {
    column: usize,
    text: String,
    lines: Vec<Line>,
    /// A word of the lines may be something else.
    is_guess: bool,
}

impl Meant {
    /// These steps, in its place.
    fn steps(line: &Line, why: &str, steps: Vec<Vec<Spot>>) -> Meant {
        let lines: Vec<Line> = steps.into_iter().map(|words| Line { number: line.number, words }).collect();
        let text = format!("{why}: did you mean `{}`?", shown(&lines));
        Meant { lines, ..Meant::nothing(line, text) }
    }

    /// No step that could be told.
    fn nothing(line: &Line, text: String) -> Meant {
        let column = line.words[0].column + usize::from(line.may_fail());
        let name = if line.name().is_empty() { "-" } else { line.name() };
        Meant { column, text: format!("{name}: {text}"), lines: Vec::new(), is_guess: false }
    }
}

/// Steps as they are to be written, in one line of a message.
fn shown(lines: &[Line]) -> String {
    let text = String::from_utf8_lossy(&words::text(lines)).into_owned();
    text.trim_end().replace('\n', "`, `")
}

/// Puts steps in the place of lines in other languages.
pub fn translate(plan: &mut Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let last = plan.lines.len().wrapping_sub(1);
    let lines = std::mem::take(&mut plan.lines);
    for (at, line) in lines.into_iter().enumerate() {
        let meant = if line.verb() == Some(Verb::Limit) {
            limits::meant(&line)
        } else if line.verb().is_some() {
            mount::meant(&line)
        } else {
            verbs::meant(&line, at == last)
        };
        let Some(meant) = meant else {
            plan.lines.push(line);
            continue;
        };
        findings.push(Finding { place: Some((line.number, meant.column)), text: meant.text, is_warning: false });
        plan.has_gaps |= meant.lines.is_empty() || meant.is_guess;
        plan.lines.extend(meant.lines);
    }
    findings
}

/// Something to say of a word.
struct Slip {
    column: usize,
    text: String,
    /// The step will fail; else it may be meant so, where the parser takes it.
    is_sure: bool,
}

/// Fixes words. What is found is an error where the parser found one, by the line's place, or the kernel will.
pub fn fix(plan: &mut Plan, faulty: &BTreeSet<usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut variables = expansion::Variables::default();
    for (at, line) in plan.lines.iter_mut().enumerate() {
        let is_kernels = line.verb().is_some_and(|verb| KERNELS.contains(&verb));
        let is_refused = is_kernels && line.word(0) == line.name();
        let unsure = |(column, text)| Slip { column, text, is_sure: false };
        let mut slips: Vec<Slip> = comment(line).or_else(|| fstab::numbers(line)).map(unsure).into_iter().collect();
        let (of_shell, has_guess) = shell::fix(line, &variables);
        slips.extend(of_shell);
        plan.has_gaps |= has_guess;
        slips.extend(comma(line).into_iter().chain(quoted(line)).map(unsure));
        variables.learn(line);
        findings.extend(slips.into_iter().map(|slip| {
            let is_error = is_refused || faulty.contains(&at) || slip.is_sure && !line.may_fail();
            Finding { place: Some((line.number, slip.column)), text: slip.text, is_warning: !is_error }
        }));
    }
    findings
}

/// A comment behind a step. Where the verb takes no more words the parser finds it.
fn comment(line: &mut Line) -> Option<(usize, String)> {
    let shape = line.verb()?.shape();
    let said = |text: &str| format!("{text}: a comment is a line of its own: write it above");
    // A mount's source may be anything.
    let first = usize::from(shape.least.min(2));
    for place in 1..line.words.len().min(shape.most.into()) {
        let kind = shape.kind(u8::try_from(place).ok()?);
        let Spot { column, text } = line.words[place].clone();
        if place >= first && text.starts_with('#') && kind != Kind::Text {
            let comment: Vec<&str> = line.words[place..].iter().map(|word| word.text.as_str()).collect();
            let text = said(&comment.join(" "));
            line.words.truncate(place);
            return Some((column, text));
        }
        if let Some(begin) = text.find(" #").filter(|_| kind.reaches_line_end()) {
            line.words[place].text.truncate(begin);
            return Some((column + text[..=begin].chars().count(), said(&text[begin + 1..])));
        }
    }
    None
}

/// `nosuid, nodev`: the options' word ends at the blank.
fn comma(line: &mut Line) -> Option<(usize, String)> {
    let first = place_of(line.verb()?, Kind::Options)?;
    let options = line.words.get(first..).filter(|options| options.len() > 1)?;
    let is_parted = options.windows(2).all(|pair| pair[0].text.ends_with(',') || pair[1].text.starts_with(','));
    if !is_parted {
        return None;
    }
    let joined: String = options.iter().map(|option| option.text.as_str()).collect();
    let (start, column) = (options[0].column, options[1].column);
    let text = format!("{}: options are one word, with no blank at a comma: {joined}", options[1].text);
    line.words.truncate(first);
    line.words.push(Spot { column: start, text: joined });
    Some((column, text))
}

/// Words in quotes, and a few words between two.
fn quoted(line: &mut Line) -> Vec<(usize, String)> {
    // The kernel takes quotes in a module's parameters.
    if line.verb() == Some(Verb::Module) {
        return Vec::new();
    }
    let is_list = line.verb() == Some(Verb::Controllers);
    let mut told = Vec::new();
    // A verb in quotes is reported as one that is not known.
    let mut at = 1;
    while at < line.words.len() {
        if let Some((quote, last)) = span(&line.words[at..]) {
            let words = &line.words[at..=at + last];
            let was = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            let (bare, column) = (was.replace(quote, ""), words[0].column);
            told.push((column, said(&was, &bare, last > 0)));
            // As one word, so that what comes behind is in its place, but in a list.
            let mut fixed: Vec<Spot> = match is_list {
                true => words.iter().map(|word| Spot { text: word.text.replace(quote, ""), ..*word }).collect(),
                false => vec![Spot { column, text: if last > 0 { bare.replace(' ', "_") } else { bare } }],
            };
            fixed.retain(|word| !word.text.trim().is_empty());
            line.words.splice(at..=at + last, fixed);
        }
        at += 1;
    }
    told
}

fn said(was: &str, bare: &str, has_blanks: bool) -> String {
    match has_blanks {
        true => format!("{was}: a plan has no quotes: a blank ends a word, and only {} take a text", with_text()),
        false if bare.trim().is_empty() => format!("{was}: a plan has no quotes, and no word that is empty"),
        false => format!("{was}: a plan has no quotes, so they are a part of the word: did you mean {bare}?"),
    }
}

/// The verbs whose last word reaches to the line's end.
fn with_text() -> String {
    let takes_text = |verb: &&Verb| [Kind::Text, Kind::Assignment].iter().any(|kind| place_of(**verb, *kind).is_some());
    let names: Vec<&str> = Verb::ALL.iter().filter(takes_text).map(|verb| verb.name()).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// Whether a quote begins the first of these words, or its value behind the `=`; the quote, and which word ends with
/// its other half.
fn span(words: &[Spot]) -> Option<(char, usize)> {
    let first = &words.first()?.text;
    let begin = QUOTES.into_iter().find_map(|quote| {
        let value = first.split_once('=').map_or(first.as_str(), |(_, value)| value);
        let begins = [first.as_str(), value].into_iter().find(|part| part.starts_with(quote))?;
        Some((quote, begins.len()))
    });
    let (quote, length) = begin?;
    let ends = |(at, word): &(usize, &Spot)| word.text.ends_with(quote) && (*at > 0 || length > 1);
    words.iter().enumerate().find(ends).map(|(at, _)| (quote, at))
}
