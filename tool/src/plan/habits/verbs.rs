//! Verbs of shells, of other inits and of Dockerfiles: each with the step that does the same, or with what to do instead.

use language::{Kind, Verb};

use super::steps::{self, Arguments};
use super::{Meant, fstab, limits};
use crate::plan::words::{Line, Spot};

/// What stands for a verb of another language.
enum Same {
    /// A step, or several: how their arguments are made of the words after the verb.
    As(Verb, fn(&[Spot]) -> Vec<Arguments>),
    /// A step that does not do all of it: why not.
    Near(&'static str, Verb, fn(&[Spot]) -> Vec<Arguments>),
    /// A program of this name, which a step runs; and what does the same without one.
    Program(&'static str),
    /// No step: what to do instead.
    Instead(&'static str),
}

const NO_NETWORK: &str =
    "no step sets up a network: `ip=dhcp` on the kernel's command line does, or the agent, or a program";

/// Names in lower case, blanks between those that mean the same. A program that is run once is the service in the last line.
const VERBS: [(&str, Same); 28] = [
    ("mkdir", Same::As(Verb::Dir, steps::directories)),
    ("ln symlink", Same::As(Verb::Link, steps::plain)),
    ("cp mv install copy add", Same::As(Verb::Copy, steps::plain)),
    ("echo printf", Same::As(Verb::Write, steps::redirected)),
    ("sysctl", Same::As(Verb::Write, steps::sysctls)),
    ("hostname", Same::As(Verb::Write, steps::hostname)),
    ("setenv export set env environment", Same::As(Verb::Env, steps::assignments)),
    ("insmod", Same::As(Verb::Module, steps::plain)),
    ("modprobe", Same::As(Verb::Module, steps::modules)),
    ("rm rmdir unlink", Same::As(Verb::Drop, steps::each)),
    ("start once sysinit service entrypoint cmd run", Same::As(Verb::Run, steps::program)),
    ("respawn", Same::Near("no step starts a service again when it has ended", Verb::Spawn, steps::program)),
    (
        "chmod chown chgrp",
        Same::Instead("`dir PATH MODE` makes a directory with its mode, what is carried keeps its own"),
    ),
    ("umount unmount", Same::Instead("no step unmounts: leave the mount out")),
    ("switch_root pivot_root chroot", Same::Instead("exec enters the new root by itself: leave the line out")),
    ("mknod", Same::Instead("devtmpfs has the devices: `mount devtmpfs /dev devtmpfs nosuid,noexec`")),
    ("mdev udevd", Same::Instead("devtmpfs has the devices: `mount devtmpfs /dev devtmpfs nosuid,noexec`")),
    ("udevadm", Same::Instead("devtmpfs has the devices: `wait PATH [SECONDS]` waits for one, such as /dev/vda")),
    ("touch cat tee", Same::Instead("no step makes a file: pack it into the initramfs, and `copy PATH`")),
    ("cd workdir", Same::Instead("write absolute paths; the service starts in /")),
    (
        "sleep usleep",
        Same::Instead("`wait PATH [SECONDS]` waits until a file is there, such as /dev/vda, and no longer"),
    ),
    ("poweroff shutdown", Same::Instead("`on-exit poweroff` before `spawn PATH` does this when the service has ended")),
    ("reboot", Same::Instead("`on-exit reboot` before `spawn PATH` does this when the service has ended")),
    ("halt", Same::Instead("`on-exit halt` before `spawn PATH` does this when the service has ended")),
    (
        "if then else fi for while do done case",
        Same::Instead("there are no conditions: `-` before a verb lets it fail"),
    ),
    ("source . include", Same::Instead("a plan is one file: write the lines here")),
    ("from expose volume user label arg", Same::Instead("this is a Dockerfile's: leave the line out")),
    ("ip ifconfig route dhclient udhcpc dhcpcd", Same::Program(NO_NETWORK)),
];

/// Programs that plans of other inits run by their names: the directory, and the names.
const PROGRAMS: [(&str, &str); 2] = [
    ("/bin", "sh bash ash busybox"),
    (
        "/sbin",
        "mkfs mke2fs mkswap fsck e2fsck tune2fs resize2fs losetup swapon ip ifconfig route dhclient udhcpc dhcpcd",
    ),
];

/// What a line was meant to be whose verb is not known: a line of fstab(5), or a verb of another language.
pub fn meant(line: &Line, is_last: bool) -> Option<Meant> {
    if line.name().is_empty() {
        return dash_alone(line);
    }
    limits::meant(line).or_else(|| fstab::pasted(line)).or_else(|| loopback(line)).or_else(|| {
        let rest = &line.words[1..];
        let (why, verb, arguments) = match same(line) {
            Some(Same::Instead(what)) => return Some(Meant::nothing(line, format!("unknown verb: {what}"))),
            Some(Same::Program(why)) => (*why, Verb::Run, vec![named_program(line)?]),
            Some(Same::Near(why, verb, arguments)) => (*why, *verb, arguments(rest)),
            Some(Same::As(verb, arguments)) => ("", *verb, arguments(rest)),
            None => {
                let (verb, arguments) = without_verb(line)?;
                ("", verb, vec![arguments])
            }
        };
        let why = if why.is_empty() { "unknown verb".to_string() } else { format!("unknown verb: {why}") };
        let verb = if verb == Verb::Run && is_last { Verb::Exec } else { verb };
        let is_guess = named_program(line).is_some();
        Some(Meant { is_guess, ..of_steps(line, &why, verb, arguments) })
    })
}

/// `ip link set lo up`, `ifconfig lo up`: IFF_UP and IFF_LOOPBACK, netdevice(7).
fn loopback(line: &Line) -> Option<Meant> {
    let has = |text: &str| line.words[1..].iter().any(|word| word.text == text);
    if !(["ip", "ifconfig"].contains(&line.name()) && has("lo") && has("up")) {
        return None;
    }
    let words = ["/sys/class/net/lo/flags", "9"].map(|text| Spot { text: text.to_string(), ..line.words[0] });
    Some(of_steps(line, "unknown verb", Verb::Write, vec![words.to_vec()]))
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

/// A program's path or name, or an assignment, which are commands of a shell.
fn without_verb(line: &Line) -> Option<(Verb, Arguments)> {
    if let Some(program) = named_program(line) {
        return Some((Verb::Run, program));
    }
    let first = Spot { text: line.name().to_string(), ..line.words[0] };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let verb = match first.text.split_once('=') {
        _ if first.text.starts_with('/') => Verb::Run,
        Some((name, _)) if is_name(name) => Verb::Env,
        _ => return None,
    };
    Some((verb, std::iter::once(first).chain(line.words[1..].iter().cloned()).collect()))
}

/// A program that is called by its name, with the path that it mostly has, and its arguments.
fn named_program(line: &Line) -> Option<Arguments> {
    let name = line.name();
    let stem =
        name.split_once('.').map(|(stem, _)| stem).filter(|stem| ["mkfs", "fsck"].contains(stem)).unwrap_or(name);
    let (directory, _) = PROGRAMS.iter().find(|(_, names)| names.split(' ').any(|known| known == stem))?;
    let program = Spot { text: format!("{directory}/{name}"), ..line.words[0] };
    Some(std::iter::once(program).chain(line.words[1..].iter().cloned()).collect())
}

fn of_steps(line: &Line, why: &str, verb: Verb, arguments: Vec<Arguments>) -> Meant {
    let steps: Option<Vec<Arguments>> = arguments.into_iter().map(|arguments| in_shape(verb, arguments)).collect();
    let usage: String = verb.usage().collect();
    let steps = steps.filter(|steps| !steps.is_empty()).unwrap_or_default();
    if steps.is_empty() {
        return Meant::nothing(line, format!("{why}: did you mean `{usage}`?"));
    }
    if verb == Verb::Run && !steps[0][0].text.starts_with('/') {
        return Meant::nothing(line, format!("{why}: did you mean `{usage}`, with a path in the new root?"));
    }
    Meant::steps(line, why, steps.into_iter().map(|step| with_verb(line, verb, step)).collect())
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
