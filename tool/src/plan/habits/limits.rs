//! Limits as other languages write them: ulimit of shells, limits.conf(5), systemd's `LimitNOFILE=`, docker's `nofile=1024:2048`.

use language::{LIMITS, Verb};

use super::Meant;
use super::steps::Arguments;
use crate::plan::size::{Size, size};
use crate::plan::words::{Line, Spot};

/// The letters of ulimit, the limits, and its unit in bytes.
const LETTERS: [(char, &str, u64); 15] = [
    ('n', "nofile", 1),
    ('u', "nproc", 1),
    ('c', "core", 1024),
    ('s', "stack", 1024),
    ('l', "memlock", 1024),
    ('v', "as", 1024),
    ('d', "data", 1024),
    ('m', "rss", 1024),
    ('f', "fsize", 1024),
    ('t', "cpu", 1),
    ('x', "locks", 1),
    ('i', "sigpending", 1),
    ('q', "msgqueue", 1),
    ('e', "nice", 1),
    ('r', "rtprio", 1),
];

/// What a line that sets a limit in another way was meant to be.
pub fn meant(line: &Line) -> Option<Meant> {
    let is_limit = line.verb() == Some(Verb::Limit);
    let rest = &line.words[1..];
    let steps = match line.name() {
        "ulimit" => of_ulimit(rest),
        "limit" if line.word(1).starts_with('-') => of_ulimit(rest),
        "limit" => of_row(rest).or_else(|| of_assignment(&line.words[1..])),
        name if name.contains('=') => of_assignment(&line.words[..1]),
        _ => of_row(rest),
    }?;
    let usage: String = Verb::Limit.usage().collect();
    if steps.is_empty() {
        return Some(Meant::nothing(line, format!("unknown verb: did you mean `{usage}`?")));
    }
    let dash = if line.may_fail() { "-" } else { "" };
    let verb = Spot { text: format!("{dash}{}", Verb::Limit.name()), ..line.words[0] };
    let why = if is_limit { "name and numbers are words of their own" } else { "unknown verb" };
    let steps = steps.into_iter().map(|step| std::iter::once(verb.clone()).chain(step).collect());
    Some(Meant::steps(line, why, steps.collect()))
}

/// `-n 1024 -c unlimited`.
fn of_ulimit(words: &[Spot]) -> Option<Vec<Arguments>> {
    let (mut steps, mut limit) = (Vec::new(), ("fsize", 1024));
    for word in words {
        if let Some(letters) =
            word.text.strip_prefix('-').filter(|text| !text.starts_with(|l: char| l.is_ascii_digit()))
        {
            let known = letters.chars().find_map(|letter| LETTERS.iter().find(|(known, ..)| *known == letter));
            limit = known.map_or(limit, |(_, name, unit)| (name, *unit));
            continue;
        }
        let (name, unit) = limit;
        let number = number_meant(&word.text).unwrap_or(word.text.clone());
        let number = match number.parse::<u64>() {
            Ok(number) => number.checked_mul(unit)?.to_string(),
            Err(_) => number,
        };
        steps.push(vec![Spot { text: name.to_string(), ..*word }, Spot { text: number, ..*word }]);
    }
    Some(steps)
}

/// `soft nofile 1024`, after whose it is in a row of limits.conf(5).
fn of_row(words: &[Spot]) -> Option<Vec<Arguments>> {
    let [kind, name, value] = words else { return None };
    if !["soft", "hard", "-"].contains(&kind.text.as_str()) || !is_limit(&name.text) {
        return None;
    }
    let text = number_meant(&value.text).unwrap_or(value.text.clone());
    Some(vec![vec![name.clone(), Spot { text, ..*value }]])
}

/// `nofile=1024:2048`, `LimitNOFILE=1024`, `RLIMIT_NOFILE=1024`; and the name alone where it is written like these.
fn of_assignment(words: &[Spot]) -> Option<Vec<Arguments>> {
    let [word, others @ ..] = words else { return None };
    let (name, values) = word.text.split_once(['=', ':']).unwrap_or((&word.text, ""));
    let bare = name.strip_prefix("DefaultLimit").or(name.strip_prefix("Limit")).unwrap_or(name).to_lowercase();
    let bare = bare.strip_prefix("rlimit_").unwrap_or(&bare);
    if !is_limit(bare) || bare == word.text {
        return None;
    }
    let spot = |text: &str| Spot { text: number_meant(text).unwrap_or(text.to_string()), ..*word };
    let values = values.split(':').filter(|value| !value.is_empty()).map(spot);
    let others = others.iter().map(|other| Spot { column: other.column, ..spot(&other.text) });
    let numbers: Arguments = values.chain(others).collect();
    let step: Arguments = [Spot { text: bare.to_string(), ..*word }].into_iter().chain(numbers).collect();
    (2..=3).contains(&step.len()).then(|| vec![step])
}

fn is_limit(name: &str) -> bool {
    language::names(&LIMITS).any(|known| known == name)
}

/// The number that a word stands for which is none in a plan.
pub fn number_meant(word: &str) -> Option<String> {
    if ["-1", "infinity", "inf", "max", "none"].contains(&word.to_lowercase().as_str()) {
        return Some("unlimited".to_string());
    }
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(|number| number.to_string());
    }
    let bare = word.replace(['_', ','], "");
    let unit = bare.trim_end_matches(['b', 'B']).trim_end_matches('i');
    match size(unit)? {
        Size::Bytes(number) if number.to_string() != word => Some(number.to_string()),
        _ => None,
    }
}

/// The seconds that a word stands for which is no whole number of them.
pub fn seconds_meant(word: &str) -> Option<String> {
    if number_meant(word).as_deref() == Some("unlimited") {
        return number_meant(word);
    }
    let end = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(word.len());
    let number: f64 = word[..end].parse().ok()?;
    let factor = match &word[end..] {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    Some(format!("{:.0}", (number * factor).ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_meant() {
        for (word, meant) in [
            ("-1", "unlimited"),
            ("infinity", "unlimited"),
            ("64k", "65536"),
            ("4MiB", "4194304"),
            ("4MB", "4194304"),
            ("1_000", "1000"),
            ("0x400", "1024"),
        ] {
            assert_eq!(number_meant(word).as_deref(), Some(meant), "{word}");
        }
        for word in ["", "1024", "many", "5s", "50%"] {
            assert_eq!(number_meant(word), None, "{word}");
        }
        for (word, meant) in [("5s", "5"), ("500ms", "1"), ("0.5", "1"), ("2m", "120"), ("-1", "unlimited")] {
            assert_eq!(seconds_meant(word).as_deref(), Some(meant), "{word}");
        }
        for word in ["", "soon", "5h"] {
            assert_eq!(seconds_meant(word), None, "{word}");
        }
    }
}
