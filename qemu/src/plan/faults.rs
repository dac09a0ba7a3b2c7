//! Every fault of a plan, by the init's own parser. It stops at a line's first; so each fault is mended as it was
//! probably meant, and the plan read again, until nothing is left to tell of.

use moveroot::check;
use moveroot::fault::Fault;
use moveroot::plan::MAX_LEN;

use super::habits;
use super::words::{self, Line, Spot, nearest, verbs};
use super::{Finding, Plan, text_of};
use crate::initramfs::normalized;

/// More than a plan has bytes, so that this ends whatever the mending does.
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
    let faulty = read(&meant.lines).iter().filter_map(|found| found.line.map(|(at, _)| at)).collect();
    findings.extend(habits::mend(&mut meant.lines, &faulty));
    if plan.text.len() > MAX_LEN {
        let text = format!("{} bytes, longer than {MAX_LEN} bytes", plan.text.len());
        findings.push(Finding { place: None, text, is_warning: false });
    }
    for _ in 0..MOST_READINGS {
        let found = read(&meant.lines);
        // Without its comments it may still be too long: then that is all that can be told.
        if found.is_empty() || found.iter().any(|found| found.fault == Fault::TooLong) {
            break;
        }
        let next = next(&found, &meant.lines);
        findings.extend(mend(&mut meant.lines, next));
    }
    (findings, meant)
}

/// The fault to mend first: a verb that is mistyped makes others look out of order or missing, and so does a `root` that
/// is not the first.
fn next<'f>(found: &'f [Found], lines: &[Line]) -> &'f Found {
    let is_root = |found: &&Found| found.line.is_some_and(|(at, _)| lines[at].verb() == "root");
    let of = |fault| found.iter().filter(move |found| found.fault == fault);
    let verb = of(Fault::UnknownVerb).next();
    verb.or(of(Fault::OutOfOrder).find(is_root)).or(of(Fault::OutOfOrder).next()).unwrap_or(&found[0])
}

fn read(lines: &[Line]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    check::faults(&mut text_of(&words::text(lines)), |step, fault| {
        let line = step.map(|step| (step.line as usize - 1, step.count.into()));
        found.push(Found { line, fault });
    });
    found
}

