//! Mount options, filesystems and controllers: words that the parser takes as they are, and the kernel may not.

use moveroot::plan::{Pass, Step as Parsed, Text};
use moveroot::verb::Verb;

use super::known;
use super::size::size;
use super::words::nearest;
use super::{Finding, Spot, Step};

/// What the init's own words leave of 240 bytes: MAX_TEXT in src/line.rs.
const MOST_ROOT_OPTIONS: usize = 213;

/// What is to be said of a step's options.
pub fn findings(step: &Step) -> Vec<Finding> {
    match step.verb {
        Verb::ROOT if step.words.len() > 1 => {
            let mut findings = of_options(step, 1, "tmpfs");
            let length = step.word(1).len();
            if length > MOST_ROOT_OPTIONS {
                findings.push(step.finding(1, format!("{length} bytes of options, at most {MOST_ROOT_OPTIONS} fit")));
            }
            findings
        }
        Verb::MOUNT => {
            let mut findings: Vec<Finding> = of_filesystem(step).into_iter().collect();
            findings.extend(of_options(step, 4, step.word(3)));
            findings
        }
        Verb::CONTROLLERS => {
            step.words.iter().enumerate().skip(1).filter_map(|(at, name)| controller(step, at, name)).collect()
        }
        _ => Vec::new(),
    }
}

fn controller(step: &Step, at: usize, name: &Spot) -> Option<Finding> {
    if known::controllers().any(|known| known == name.text) {
        return None;
    }
    let name = &name.text;
    let bare = name.trim_start_matches(['+', '-']);
    let meant = nearest(bare, known::controllers());
    let hint = meant.map_or(format!("known are {}", known::controllers().collect::<Vec<_>>().join(", ")), |meant| {
        format!("did you mean {meant}?")
    });
    Some(step.finding(at, format!("{name}: no controller of cgroup v2: {hint}")))
}

fn of_filesystem(step: &Step) -> Option<Finding> {
    // mount(2) passes over the type of a bind mount or a change of flags.
    let is_change = step.word(4).split(',').any(|word| ["bind", "rbind", "remount"].contains(&word));
    if is_change || known::filesystems().any(|name| name == step.word(3)) {
        return None;
    }
    let meant = nearest(step.word(3), known::filesystems())?;
    Some(step.finding(3, format!("{}: no such filesystem: did you mean {meant}?", step.word(3))))
}

/// The options in a step's word. The kernel refuses unknown ones where it knows all: an error. Elsewhere it is one if a
/// flag was probably meant, for no filesystem takes a flag with a slip in it.
fn of_options(step: &Step, place: usize, filesystem: &str) -> Vec<Finding> {
    let Some(options) = step.words.get(place) else { return Vec::new() };
    let own = known::options(filesystem);
    let mut column = options.column;
    let mut findings = Vec::new();
    for option in options.text.split(',') {
        let spot = Spot { column, text: option.to_string() };
        column += option.chars().count() + 1;
        if option.is_empty() || is_flag(option) {
            continue;
        }
        let wrong = match own {
            Some(own) => of_known(&spot.text, filesystem, own),
            None => of_unknown(&spot.text, filesystem),
        };
        findings.extend(wrong.map(|text| Finding {
            place: Some((step.line, spot.column)),
            text,
            is_warning: step.may_fail,
        }));
    }
    findings
}

fn of_known(option: &str, filesystem: &str, own: &'static str) -> Option<String> {
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let written = if value.is_some() { format!("{name}=") } else { name.to_string() };
    if own.split(' ').any(|own| own == written) {
        let wrong = value.and_then(|value| of_value(name, value))?;
        return Some(format!("{option}: {wrong}"));
    }
    let candidates = known::flags().chain(own.split(' ').map(|own| own.trim_end_matches('=')));
    let hint = match nearest(name, candidates) {
        Some(meant) if meant == name && value.is_none() => format!("it needs a value: {name}="),
        Some(meant) if meant == name => format!("it takes no value: {name}"),
        Some(meant) => format!("did you mean {meant}?"),
        None if own.is_empty() => format!("{filesystem} has no options of its own"),
        None => format!("{filesystem} has {own}"),
    };
    Some(format!("{option}: no option of {filesystem}: {hint}"))
}

fn of_unknown(option: &str, filesystem: &str) -> Option<String> {
    let has_value = option.contains('=');
    let meant = nearest(option, known::flags()).filter(|meant| !has_value && meant.len() > 3)?;
    Some(format!("{option}: no flag, so it would go to {filesystem}: did you mean {meant}?"))
}

/// What is wrong with a value that many filesystems have.
fn of_value(name: &str, value: &str) -> Option<String> {
    match name {
        "size" => size(value).is_none().then(|| "no size: a number and k, m, g or %".to_string()),
        "mode" | "ptmxmode" => {
            let is_mode = u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777);
            (!is_mode).then(|| "no mode: up to four digits from 0 to 7".to_string())
        }
        "huge" => {
            let known = ["never", "always", "within_size", "advise", "deny", "force"];
            (!known.contains(&value)).then(|| format!("one of {}", known.join(", ")))
        }
        _ => None,
    }
}

/// By the init's own parser: it leaves nothing of a flag word for the filesystem.
fn is_flag(option: &str) -> bool {
    let mut text: Text = format!("root\nmount a / b {option}\n").bytes().take(moveroot::plan::MAX_LEN).collect();
    let mut put_together = Text::new();
    let mut step = Parsed::before(&mut text, &mut put_together, Pass::Run);
    let is_read = step.read().is_ok() && step.read().is_ok();
    is_read && step.frame.words[4].bytes().next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn flags_are_those_of_the_parser() {
        assert!(known::flags().all(is_flag));
        assert!(["size=1m", "nosiud", "rox", "r"].into_iter().all(|word| !is_flag(word)));
    }

    #[test]
    fn slips_are_found_where_they_stand() {
        for (line, expected) in [
            ("mount proc /proc proc nosuid,nodev,noexec,hidepid=2", ""),
            ("mount a /a tmpfs ,ro,size=50%,,mode=01777,size=9K,nr_inodes=3", ""),
            ("mount a /a ext4 noatime,errors=remount-ro,data=ordered,acl,ro", ""),
            ("mount a /a strangefs anything", ""),
            ("mount proc /proc proc nosiud", "2:23: nosiud: no option of proc: did you mean nosuid?"),
            ("mount proc /proc proc nosuid,nodve", "2:30: nodve: no option of proc: did you mean nodev?"),
            ("mount a /a tmpfs size=64mb", "2:18: size=64mb: no size: a number and k, m, g or %"),
            ("mount a /a tmpfs size", "2:18: size: no option of tmpfs: it needs a value: size="),
            ("mount a /a tmpfs mode=0999", "2:18: mode=0999: no mode: up to four digits from 0 to 7"),
            ("mount a /a sysfs size=1", "2:18: size=1: no option of sysfs: sysfs has no options of its own"),
            ("mount a /a ext4 noatme", "2:17: noatme: no flag, so it would go to ext4: did you mean noatime?"),
            ("-mount a /a prco", "2:13: warning: prco: no such filesystem: did you mean proc?"),
            ("mount /a /b non bind", ""),
            ("controllers cpu memroy", "2:17: memroy: no controller of cgroup v2: did you mean memory?"),
        ] {
            let plan = Plan::of("p", format!("root\n{line}\nexec /a"));
            let found: Vec<String> = plan.findings().iter().map(|finding| finding.show("p")).collect();
            let expected = if expected.is_empty() { vec![] } else { vec![format!("p:{expected}")] };
            assert_eq!(found, expected, "{line}");
        }
    }
}
