//! Texts for the parser: plans with noise around their words, and what is left of them after some blows.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A line as its writer meant it.
#[derive(Clone, Debug)]
pub struct Line {
    pub may_fail: bool,
    pub verb: &'static str,
    pub words: Vec<String>,
}

fn line(verb: &'static str, words: Vec<String>) -> Line {
    Line { may_fail: false, verb, words }
}

/// Few, so that steps meet each other's doings.
const PATHS: [&str; 16] = [
    "/",
    "/a",
    "/a/b",
    "/b",
    "/b/../c",
    "//d/",
    "/sbin",
    "/sbin/agent",
    "/etc/link",
    "/etc/file",
    "/dev",
    "/dev/kmsg",
    "/run",
    "/missing",
    "/empty",
    "/e",
];
/// Init and the agent go on with little of these.
const LIMITS: [&str; 6] = ["core", "locks", "memlock", "nproc", "rtprio", "sigpending"];
/// What writes nothing that could be taken for the service's.
const NO_PROGRAMS: [&str; 4] = ["/missing", "/sbin", "/etc/file", "/e"];
const ACTIONS: [&str; 4] = ["poweroff", "reboot", "halt", "panic"];
const FILESYSTEMS: [&str; 6] = ["tmpfs", "ramfs", "proc", "sysfs", "cgroup2", "devtmpfs"];
/// Of a mount of one's own, and what changes one that is there.
const FLAGS: [&str; 6] = ["ro", "nosuid", "nodev", "noexec", "noatime", "symfollow"];
const CHANGES: [&str; 4] = ["remount", "rbind", "move", "private"];
const DATA: [&str; 6] = ["size=1m", "mode=0700", "bogus", "nr_inodes=3", "size=0", "x=y"];

pub fn is_flag(option: &str) -> bool {
    FLAGS.iter().chain(&CHANGES).any(|flag| *flag == option)
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&PATHS[..]).prop_map(String::from), 1 => "/[!-~é]{0,12}"]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![2 => path(), 1 => "[!-~]{1,9}"]
}

/// Data for the filesystem, then flags: that the two may be mixed is the model's to check.
fn options(flags: Vec<&'static str>) -> impl Strategy<Value = String> {
    let words = (vec(select(&DATA[..]), 1..3), vec(select(flags), 0..3));
    words.prop_map(|(data, flags)| [data, flags].concat().join(","))
}

fn step() -> impl Strategy<Value = Line> {
    let one_or_two = || vec(path(), 1..3);
    let mount = (
        "[a-z]{1,5}",
        path(),
        select(&FILESYSTEMS[..]),
        proptest::option::of(options([&FLAGS[..], &CHANGES].concat())),
    );
    let step = prop_oneof![
        (path(), proptest::option::of("[0-7]{1,4}"))
            .prop_map(|(path, mode)| { line("dir", [path].into_iter().chain(mode).collect()) }),
        (word(), path()).prop_map(|(target, path)| line("link", vec![target, path])),
        mount.prop_map(|(source, target, kind, options)| {
            line("mount", [source, target, kind.into()].into_iter().chain(options).collect())
        }),
        (path(), "[!-~]( {0,2}[!-~]){0,8}").prop_map(|(path, text)| line("write", vec![path, text])),
        vec("[a-z]{1,6}", 0..6).prop_map(|names| line("controllers", names)),
        (path(), proptest::option::of("[a-z]=[!-~]( y=z)?"))
            .prop_map(|(path, parameters)| { line("module", [path].into_iter().chain(parameters).collect()) }),
        one_or_two().prop_map(|words| line("copy", words)),
        one_or_two().prop_map(|words| line("bind", words)),
        path().prop_map(|path| line("drop", vec![path])),
        path().prop_map(|path| line("wait", vec![path, "0".into()])),
        (select(&LIMITS[..]), 100..200_u32, proptest::option::of(100..300_u32)).prop_map(|(name, soft, hard)| {
            line(
                "limit",
                [name.to_string(), soft.to_string()].into_iter().chain(hard.map(|hard| hard.to_string())).collect(),
            )
        }),
        (select(&NO_PROGRAMS[..]), vec(word(), 0..3))
            .prop_map(|(path, words)| line("run", [vec![path.into()], words].concat())),
        select(&ACTIONS[..]).prop_map(|action| line("on-exit", vec![action.into()])),
        ("[A-Za-z_.]{1,6}", "([!-~]( {0,2}[!-~]){0,8})?")
            .prop_map(|(name, value)| line("env", vec![format!("{name}={value}")])),
    ];
    (step, proptest::bool::weighted(0.85)).prop_map(|(line, may_fail)| Line { may_fail, ..line })
}

/// A plan without fault; most bring a service along that can run.
pub fn plan() -> impl Strategy<Value = Vec<Line>> {
    let root = proptest::option::weighted(0.3, options(FLAGS.to_vec()));
    let root = root.prop_map(|options| line("root", options.into_iter().collect()));
    let root = proptest::option::weighted(0.8, root);
    let agent = proptest::option::weighted(0.8, select(&["bind", "copy"][..]));
    let service = prop_oneof![5 => Just("/sbin/agent".to_string()), 1 => path()];
    let verb = prop_oneof![3 => Just("exec"), 1 => Just("spawn")];
    let last = (vec((verb, service, vec(word(), 0..4)), 1..3), any::<bool>());
    (root, agent, vec(step(), 0..10), last).prop_map(|(root, agent, steps, (services, may_fail))| {
        let agent = agent.map(|verb| line(verb, vec!["/sbin/agent".into()]));
        let count = services.len();
        let execs = services.into_iter().enumerate().map(|(at, (verb, path, words))| Line {
            may_fail: may_fail || at + 1 < count,
            ..line(verb, [vec![path], words].concat())
        });
        root.into_iter().chain(agent).chain(steps).chain(execs).collect()
    })
}

const BLANKS: [&str; 5] = [" ", "  ", "\t", " \r ", "\0"];
const ENDS: [&str; 6] = ["\n", "\r\n", " \n", "\n\n", "\n# comment = / \n", "\n \t\n"];

/// The plan as text, with blanks, empty lines and comments as they come.
pub fn written(plan: &[Line], noise: &[Index]) -> Vec<u8> {
    let mut noise = noise.iter().cycle();
    let mut any = |of: &[&'static str]| noise.next().map_or(of[0], |index| of[index.index(of.len())]);
    let mut text = String::new();
    for line in plan {
        text += if line.may_fail { "-" } else { "" };
        text += line.verb;
        for word in &line.words {
            text += any(&BLANKS);
            text += word;
        }
        text += any(&ENDS);
    }
    text.into_bytes()
}

/// Something to put anywhere.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "\n",
        "root\n",
        "root shared\n",
        "exec /a\n",
        "spawn /a\n",
        "limit ",
        "on-exit ",
        "-",
        "#",
        "/",
        "=",
        ",",
        "dir",
        "env ",
        "module ",
        "0778",
        "-exec",
        "\u{a0}",
    ];
    let known = select(known.map(|text| text.as_bytes().to_vec()).to_vec());
    let long = (any::<u8>(), 1_usize..4200).prop_map(|(byte, length)| vec![byte; length]);
    prop_oneof![6 => known, 3 => vec(any::<u8>(), 1..5), 1 => long]
}

/// A text that was a plan once.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let blow = (any::<Index>(), 0_usize..12, fragment());
    (plan(), vec(any::<Index>(), 1..12), vec(blow, 1..5)).prop_map(|(plan, noise, blows)| {
        let mut text = written(&plan, &noise);
        for (at, cut, fragment) in blows {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, fragment);
        }
        text
    })
}