/// Tells of a fault and takes it away.
fn mend(lines: &mut Vec<Line>, found: &Found) -> Option<Finding> {
    let Some((at, count)) = found.line else {
        let text = "ends without exec: the last step is `exec PATH`".to_string();
        let end = lines.last().map_or(1, |line| line.number + 1);
        lines.push(line(end, &["exec", "/"]));
        return Some(Finding { place: None, text, is_warning: false });
    };
    let (number, place) = (lines[at].number, count.saturating_sub(1));
    let word = lines[at].words[place.min(lines[at].words.len() - 1)].clone();
    let usage = lines[at].usage();
    let (column, text) = match found.fault {
        Fault::UnknownVerb => return Some(mend_verb(lines, at)),
        Fault::OutOfOrder => (lines[at].words[0].column, mend_order(lines, at)),
        Fault::TooFewWords => {
            let end = lines[at].end;
            lines[at].words.push(Spot { column: end, text: "/=0".into() });
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
        Fault::NoExec | Fault::TooLong => return None,
    };
    Some(Finding { place: Some((number, column)), text, is_warning: false })
}

fn mend_verb(lines: &mut Vec<Line>, at: usize) -> Finding {
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
fn mend_order(lines: &mut Vec<Line>, at: usize) -> String {
    let verb = lines[at].words[0].text.clone();
    let is_root = lines[at].verb() == "root";
    let has_root = lines[0].words[0].text == "root";
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
    } else if at == 0 {
        lines.insert(0, line(0, &["root"]));
        "the first step is `root [OPTIONS]`"
    } else {
        lines.remove(at);
        "after exec there is nothing but another exec to fall back to"
    };
    format!("{verb}: out of order: {why}")
}

fn line(number: usize, words: &[&str]) -> Line {
    let words = words.iter().map(|word| Spot { column: 1, text: word.to_string() }).collect();
    Line { number, words, end: 1 }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prop_assert;
    use proptest::sample::select;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    use super::*;

    fn findings(plan: &str) -> Vec<String> {
        let mut found = find(&Plan::of("p", plan)).0;
        found.sort();
        found.iter().map(|finding| finding.show("p")).collect()
    }

    #[test]
    fn every_verb_has_its_usage() {
        for (place, verb) in verbs().enumerate() {
            let faults = read(&words::lines(format!("{verb}\n{verb}").as_bytes()));
            assert!(faults.iter().all(|found| found.fault != Fault::UnknownVerb), "{place}: {verb}");
        }
        assert_eq!(verbs().count(), moveroot::verb::VERB_COUNT);
    }

    #[test]
    fn a_line_may_have_several_faults() {
        let plan = "root\n-mout proc proc proc x y\ndir a 9 #\nexec /a";
        let expected = [
            "p:2:2: mout: unknown verb: did you mean mount?",
            "p:2:12: proc: path is not absolute: did you mean /proc?",
            "p:2:24: y: too many words: mount SOURCE TARGET FSTYPE [OPTIONS]",
            "p:3:5: a: path is not absolute: did you mean /a?",
            "p:3:7: 9: mode is not octal: up to four digits from 0 to 7, such as 0755",
            "p:3:9: #: too many words: dir PATH [MODE]; a comment is a line of its own",
        ];
        assert_eq!(findings(plan), expected);
    }

    #[test]
    fn a_slip_is_told_of_once() {
        for (plan, expected) in [
            ("rot\ndir /a\nexec /a", "p:1:1: rot: unknown verb: did you mean root?"),
            ("root\ndir /a\nexce /a", "p:3:1: exce: unknown verb: did you mean exec?"),
            ("dir /a\nroot\nexec /a", "p:2:1: root: out of order: it must be the first step"),
            (
                "-root\nexec /a",
                "p:1:1: -root: out of order: without the new root nothing can go on, so it must not fail: root",
            ),
            (
                "root\nexec /a\ndir /b",
                "p:3:1: dir: out of order: after exec there is nothing but another exec to fall back to",
            ),
            ("root\ndir /a", "p: ends without exec: the last step is `exec PATH`"),
            ("exec /a", "p:1:1: exec: out of order: the first step is `root [OPTIONS]`"),
        ] {
            assert_eq!(findings(plan), [expected], "{plan:?}");
        }
    }

    const WORDS: [&str; 13] =
        ["root", "exec", "/a", "\n", "-", "#", "=", "\r", "mount", "dir", "077", "\u{fffd}", "write"];

    #[test]
    fn any_text_comes_to_an_end() {
        any_text(&WORDS, |plan, found, is_sound| assert_eq!(found.is_empty(), is_sound, "{plan:?}: {found:?}"));
    }

    /// Where init takes the plan the kernel may not, and what is quoted may be meant so.
    #[test]
    fn any_text_of_other_habits_does_too() {
        let habits =
            ["\"", "'", "\"\"", "\"/a\"", "'/a b'", "a,", ",b", "\u{feff}", "env", "A='b", "c'", "'exec'", "\"#"];
        any_text(&[WORDS, habits].concat(), |plan, found, is_sound| {
            assert!(is_sound || found.iter().any(|finding| !finding.is_warning), "{plan:?}: {found:?}");
        });
    }

    fn any_text(words: &[&'static str], judge: impl Fn(&str, &[Finding], bool)) {
        let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
        // The same texts in every run.
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let result = runner.run(&vec(select(words.to_vec()), 0..40), |words| {
            let plan = words.join(" ");
            let (found, meant) = find(&Plan::of("p", plan.clone()));
            prop_assert!(read(&meant.lines).is_empty(), "it is mended to {:?}", meant.lines);
            let mut is_sound = true;
            check::faults(&mut text_of(plan.as_bytes()), |_, _| is_sound = false);
            judge(&plan, &found, is_sound);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{error}"));
    }
}
