//! What a shell would do with a line before a program sees it. In a plan it stays as it stands.

use language::{Kind, Verb};

use super::Slip;
use super::expansion::{Variables, expansion};
use crate::plan::runs_program;
use crate::plan::words::{Line, Spot};

/// Programs that expand what follows their `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "busybox"];

/// Verbs whose first path must be there.
pub const READERS: [Verb; 9] =
    [Verb::Copy, Verb::Bind, Verb::Drop, Verb::Module, Verb::Write, Verb::Wait, Verb::Run, Verb::Spawn, Verb::Exec];

/// Fixes a line whose verb is known; the second is whether a word of it may be something else.
pub fn fix(line: &mut Line, variables: &Variables) -> (Vec<Slip>, bool) {
    let Some(verb) = line.verb() else { return (Vec::new(), false) };
    let mut slips: Vec<Slip> = operator(line, verb).into_iter().collect();
    let (has_shell, mut has_guess) = (runs_shell(line), false);
    for place in 1..line.words.len() {
        let kind = kind(verb, place);
        let word = line.words[place].clone();
        if has_shell && kind == Kind::Word {
            continue;
        }
        if let Some(fixed) = expansion(verb, kind, &word.text, variables) {
            let is_sure = kind == Kind::Path && place == 1 && READERS.contains(&verb);
            slips.push(Slip { column: word.column, text: format!("{}: {}", word.text, fixed.said), is_sure });
            line.words[place].text = fixed.text;
            has_guess |= fixed.is_guess;
        }
    }
    (slips, has_guess)
}

/// The kind of a word; a link's target and a mount's source are paths, if they are no other words.
fn kind(verb: Verb, place: usize) -> Kind {
    match (verb, place) {
        (Verb::Link | Verb::Mount, 1) => Kind::Path,
        _ => verb.shape().kind(u8::try_from(place).unwrap_or(u8::MAX)),
    }
}

fn runs_shell(line: &Line) -> bool {
    let name = line.word(1).rsplit('/').next().unwrap_or_default();
    line.verb().is_some_and(runs_program) && SHELLS.contains(&name) && line.words.iter().any(|word| word.text == "-c")
}

/// Cuts a line off at the first operator.
fn operator(line: &mut Line, verb: Verb) -> Option<Slip> {
    for place in 1..line.words.len() {
        let Spot { column, text } = line.words[place].clone();
        if kind(verb, place).reaches_line_end() {
            let inside = ["&&", "||"].into_iter().find(|operator| text.contains(&format!(" {operator} ")))?;
            return Some(Slip { column, text: format!("{inside}: {}", said_of(inside)?), is_sure: false });
        }
        let is_path = kind(verb, place) == Kind::Path;
        if let Some(said) = said_of(&text) {
            line.words.truncate(place);
            return Some(Slip { column, text: format!("{text}: {said}"), is_sure: false });
        }
        if let Some(bare) = text.strip_suffix(';').filter(|bare| !bare.is_empty() && !bare.ends_with('\\')) {
            let text = format!("{text}: {}: did you mean {bare}?", said_of(";")?);
            line.words[place].text = bare.to_string();
            line.words.truncate(place + 1);
            return Some(Slip { column, text, is_sure: is_path && place == 1 && READERS.contains(&verb) });
        }
    }
    None
}

/// What to say of an operator, if it is one.
fn said_of(operator: &str) -> Option<&'static str> {
    let redirected = operator.trim_start_matches(['0', '1', '2', '&']).strip_prefix(['>', '<']);
    match operator {
        "&&" | ";" | "&" => Some("there is no shell: write one step a line"),
        "||" => Some("there is no shell: write - before a verb to let it fail"),
        "|" | "|&" => Some("there is no shell and no pipe: leave it out"),
        _ => {
            let file = redirected?.trim_start_matches(['>', '<']);
            let is_file = file.is_empty() || file.starts_with(['/', '&', '.']);
            is_file.then_some("there is no shell: output goes to the console: leave it out")
        }
    }
}
