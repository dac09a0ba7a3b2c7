//! Mount options, filesystems and controllers: words that the parser takes as they are, and the kernel may not.

use std::ffi::CString;

use language::{CStrPtr, Kind, MountFlags, Verb};
use libc::{MS_BIND, MS_DIRSYNC, MS_LAZYTIME, MS_MOVE, MS_REMOUNT, MS_SYNCHRONOUS};

use super::habits::fstab;
use super::known;
use super::size::size;
use super::words::{nearest, place_of};
use super::{Finding, Spot, Step};
use crate::initramfs::normalized;

/// Flags of a filesystem, not of a mount.
const OF_A_FILESYSTEM: u64 = MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME;

/// What is to be said of a step's options.
pub fn findings(step: &Step) -> Vec<Finding> {
    match step.verb {
        Verb::Root => of_options(step, "tmpfs"),
        Verb::Mount => {
            let mut findings: Vec<Finding> = of_source(step).into_iter().chain(of_filesystem(step)).collect();
            findings.extend(of_options(step, step.word(3)));
            findings
        }
        Verb::Controllers => {
            step.words.iter().enumerate().skip(1).filter_map(|(at, name)| controller(step, at, name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The flags among mount options, and what is left for the filesystem.
pub fn taken(options: &str) -> (MountFlags, String) {
    // No word has a NUL in it.
    let options = CString::new(options).unwrap_or_default();
    let mut data = Vec::new();
    let flags = MountFlags::take(CStrPtr::new(&options), |byte| data.push(byte));
    (flags, String::from_utf8_lossy(&data).into_owned())
}

/// The first of `root`'s options that changes a mount instead of making one: where it begins, and what to write instead.
pub fn not_for_a_new_mount(options: &str) -> Option<(usize, &str, String)> {
    let mut at = 0;
    for option in options.split(',') {
        let (flags, _) = taken(option);
        let other = match () {
            () if flags.propagation != 0 => format!("change it by a step of its own, `mount none / none {option}`"),
            () if has(&flags, MS_REMOUNT) => {
                "change it by a step of its own, `mount none / none remount,…`".to_string()
            }
            () if has(&flags, MS_BIND | MS_MOVE) => {
                format!("mount over it by a step of its own, `mount SOURCE / none {option}`")
            }
            () => {
                at += option.len() + 1;
                continue;
            }
        };
        return Some((at, option, other));
    }
    None
}

fn has(flags: &MountFlags, bits: u64) -> bool {
    u64::from(flags.set | flags.cleared) & bits != 0
}

fn controller(step: &Step, at: usize, name: &Spot) -> Option<Finding> {
    if known::controllers().any(|known| known == name.text) {
        return None;
    }
    let name = &name.text;
    if name.contains(',') {
        let bare = name.replace(',', " ");
        return Some(step.finding(at, format!("{name}: blanks separate controllers: did you mean {}?", bare.trim())));
    }
    let bare = name.trim_start_matches(['+', '-']);
    let meant = known::of_v1(bare).or_else(|| nearest(bare, known::controllers()));
    let hint = meant.map_or(format!("known are {}", known::controllers().collect::<Vec<_>>().join(", ")), |meant| {
        format!("did you mean {meant}?")
    });
    Some(step.finding(at, format!("{name}: no controller of cgroup v2: {hint}")))
}

fn of_source(step: &Step) -> Option<Finding> {
    let source = step.word(1);
    if has(&step.flags, MS_BIND | MS_MOVE) && !has(&step.flags, MS_REMOUNT) && !source.starts_with('/') {
        let text = format!("{source}: the source of a bind is an absolute path: did you mean {}?", normalized(source));
        return Some(step.finding(1, text));
    }
    if step.changes_a_mount() || known::options(step.word(3)).is_some() {
        return None;
    }
    let (text, is_sure) = fstab::source(step.word(1))?;
    let finding = step.finding(1, text);
    Some(Finding { is_warning: finding.is_warning || !is_sure, ..finding })
}

fn of_filesystem(step: &Step) -> Option<Finding> {
    // mount(2) passes over the type of a bind mount or a change of flags.
    let is_change = has(&step.flags, MS_BIND | MS_MOVE | MS_REMOUNT);
    if is_change || known::filesystems().any(|name| name == step.word(3)) {
        return None;
    }
    if let Some(text) = fstab::kind(step.word(3)) {
        return Some(step.finding(3, text));
    }
    let meant = nearest(step.word(3), known::filesystems())?;
    Some(step.finding(3, format!("{}: no such filesystem: did you mean {meant}?", step.word(3))))
}

/// The options of a step. The kernel refuses unknown ones where it knows all: an error. Elsewhere it is one if a flag was
/// probably meant, for no filesystem takes a flag with a slip in it.
fn of_options(step: &Step, filesystem: &str) -> Vec<Finding> {
    let options = place_of(step.verb, Kind::Options).and_then(|place| step.words.get(place));
    let Some(options) = options else { return Vec::new() };
    // What it is mounted from says which options there are.
    let is_bind = has(&step.flags, MS_BIND | MS_MOVE);
    let own = known::options(filesystem).filter(|_| !is_bind);
    let mut column = options.column;
    let mut findings = Vec::new();
    for option in options.text.split(',') {
        let slip = match own {
            _ if option.is_empty() || is_flag(option) => None,
            _ if let Some(text) = fstab::instead(option, step.may_fail) => Some(format!("{option}: {text}")),
            Some(own) => of_known(option, filesystem, own),
            None => of_unknown(option, filesystem),
        };
        let is_slip = slip.is_some();
        let text = slip.or_else(|| if is_bind { not_its_own(option, &step.flags) } else { None });
        findings.extend(text.map(|text| Finding {
            place: Some((step.line, column)),
            text,
            is_warning: step.may_fail || !is_slip,
        }));
        column += option.chars().count() + 1;
    }
    findings
}

/// What a bind mount or one that is moved leaves as it is: the kernel says nothing.
fn not_its_own(option: &str, of_step: &MountFlags) -> Option<String> {
    let is_ignored = !option.is_empty() && (!is_flag(option) || has(&taken(option).0, OF_A_FILESYSTEM));
    let mount = if has(of_step, MS_MOVE) { "a mount that is moved" } else { "a bind mount" };
    is_ignored.then(|| format!("{option}: {mount} has no such option of its own: it's the filesystem's"))
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

fn is_flag(option: &str) -> bool {
    CString::new(option).is_ok_and(|option| language::is_flag(CStrPtr::new(&option)))
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
            ("mount /a /b none bind,ro,nosymfollow,relatime,rshared", ""),
            (
                "mount /a /b none rbind,lazytime",
                "2:24: warning: lazytime: a bind mount has no such option of its own: it's the filesystem's",
            ),
            (
                "mount /a /b tmpfs move,size=1m",
                "2:24: warning: size=1m: a mount that is moved has no such option of its own: it's the filesystem's",
            ),
            ("mount /a /b none bind,nosiud", "2:23: nosiud: no flag, so it would go to none: did you mean nosuid?"),
            ("env A B=C", "2:5: A B=C: not NAME=VALUE: env NAME=VALUE"),
            ("controllers cpu memroy", "2:17: memroy: no controller of cgroup v2: did you mean memory?"),
        ] {
            let plan = Plan::of("p", format!("root\n{line}\nexec /a"));
            let found: Vec<String> = plan.findings().iter().map(|finding| finding.show("p")).collect();
            let expected = if expected.is_empty() { vec![] } else { vec![format!("p:{expected}")] };
            assert_eq!(found, expected, "{line}");
        }
    }
}
