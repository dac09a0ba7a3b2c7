//! mount(8)'s options, which come before or between its arguments.

use clap::Parser;
use language::Verb;

use super::Meant;
use crate::plan::words::{Line, Spot};

/// The options that say something of the mount; others are passed over.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true)]
struct Mount {
    #[arg(short = 't', long = "types")]
    kind: Option<String>,
    #[arg(short = 'o', long)]
    options: Vec<String>,
    #[arg(short = 'B', long)]
    bind: bool,
    #[arg(short = 'R', long)]
    rbind: bool,
    #[arg(short = 'M', long = "move")]
    is_moved: bool,
    #[arg(short = 'r', long, alias = "ro")]
    read_only: bool,
    #[arg(short = 'w', long, alias = "rw")]
    writable: bool,
    #[arg(short = 'L', long)]
    label: Option<String>,
    #[arg(short = 'U', long)]
    uuid: Option<String>,
    #[arg(long)]
    source: Option<String>,
    #[arg(long)]
    target: Option<String>,
    #[arg(short = 'n', short_alias = 'v')]
    _is_quiet: bool,
    words: Vec<String>,
}

const PROPAGATION: &str = "--make-";

/// What a `mount` with options of mount(8) was meant to be.
pub fn meant(line: &Line) -> Option<Meant> {
    if line.verb()? != Verb::Mount {
        return None;
    }
    let first = line.words[1..].iter().find(|word| word.text.starts_with('-'))?;
    let what = format!("{}: a step has no options of mount(8)", first.text);
    let words = arguments(line).unwrap_or_default();
    if words.is_empty() {
        let text = format!("{what}: {}", line.usage());
        return Some(Meant { column: first.column, text, lines: Vec::new(), is_guess: false });
    }
    let step = words.iter().map(|text| placed(line, text));
    let step: Vec<Spot> = std::iter::once(line.words[0].clone()).chain(step).collect();
    let lines = vec![Line { number: line.number, words: step }];
    let is_bind = words.iter().any(|word| word.split(',').any(|option| option == "bind"));
    let hint =
        if is_bind { format!(", or `bind {} {}` from the initramfs", words[0], words[1]) } else { String::new() };
    let text = format!("{what}: did you mean `{}`{hint}?", super::shown(&lines));
    Some(Meant { column: first.column, text, lines, is_guess: false })
}

/// The word as it stands in the line, or where its verb is.
fn placed(line: &Line, text: &str) -> Spot {
    let same = line.words[1..].iter().find(|word| word.text == text);
    same.cloned().unwrap_or(Spot { column: line.words[0].column, text: text.to_string() })
}

/// SOURCE, TARGET, FSTYPE and OPTIONS; none where mount(8) would not understand it either.
fn arguments(line: &Line) -> Option<Vec<String>> {
    let (propagation, words): (Vec<&str>, Vec<&str>) =
        line.words[1..].iter().map(|word| word.text.as_str()).partition(|word| word.starts_with(PROPAGATION));
    let mount = Mount::try_parse_from(words).ok()?;
    let options = mount.all_options(&propagation);
    let is_change = options.iter().any(|option| option == "remount") || !propagation.is_empty();
    let tag = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
    let source = mount.source.clone().or(tag("LABEL", &mount.label)).or(tag("UUID", &mount.uuid));
    let mut words = source.into_iter().chain(mount.words.clone()).chain(mount.target.clone());
    let (first, second) = (words.next()?, words.next());
    let (source, target) = match second {
        Some(target) => (first, target),
        None if is_change => ("none".to_string(), first),
        None => return None,
    };
    let has_none =
        mount.bind || mount.rbind || mount.is_moved || is_change || options.iter().any(|o| o.ends_with("bind"));
    let kind = mount.kind.clone().unwrap_or(if has_none { "none" } else { FSTYPE }.to_string());
    let options = Some(options.join(",")).filter(|options| !options.is_empty());
    let words: Vec<String> = [source, target, kind].into_iter().chain(options).collect();
    words.iter().all(|word| !word.is_empty()).then_some(words)
}

/// In the place of a type that was left to mount(8) to find.
const FSTYPE: &str = "FSTYPE";

impl Mount {
    fn all_options(&self, propagation: &[&str]) -> Vec<String> {
        let flags = [
            (self.bind, "bind"),
            (self.rbind, "rbind"),
            (self.is_moved, "move"),
            (self.read_only, "ro"),
            (self.writable, "rw"),
        ];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name);
        let propagation = propagation.iter().map(|word| &word[PROPAGATION.len()..]);
        flags.chain(self.options.iter().map(String::as_str)).chain(propagation).map(String::from).collect()
    }
}
