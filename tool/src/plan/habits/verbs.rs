//! Verbs of shells, of other inits and of Dockerfiles: each with the step that does the same, or with what to do instead.

use language::{Kind, Verb};

use super::steps::{self, Arguments};
use super::{Meant, fstab};
use crate::plan::words::{Line, Spot};

/// What stands for a verb of another language.
enum Same {
    /// A step, or several: how their arguments are made of the words after the verb.
    As(Verb, fn(&[Spot]) -> Vec<Arguments>),
    /// No step: what to do instead.
    Instead(&'static str),
}

/// Names in lower case, blanks between those that mean the same.
const VERBS: [(&str, Same); 24] = [
    ("mkdir", Same::As(Verb::Dir, steps::directories)),
    ("ln symlink", Same::As(Verb::Link, steps::plain)),
    ("cp mv install copy add", Same::As(Verb::Copy, steps::plain)),
    ("echo printf", Same::As(Verb::Write, steps::redirected)),
    ("sysctl", Same::As(Verb::Write, steps::sysctls)),
    ("hostname", Same::As(Verb::Write, steps::hostname)),
    ("setenv export set env environment", Same::As(Verb::Env, steps::assignments)),
    ("insmod", Same::As(Verb::Module, steps::plain)),
    ("modprobe", Same::As(Verb::Module, steps::modules)),
    ("start respawn once sysinit service entrypoint cmd run", Same::As(Verb::Exec, steps::program)),
    (
        "chmod chown chgrp",
        Same::Instead("`dir PATH MODE` makes a directory with its mode, what is carried keeps its own"),
    ),
    (
        "ip ifconfig route dhclient udhcpc dhcpcd",
        Same::Instead("no step sets up a network: `ip=dhcp` on the kernel's command line does, or the agent"),
    ),
    ("umount unmount", Same::Instead("no step unmounts: leave the mount out")),
    ("switch_root pivot_root chroot", Same::Instead("exec enters the new root by itself: leave the line out")),
    ("mknod", Same::Instead("devtmpfs has the devices: `mount devtmpfs /dev devtmpfs nosuid,noexec`")),
    ("mdev udevd udevadm", Same::Instead("devtmpfs has the devices: `mount devtmpfs /dev devtmpfs nosuid,noexec`")),
    ("rm rmdir unlink", Same::Instead("what no step carries is not in the new root: leave the line out")),
    ("touch cat tee", Same::Instead("no step makes a file: pack it into the initramfs, and `copy PATH`")),
    ("cd workdir", Same::Instead("write absolute paths; the service starts in /")),
    ("swapon losetup mkfs fsck", Same::Instead("no step does this: leave it to the agent")),
    ("sleep", Same::Instead("no step waits: leave the line out")),
    (
        "if then else fi for while do done case",
        Same::Instead("there are no conditions: `-` before a verb lets it fail"),
    ),
    ("source . include", Same::Instead("a plan is one file: write the lines here")),
    ("from expose volume user label arg", Same::Instead("this is a Dockerfile's: leave the line out")),
];

/// What a line was meant to be whose verb is not known: a line of fstab(5), or a verb of another language.
pub fn meant(line: &Line, is_last: bool) -> Option<Meant> {
    if line.name().is_empty() {
        return dash_alone(line);
    }
    fstab::pasted(line)
        .or_else(|| {
            let (verb, arguments) = match same(line)? {
                Same::Instead(what) => return Some(Meant::nothing(line, format!("unknown verb: {what}"))),
                Same::As(verb, arguments) => (*verb, arguments(&line.words[1..])),
            };
            Some(of_steps(line, verb, arguments, is_last))
        })
        .or_else(|| {
            let (verb, arguments) = without_verb(line)?;
            Some(of_steps(line, verb, vec![arguments], is_last))
        })
}

/// `- mount`.
fn dash_alone(line: &Line) -> Option<Meant> {
    let verb = line.words.get(1)?;
    let words = [&[Spot { text: format!("-{}", verb.text), ..*verb }], &line.words[2..]].concat();
    let meant = Line { number: line.number, words };
    meant.verb()?;
    Some(Meant::steps(line, "no blank may follow it", vec![meant.words]))
}

fn same(line: &Line) -> Option<&'static Same> {
    let name = line.name().to_lowercase();
    VERBS.iter().find(|(names, _)| names.split(' ').any(|known| known == name)).map(|(_, same)| same)
}

/// A program's path or an assignment, which are commands of a shell.
fn without_verb(line: &Line) -> Option<(Verb, Arguments)> {
    let first = Spot { text: line.name().to_string(), ..line.words[0] };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let verb = match first.text.split_once('=') {
        _ if first.text.starts_with('/') => Verb::Exec,
        Some((name, _)) if is_name(name) => Verb::Env,
        _ => return None,
    };
    Some((verb, std::iter::once(first).chain(line.words[1..].iter().cloned()).collect()))
}

fn of_steps(line: &Line, verb: Verb, arguments: Vec<Arguments>, is_last: bool) -> Meant {
    let steps: Option<Vec<Arguments>> = arguments.into_iter().map(|arguments| in_shape(verb, arguments)).collect();
    let usage: String = verb.usage().collect();
    let steps = steps.filter(|steps| !steps.is_empty()).unwrap_or_default();
    if verb == Verb::Exec && !is_last {
        let text =
            format!("unknown verb: no step runs a program and comes back: one service, in the last line: `{usage}`");
        return Meant::nothing(line, text);
    }
    if steps.is_empty() {
        return Meant::nothing(line, format!("unknown verb: did you mean `{usage}`?"));
    }
    Meant::steps(line, "unknown verb", steps.into_iter().map(|step| with_verb(line, verb, step)).collect())
}

fn with_verb(line: &Line, verb: Verb, arguments: Arguments) -> Vec<Spot> {
    let dash = if line.may_fail() { "-" } else { "" };
    let verb = Spot { text: format!("{dash}{}", verb.name()), ..line.words[0] };
    std::iter::once(verb).chain(arguments).collect()
}

/// As many arguments as the verb takes, a text made one; none if there are too few or too many.
fn in_shape(verb: Verb, mut arguments: Arguments) -> Option<Arguments> {
    let shape = verb.shape();
    let (least, most) = (usize::from(shape.least) - 1, usize::from(shape.most) - 1);
    if shape.kind(shape.most - 1) != Kind::Word && Kind::reaches_line_end(shape.kind(shape.most - 1)) {
        steps::join(&mut arguments, most.saturating_sub(1));
    }
    let is_whole = arguments.iter().all(|word| !word.text.trim().is_empty() && !word.text.contains('\n'));
    (is_whole && (least..=most).contains(&arguments.len())).then_some(arguments)
}
