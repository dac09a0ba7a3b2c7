//! Every fault of a plan, by the init's own parser. It stops at a line's first; so each fault is fixed as it was
//! probably meant, and the plan read again, until nothing is left to report.

use language::{ACTIONS, Fault, LIMITS, MAX_LEN, Verb};

use super::habits::{self, limits};
use super::words::{self, Line, MOST_BYTES, Spot, nearest, verbs};
use super::{Finding, Plan, options, text_of};
use crate::initramfs::normalized;

/// More than a plan has bytes, so that this ends whatever the fixing does.
const MOST_READINGS: usize = 5000;

struct Found {
    /// The line's place, and how many words were read of it.
    line: Option<(usize, usize)>,
    fault: Fault,
}

/// The faults, and the plan without them.
pub fn find(plan: &Plan) -> (Vec<Finding>, Plan) {
    let (text, mark) = habits::unmarked(&plan.text);
    let mut meant = if mark.is_some() { Plan::of(&plan.name, text) } else { plan.clone() };
    let mut findings = Vec::from_iter(mark);
    // Of UTF-16 nothing else can be told.
    if text.is_empty() && !findings.is_empty() && plan.text != habits::MARK {
        return (findings, meant);
    }
    findings.extend(habits::translate(&mut meant));
    let faulty = read(&meant.lines).iter().filter_map(|found| found.line.map(|(at, _)| at)).collect();
    findings.extend(habits::fix(&mut meant, &faulty));
    if plan.text.len() > MAX_LEN {
        let length = plan.text.len();
        let more = if length == MOST_BYTES { " and more" } else { "" };
        let text = format!("{length} bytes{more}, longer than {MAX_LEN} bytes");
        findings.push(Finding { place: None, text, is_warning: false });
    }
    for _ in 0..MOST_READINGS {
        let found = read(&meant.lines);
        // Without its comments it may still be too long: then that is all that can be told.
        if found.is_empty() || found.iter().any(|found| found.fault == Fault::TooLong) {
            break;
        }
        let next = next(&found, &meant.lines);
        let before = meant.lines.len();
        findings.extend(fix(&mut meant.lines, next));
        meant.has_gaps |= meant.lines.len() != before;
    }
    (findings, meant)
}

/// The fault to fix first: a verb that is mistyped makes others look out of order or missing, and so does a `root` that
/// is not the first.
fn next<'f>(found: &'f [Found], lines: &[Line]) -> &'f Found {
    let is_root = |found: &&Found| found.line.is_some_and(|(at, _)| lines[at].verb() == Some(Verb::Root));
    let of = |fault| found.iter().filter(move |found| found.fault == fault);
    let verb = of(Fault::UnknownVerb).next();
    verb.or(of(Fault::OutOfOrder).find(is_root)).or(of(Fault::OutOfOrder).next()).unwrap_or(&found[0])
}

fn read(lines: &[Line]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    language::check(&mut text_of(&words::text(lines)), |line, fault| {
        let line = line.map(|line| (usize::from(line.number) - 1, line.count.into()));
        found.push(Found { line, fault });
    });
    found
}

