//! Habits from other languages: quotes, a blank behind a comma, a byte order mark. Each is reported once.

use anyhow::Result;

use crate::pack::Ground;

const NO_QUOTES: &str = "a plan has no quotes, so they are a part of the word: did you mean";
const NO_BLANKS: &str = "a plan has no quotes: a blank ends a word, and only write, env and module take a text";
const ONE_WORD: &str = "options are one word, with no blank at a comma:";

/// What is said: the column and the words, the reason, what would be right.
type Said = (&'static str, &'static str, &'static str);

/// Lines, and what is said of each.
const LINES: [(&str, &[Said]); 13] = [
    ("root size=1m, mode=0755", &[("15: mode=0755", ONE_WORD, " size=1m,mode=0755")]),
    ("mount proc /proc proc nosuid, nodev ,noexec", &[("31: nodev", ONE_WORD, " nosuid,nodev,noexec")]),
    ("mount proc '/proc' proc", &[("12: '/proc'", NO_QUOTES, " /proc?")]),
    ("-mount a /a \"tmpfs\"", &[("13: warning: \"tmpfs\"", NO_QUOTES, " tmpfs?")]),
    ("mount a /a tmpfs \"nosuid,nodev\"", &[("18: \"nosuid,nodev\"", NO_QUOTES, " nosuid,nodev?")]),
    ("env PATH=\"/bin\"", &[("5: warning: PATH=\"/bin\"", NO_QUOTES, " PATH=/bin?")]),
    ("env GREETING=\"hello you\"", &[("5: warning: GREETING=\"hello you\"", NO_QUOTES, " GREETING=hello you?")]),
    ("link \"a b\" /c", &[("6: \"a b\"", NO_BLANKS, "")]),
    ("write /proc/b \"b c\"", &[("15: warning: \"b c\"", NO_QUOTES, " b c?")]),
    ("module /a.ko dyndbg=\"file a +p\"", &[]),
    ("dir \"/a\" '0755'", &[("5: \"/a\"", NO_QUOTES, " /a?"), ("10: '0755'", NO_QUOTES, " 0755?")]),
    ("bind /sbin/agent", &[]),
    ("exec \"/sbin/agent\" it's {\"a\":\"b\"}", &[("6: \"/sbin/agent\"", NO_QUOTES, " /sbin/agent?")]),
];

#[test]
fn are_told_of_with_what_would_be_right() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(LINES.map(|(line, _)| line).join("\n"))?;
    let output = ground.vm("check p")?;
    let numbered = LINES.iter().enumerate().flat_map(|(at, (_, said))| said.iter().map(move |said| (at + 1, said)));
    let expected: Vec<String> =
        numbered.map(|(line, (what, why, hint))| format!("p:{line}:{what}: {why}{hint}")).collect();
    let said = String::from_utf8(output.stdout)?;
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn of_editors_that_mark_a_text_are_too() -> Result<()> {
    let ground = Ground::new()?;
    let mark = "p:1:1: a byte order mark stands before the first word, three bytes that no editor shows: save the plan as \
                UTF-8 without BOM\n";
    let utf_16 = "p:1:1: the plan is in UTF-16: save it as UTF-8, without BOM\n";
    for (plan, expected) in [
        (b"\xef\xbb\xbfroot\nbind /a\nexec /a\n".as_slice(), mark),
        (b"\xef\xbb\xbf# comment\nroot\nbind /a\nexec /a\n", mark),
        (b"\xff\xfer\0o\0o\0t\0\n\0", utf_16),
    ] {
        let output = ground.plan(plan)?.vm("check p")?;
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stdout)?.as_str()),
            (Some(1), expected),
            "{plan:x?}"
        );
    }
    Ok(())
}
