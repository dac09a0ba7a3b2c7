//! What a shell would do with a line before a program sees it: variables, globs, operators. In a plan it stays as it stands.

use std::collections::HashMap;

use language::{Kind, Verb};

use super::Slip;
use crate::initramfs::normalized;
use crate::plan::words::{Line, Spot};

/// Programs that expand what follows their `-c`.
const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "busybox"];

/// Verbs whose first path must be there.
const READERS: [Verb; 5] = [Verb::Copy, Verb::Bind, Verb::Module, Verb::Write, Verb::Exec];

/// The service's environment, as far as the plan tells.
pub struct Variables(HashMap<String, String>);

impl Default for Variables {
    /// What the kernel sets: init/main.c.
    fn default() -> Self {
        Variables([("HOME", "/"), ("TERM", "linux")].map(|(name, value)| (name.into(), value.into())).into())
    }
}

impl Variables {
    /// Takes over what an `env` says.
    pub fn learn(&mut self, line: &Line) {
        if let (Some(Verb::Env), Some((name, value))) = (line.verb(), line.word(1).split_once('='))
            && !value.bytes().any(|byte| byte <= b' ' || b"$`".contains(&byte))
        {
            self.0.insert(name.to_string(), value.to_string());
        }
    }
}

/// A word without its slip, and what to say of that.
struct Mended {
    text: String,
    said: String,
    /// It may be something else.
    is_guess: bool,
}

/// Mends a line whose verb is known; the second is whether a word of it may be something else.
pub fn mend(line: &mut Line, variables: &Variables) -> (Vec<Slip>, bool) {
    let Some(verb) = line.verb() else { return (Vec::new(), false) };
    let mut slips: Vec<Slip> = operator(line, verb).into_iter().collect();
    let (has_shell, mut has_guess) = (runs_shell(line), false);
    for place in 1..line.words.len() {
        let kind = kind(verb, place);
        let word = line.words[place].clone();
        if has_shell && kind == Kind::Word {
            continue;
        }
        if let Some(mended) = expansion(verb, kind, &word.text, variables) {
            let is_sure = kind == Kind::Path && place == 1 && READERS.contains(&verb);
            slips.push(Slip { column: word.column, text: format!("{}: {}", word.text, mended.said), is_sure });
            line.words[place].text = mended.text;
            has_guess |= mended.is_guess;
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
    line.verb() == Some(Verb::Exec) && SHELLS.contains(&name) && line.words.iter().any(|word| word.text == "-c")
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

fn expansion(verb: Verb, kind: Kind, text: &str, variables: &Variables) -> Option<Mended> {
    let is_path = kind == Kind::Path;
    match kind {
        Kind::Mode | Kind::Options => None,
        Kind::Word if verb != Verb::Exec => None,
        _ if verb == Verb::Module && !is_path => None,
        _ => command(is_path, text)
            .or_else(|| home(kind, text))
            .or_else(|| variable(is_path, text, variables))
            .or_else(|| {
                let is_glob =
                    if is_path { text.contains(['*', '?']) } else { text.starts_with('/') && text.contains('*') };
                (is_glob && kind != Kind::Text && verb != Verb::Link).then(|| glob(verb, text))
            }),
    }
}

/// `$(…)` and backticks.
fn command(is_path: bool, text: &str) -> Option<Mended> {
    let has_ticks = text.split('`').count() > 2;
    let has_command = text.split_once("$(").is_some_and(|(_, rest)| rest.contains(')'));
    (has_command || has_ticks).then(|| Mended {
        text: if is_path { "/" } else { text }.to_string(),
        said: "there is no shell: write what the command would print".to_string(),
        is_guess: true,
    })
}

/// `~/`, at the beginning or in a list.
fn home(kind: Kind, text: &str) -> Option<Mended> {
    let (name, value) = match kind {
        Kind::Assignment => text.split_once('=').map(|(name, value)| (format!("{name}="), value))?,
        Kind::Text => return None,
        _ => (String::new(), text),
    };
    let paths: Vec<&str> = value.split(':').collect();
    let is_home = |path: &&str| *path == "~" || path.starts_with("~/");
    if !paths.iter().any(is_home) {
        return None;
    }
    let at_home =
        |path: &&str| if is_home(path) { format!("/{}", path[1..].trim_start_matches('/')) } else { path.to_string() };
    let text = name + &paths.iter().map(at_home).collect::<Vec<_>>().join(":");
    Some(Mended { said: format!("there is no shell, and HOME is /: did you mean {text}?"), text, is_guess: false })
}

fn variable(is_path: bool, text: &str, variables: &Variables) -> Option<Mended> {
    let is_upper = |name: &str| {
        let is_part = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        name.chars().all(is_part) && !name.starts_with(|letter: char| letter.is_ascii_digit())
    };
    let (mut named, mut unknown) = (None, None);
    let expanded =
        shellexpand::env_with_context(text, |name: &str| -> Result<Option<String>, std::convert::Infallible> {
            if !is_path && !is_upper(name) {
                return Ok(None);
            }
            named = Some(name.to_string());
            let value = variables.0.get(name).cloned();
            if value.is_none() {
                unknown = Some(name.to_string());
            }
            Ok(value)
        });
    let expanded = expanded.ok()?.replace("//", "/");
    named?;
    Some(match unknown {
        None => {
            Mended { said: format!("nothing is expanded: did you mean {expanded}?"), text: expanded, is_guess: false }
        }
        Some(name) => {
            let text = if is_path { normalized(&text.replace(['$', '{', '}'], "")) } else { text.to_string() };
            Mended {
                said: format!("nothing is expanded: write the value of {name} in its place"),
                text,
                is_guess: true,
            }
        }
    })
}

/// A word that matches several files elsewhere.
fn glob(verb: Verb, text: &str) -> Mended {
    let stem = text.split(['*', '?']).next().unwrap_or_default();
    let directory =
        stem.rsplit_once('/').map_or("/", |(directory, _)| if directory.is_empty() { "/" } else { directory });
    let said = match verb {
        Verb::Copy | Verb::Bind => format!("nothing is expanded: write a step for each file, or `bind {directory}`"),
        _ => "nothing is expanded: write each path".to_string(),
    };
    Mended { text: directory.to_string(), said, is_guess: verb == Verb::Exec }
}
