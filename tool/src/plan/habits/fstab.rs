//! fstab(5): its lines, and what in them is for other readers than the kernel.

use language::Verb;

use super::Meant;
use crate::plan::known;
use crate::plan::words::{Line, Spot};

/// The fields that dump(8) and fsck(8) read come after these.
const FIELDS: usize = 4;

/// Tags that libblkid looks up for mount(8).
const TAGS: [&str; 5] = ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "ID="];
/// Links that udev makes.
const LINKS: &str = "/dev/disk/by-";

const NO_LOOP: &str = "no step sets up a loop device: give the VM the image as a disk, such as /dev/vda";
const NO_USERS: &str = "there are no users yet: leave it out";

/// Options that mount(8) and systemd read, and what to do instead.
const OPTIONS: [(&str, &str); 15] = [
    ("nofail", "write -mount: a - before the verb lets it fail"),
    ("_netdev", "steps run in order: leave it out"),
    ("auto", "every step runs: leave it out"),
    ("noauto", "every step runs: leave the line out"),
    ("user", NO_USERS),
    ("nouser", NO_USERS),
    ("users", NO_USERS),
    ("owner", NO_USERS),
    ("group", NO_USERS),
    ("nogroup", NO_USERS),
    ("noowner", NO_USERS),
    ("loop", NO_LOOP),
    ("sw", "no step turns swap on: leave the line out"),
    ("comment", "a comment is a line of its own, which begins with #"),
    ("offset", NO_LOOP),
];

/// A line of fstab(5) without `mount` before it.
pub fn pasted(line: &Line) -> Option<Meant> {
    let [source, target, kind, rest @ ..] = &line.words[..] else { return None };
    if kind.text == "swap" {
        return Some(Meant::nothing(line, "a line of fstab(5): no step turns swap on: leave it out".into()));
    }
    let is_type = known::filesystems().chain(["auto"]).any(|known| known == kind.text) || kind.text.contains(',');
    if !is_type || !(target.text.starts_with('/') || target.text == "none") {
        return None;
    }
    let dash = if line.may_fail() { "-" } else { "" };
    let verb = Spot { text: format!("{dash}{}", Verb::Mount.name()), ..*source };
    let source = Spot { text: line.name().to_string(), ..*source };
    let options = rest.first().filter(|options| !is_number(options)).cloned();
    let mount = [verb, source, target.clone(), kind.clone()].into_iter().chain(options).collect();
    Some(Meant::steps(line, "a line of fstab(5): write mount before it", vec![mount]))
}

/// Takes away the fields for dump(8) and fsck(8) at the end of a `mount`.
pub fn numbers(line: &mut Line) -> Option<(usize, String)> {
    if line.verb()? != Verb::Mount {
        return None;
    }
    let end = line.words.iter().rposition(|word| !is_number(word))? + 1;
    let first = end.max(FIELDS);
    let numbers = line.words.get(first..).filter(|numbers| !numbers.is_empty())?;
    let column = numbers[0].column;
    let numbers: Vec<&str> = numbers.iter().map(|word| word.text.as_str()).collect();
    let numbers = numbers.join(" ");
    line.words.truncate(first);
    let rest: Vec<&str> = line.words.iter().map(|word| word.text.as_str()).collect();
    Some((column, format!("{numbers}: fields of fstab(5) for dump and fsck: leave them out: {}", rest.join(" "))))
}

fn is_number(word: &Spot) -> bool {
    word.text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What to write in place of an option for other readers.
pub fn instead(option: &str, may_fail: bool) -> Option<&'static str> {
    if option == "nofail" && may_fail {
        return Some("the - before the verb says so already: leave it out");
    }
    if option.starts_with("x-") || option.starts_with("X-") {
        return Some("mount(8) and systemd read it, the kernel does not: leave it out");
    }
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let known = OPTIONS.iter().find(|(known, _)| *known == name)?;
    // `group=` and `user=` are options of some filesystems.
    let has_value = ["comment", "loop", "offset"].contains(&name);
    (value.is_none() && name != "offset" || value.is_some() && has_value).then_some(known.1)
}

/// What is wrong with a mount's source: whether it surely is.
pub fn source(source: &str) -> Option<(String, bool)> {
    let what = "write the disk's path, such as /dev/vda";
    if TAGS.iter().any(|tag| source.starts_with(tag)) {
        return Some((format!("{source}: the kernel takes device paths only: {what}"), true));
    }
    source
        .starts_with(LINKS)
        .then(|| (format!("{source}: udev makes such links, and does not run here: {what}"), false))
}

/// What is wrong with a type that mount(8) would look for.
pub fn kind(kind: &str) -> Option<String> {
    if let Some((first, _)) = kind.split_once(',') {
        return Some(format!("{kind}: a mount has one type: write {first}, and a -mount for each other"));
    }
    (kind == "auto").then(|| "auto: the kernel does not look for the type: write it, such as ext4".to_string())
}