/// Reports a fault and takes it away.
fn fix(lines: &mut Vec<Line>, found: &Found) -> Option<Finding> {
    let Some((at, count)) = found.line else {
        let text = match lines.is_empty() {
            true => "no step: the shortest plan is `bind /sbin/agent`, `exec /sbin/agent`",
            false => "ends without exec or spawn: the last step is `exec PATH` or `spawn PATH`",
        };
        let end = lines.last().map_or(1, |line| line.number + 1);
        lines.push(line(end, &["exec", "/"]));
        return Some(Finding { place: None, text: text.to_string(), is_warning: false });
    };
    let (number, place) = (lines[at].number, count.saturating_sub(1));
    let word = lines[at].words[place.min(lines[at].words.len() - 1)].clone();
    let usage = lines[at].usage();
    let (column, text) = match found.fault {
        Fault::UnknownVerb => return Some(fix_verb(lines, at)),
        Fault::OutOfOrder => (lines[at].words[0].column, fix_order(lines, at)),
        Fault::TooFewWords => {
            let end = lines[at].words.last().map_or(1, Spot::end);
            let least = lines[at].verb().map_or(0, |verb| verb.shape().least.into());
            lines[at].words.resize(least, Spot { column: end, text: "/=0".into() });
            (end, format!("too few words: {usage}"))
        }
        Fault::TooManyWords => {
            lines[at].words.truncate(place);
            let hint = if word.text.starts_with('#') { "; a comment is a line of its own" } else { "" };
            (word.column, format!("{}: too many words: {usage}{hint}", word.text))
        }
        Fault::NotAbsolute => {
            lines[at].words[place].text.insert(0, '/');
            let meant = normalized(&word.text);
            (word.column, format!("{}: path is not absolute: did you mean {meant}?", word.text))
        }
        Fault::NotOctal => {
            lines[at].words[place].text = "0755".into();
            (word.column, format!("{}: mode is not octal: up to four digits from 0 to 7, such as 0755", word.text))
        }
        Fault::NotAnAssignment => {
            lines[at].words[place].text = "A=B".into();
            (word.column, format!("{}: not NAME=VALUE: {usage}", word.text))
        }
        Fault::NotANumber => {
            lines[at].words[place].text = "0".into();
            let meant = match lines[at].verb() {
                Some(Verb::Wait) => limits::seconds_meant(&word.text),
                _ => limits::number_meant(&word.text),
            };
            let hint = meant
                .map_or(format!("decimal digits, or unlimited: {usage}"), |meant| format!("did you mean {meant}?"));
            (word.column, format!("{}: not a number: {hint}", word.text))
        }
        Fault::UnknownLimit => {
            lines[at].words[place].text = "nofile".into();
            let meant = nearest(&word.text, language::names(&LIMITS));
            let all =
                || format!("those of limits.conf(5): {}", language::names(&LIMITS).collect::<Vec<_>>().join(", "));
            let hint = meant.map_or_else(all, |limit| format!("did you mean {limit}?"));
            (word.column, format!("{}: unknown limit: {hint}", word.text))
        }
        Fault::UnknownAction => {
            lines[at].words[place].text = "poweroff".into();
            let meant = nearest(&word.text, language::names(&ACTIONS));
            let hint = meant.map_or_else(String::new, |action| format!(": did you mean {action}?"));
            (word.column, format!("{}: not poweroff, reboot, halt or panic{hint}", word.text))
        }
        Fault::NotForANewMount => {
            let (begin, option, other) = options::not_for_a_new_mount(&word.text)?;
            // As many commas in its place, so that what comes after it keeps its column.
            lines[at].words[place].text.replace_range(begin..begin + option.len(), &",".repeat(option.len()));
            let column = word.column + word.text[..begin].chars().count();
            (column, format!("{option}: not for a new mount: {other}"))
        }
        Fault::NoExec | Fault::TooLong => return None,
    };
    Some(Finding { place: Some((number, column)), text, is_warning: false })
}

fn fix_verb(lines: &mut Vec<Line>, at: usize) -> Finding {
    let verb = lines[at].words[0].clone();
    let dash = usize::from(verb.text.starts_with('-'));
    let name = &verb.text[dash..];
    let meant = nearest(name, verbs());
    let all = || format!("the verbs are {}", verbs().collect::<Vec<_>>().join(", "));
    let hint = meant.map_or_else(all, |verb| format!("did you mean {verb}?"));
    let place = Some((lines[at].number, verb.column + dash));
    let finding = Finding { place, text: format!("{name}: unknown verb: {hint}"), is_warning: false };
    match meant {
        Some(meant) => lines[at].words[0].text = format!("{}{meant}", &verb.text[..dash]),
        None => drop(lines.remove(at)),
    }
    finding
}

/// `root` stands first, once, and must not fail; after an `exec` only another.
fn fix_order(lines: &mut Vec<Line>, at: usize) -> String {
    let verb = lines[at].words[0].text.clone();
    let is_root = lines[at].verb() == Some(Verb::Root);
    let has_root = lines[0].verb() == Some(Verb::Root);
    let why = if is_root && at == 0 {
        lines[at].words[0].text = "root".into();
        "without the new root nothing can go on, so it must not fail: root"
    } else if is_root && has_root {
        lines.remove(at);
        "the new root is there by then; it is made once, by the first step"
    } else if is_root {
        lines.remove(at);
        lines.insert(0, line(0, &["root"]));
        "it must be the first step"
    } else {
        lines.remove(at);
        "after exec or spawn there is nothing but another one to fall back to"
    };
    format!("{verb}: out of order: {why}")
}

fn line(number: usize, words: &[&str]) -> Line {
    let words = words.iter().map(|word| Spot { column: 1, text: word.to_string() }).collect();
    Line { number, words }
}

#[cfg(test)]
mod tests;
