//! Words that a shell would expand: variables, `~`, `$(…)`, globs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;

use language::{Kind, Verb};

use super::shell::READERS;
use crate::initramfs::normalized;
use crate::plan::runs_program;
use crate::plan::words::Line;

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

    /// The text with the value of each variable that `counts`; the names of those, and whether each is known.
    fn expanded(&self, text: &str, counts: impl Fn(&str) -> bool) -> (String, Vec<(String, bool)>) {
        let names = RefCell::new(Vec::new());
        let value = |name: &str| {
            let value = self.0.get(name).filter(|_| counts(name)).cloned();
            names.borrow_mut().extend(counts(name).then(|| (name.to_string(), value.is_some())));
            Ok::<_, Infallible>(value)
        };
        let expanded = shellexpand::env_with_context(text, value).map_or(String::new(), |text| text.into_owned());
        (expanded, names.into_inner())
    }
}

/// A word without what would be expanded, and what to say of that.
pub struct Fixed {
    pub text: String,
    pub said: String,
    /// It may be something else.
    pub is_guess: bool,
}

impl Fixed {
    fn known(why: &str, text: String) -> Fixed {
        Fixed { said: format!("{why}: did you mean {text}?"), text, is_guess: false }
    }
}

/// What a shell would expand in a word.
pub fn expansion(verb: Verb, kind: Kind, text: &str, variables: &Variables) -> Option<Fixed> {
    let is_path = kind == Kind::Path;
    match kind {
        Kind::Mode | Kind::Options | Kind::Limit | Kind::Number | Kind::Action => None,
        Kind::Word if !runs_program(verb) => None,
        Kind::Text if verb == Verb::Module => None,
        _ => command(is_path, text)
            .or_else(|| home(kind, text, variables))
            .or_else(|| variable(is_path, text, variables))
            .or_else(|| glob(verb, kind, text)),
    }
}

/// `$(…)` and backticks.
fn command(is_path: bool, text: &str) -> Option<Fixed> {
    let has_ticks = text.split('`').count() > 2;
    let has_command = text.split_once("$(").is_some_and(|(_, rest)| rest.contains(')'));
    (has_command || has_ticks).then(|| Fixed {
        text: if is_path { "/" } else { text }.to_string(),
        said: "there is no shell: write what the command would print".to_string(),
        is_guess: true,
    })
}

/// `~/`, at the beginning or in a list.
fn home(kind: Kind, text: &str, variables: &Variables) -> Option<Fixed> {
    let (name, value) = match kind {
        Kind::Assignment => text.split_once('=').map(|(name, value)| (format!("{name}="), value))?,
        Kind::Text => return None,
        _ => (String::new(), text),
    };
    let is_home = |path: &str| path == "~" || path.starts_with("~/");
    if !value.split(':').any(is_home) {
        return None;
    }
    let home = variables.0.get("HOME").map_or("", |home| home.trim_end_matches('/'));
    let at_home =
        |path: &str| if is_home(path) { format!("{home}/{}", path[1..].trim_start_matches('/')) } else { path.into() };
    let paths: Vec<String> = value.split(':').map(at_home).collect();
    Some(Fixed::known("there is no shell", name + &paths.join(":")))
}

/// `$NAME`: of lower-case letters only in paths, for elsewhere it may be another language's.
fn variable(is_path: bool, text: &str, variables: &Variables) -> Option<Fixed> {
    let is_upper = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let is_number = |name: &str| name.starts_with(|letter: char| letter.is_ascii_digit());
    let counts = |name: &str| is_path || name.chars().all(is_upper) && !is_number(name);
    let (expanded, names) = variables.expanded(text, counts);
    names.first()?;
    let Some((name, _)) = names.iter().find(|(_, is_known)| !is_known) else {
        // HOME ends with a slash.
        let text = expanded.replace("://", "\0").replace("//", "/").replace('\0', "://");
        return Some(Fixed::known("nothing is expanded", text));
    };
    let said = format!("nothing is expanded: write the value of {name} in its place");
    let text = if is_path { normalized(&text.replace(['$', '{', '}'], "")) } else { text.to_string() };
    Some(Fixed { text, said, is_guess: true })
}

/// A word that matches several files.
fn glob(verb: Verb, kind: Kind, text: &str) -> Option<Fixed> {
    let is_glob = match kind {
        Kind::Path => READERS.contains(&verb) && text.contains(['*', '?']),
        Kind::Word => text.starts_with('/') && text.contains('*'),
        _ => false,
    };
    if !is_glob {
        return None;
    }
    let stem = text.split(['*', '?']).next().unwrap_or_default();
    let directory = stem.rsplit_once('/').map_or("", |(directory, _)| directory);
    let directory = if directory.is_empty() { "/" } else { directory };
    let said = match verb {
        Verb::Drop => format!("nothing is expanded: write a step for each file, or `drop {directory}` for all of it"),
        Verb::Copy | Verb::Bind => format!("nothing is expanded: write a step for each file, or `bind {directory}`"),
        _ => "nothing is expanded: write each path".to_string(),
    };
    Some(Fixed { text: directory.to_string(), said, is_guess: runs_program(verb) })
}
