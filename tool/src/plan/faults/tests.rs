//! Faults that are planted, and any text at all.

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
fn what_changes_a_mount_is_not_for_a_new_one() {
    let plan = "root nosuid,rshared,size=64q,remount,rbind\nexec /a";
    let expected = [
        "p:1:13: rshared: not for a new mount: change it by a step of its own, `mount none / none rshared`",
        "p:1:30: remount: not for a new mount: change it by a step of its own, `mount none / none remount,…`",
        "p:1:38: rbind: not for a new mount: mount over it by a step of its own, `mount SOURCE / none rbind`",
    ];
    assert_eq!(findings(plan), expected);
    let (findings, _) = Plan::of("p", plan).judged();
    assert_eq!(findings[1].show("p"), "p:1:21: size=64q: no size: a number and k, m, g or %");
}

#[test]
fn a_plan_needs_no_root() {
    for plan in ["exec /a", "dir /a\nexec /a", "# comment\n-exec /a\nexec /b"] {
        assert_eq!(findings(plan), [""; 0], "{plan:?}");
    }
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
            "p:3:1: dir: out of order: after exec or spawn there is nothing but another one to fall back to",
        ),
        ("root\ndir /a", "p: ends without exec or spawn: the last step is `exec PATH` or `spawn PATH`"),
        ("root\nmount a\nexec /a", "p:2:8: too few words: mount SOURCE TARGET FSTYPE [OPTIONS]"),
    ] {
        assert_eq!(findings(plan), [expected], "{plan:?}");
    }
}

const WORDS: [&str; 13] = ["root", "exec", "/a", "\n", "-", "#", "=", "\r", "mount", "dir", "077", "\u{fffd}", "write"];

#[test]
fn any_text_comes_to_an_end() {
    any_text(&WORDS, |plan, found, is_sound| {
        let is_right = found.iter().all(|finding| finding.is_warning);
        // Which init would take for the name of a filesystem.
        let has_comment = found.iter().any(|finding| finding.text.starts_with('#'));
        assert!(is_right == is_sound || is_sound && has_comment, "{plan:?}: {found:?}");
    });
}

/// Where init takes the plan the kernel may not, and what is quoted may be meant so.
#[test]
fn any_text_of_other_habits_does_too() {
    let habits = ["\"", "'", "\"\"", "\"/a\"", "'/a b'", "a,", ",b", "\u{feff}", "env", "A='b", "c'", "'exec'", "\"#"];
    let of_shells =
        ["&&", "$HOME", "$A/b", "~/", "/*", "mkdir", "echo", ">", "`a`", "0", "-t", "ext4", "none", "sysctl", "-o="];
    let of_programs = [
        "limit",
        "ulimit",
        "-n",
        "-1",
        "64k",
        "nofile",
        "nofile=1:2",
        "soft",
        "LimitCORE=0",
        "wait",
        "5s",
        "drop",
        "rm",
        "run",
        "spawn",
        "respawn",
        "mkfs.ext4",
        "ip",
        "lo",
        "up",
        "on-exit",
        "poweroff",
        "-exec",
    ];
    any_text(&[&WORDS[..], &habits, &of_shells, &of_programs].concat(), |plan, found, is_sound| {
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
        prop_assert!(read(&meant.lines).is_empty(), "it is fixed to {:?}", meant.lines);
        let mut is_sound = true;
        language::check(&mut text_of(plan.as_bytes()), |_, _| is_sound = false);
        judge(&plan, &found, is_sound);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
