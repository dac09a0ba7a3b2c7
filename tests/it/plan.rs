//! The plan language's own code: which texts are plans, and what is said of those that aren't.

mod bad_lines;

use language::{Lines, MAX_LEN, Plan, Refusal, Text};

/// What is wrong with a plan: lines and faults. Line 0 stands for the plan as a whole.
fn faults(text: &[u8]) -> Vec<(u16, String)> {
    let mut plan = Text::new();
    // As the init reads it: one byte more than the longest is enough to know that it is too long.
    plan.extend(text.iter().copied().take(MAX_LEN + 1));
    let mut found = Vec::new();
    language::check(&mut plan, |line, fault| found.push((line.map_or(0, |line| line.number), format!("{fault:?}"))));
    found
}

/// Every verb with as few and as many words as it takes, each in a plan that is otherwise right.
const GOOD_LINES: [&str; 68] = [
    "",
    " \t ",
    "#",
    "# any bytes: \u{e9} = / -",
    "  # indented",
    "#dir",
    "dir /a",
    "dir /a 0",
    "dir /a 7777",
    "dir /a 0755",
    "dir /",
    "-dir /a",
    "\tdir\t/a\t",
    "dir /a 755\r",
    "dir /\u{e9}",
    "link b /a",
    "link /b /a",
    "-link ../b /a",
    "mount tmpfs /a tmpfs",
    "mount none /a tmpfs size=1m,ro,,mode=0755",
    "mount /dev/vda1 / ext4 defaults",
    "-mount a /b c d",
    "mount none / none remount,bind,move,rshared,unbindable,symfollow",
    "write /a b",
    "write /a b c  d",
    "write /a -",
    "-write /a #",
    "controllers cpu",
    "-controllers cpu cpuset io memory pids",
    "copy /a",
    "copy /a /b",
    "-copy /a",
    "bind /a",
    "-bind /a /b",
    "module /a.ko",
    "module /a.ko b",
    "module /a.ko b=1  c=\"d e\" f",
    "module /a.ko 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32",
    "-module /a.ko.xz #",
    "env A=B",
    "env A=",
    "env A==",
    "env a.b=/c",
    "-env A=B",
    "env A=B C=D",
    "env A= b  c\td # e",
    "env _=x=y",
    "-exec /a",
    "controllers",
    "-controllers",
    "wait /a",
    "wait /a 0",
    "-wait /a 18446744073709551615",
    "wait /a unlimited",
    "limit nofile 1024",
    "limit core 0 unlimited",
    "-limit rttime 0 0",
    "drop /a",
    "drop /",
    "-drop /a",
    "run /a",
    "-run /a b c # d",
    "on-exit poweroff",
    "on-exit reboot",
    "on-exit halt",
    "-on-exit panic",
    "-spawn /a",
    "-spawn /a b c",
];

#[test]
fn good_lines_are_accepted() {
    for line in GOOD_LINES {
        let plan = format!("root\n{line}\nexec /sbin/agent");
        assert_eq!(faults(plan.as_bytes()), [], "{line:?}");
    }
}

/// Whole plans, and their faults.
const PLANS: [(&str, &[(u16, &str)]); 25] = [
    ("root\nexec /a", &[]),
    ("root size=1m,ro\nexec /a b c d e f g", &[]),
    ("root\r\nexec /a\r\n", &[]),
    ("\n\n# comment\nroot\n-exec /a\nexec /b\n# end\n\n", &[]),
    ("root\n-exec /a\n-exec /b\n", &[]),
    ("", &[(0, "NoExec")]),
    ("# nothing", &[(0, "NoExec")]),
    ("root", &[(0, "NoExec")]),
    ("root a b\nexec /a", &[(1, "TooManyWords")]),
    ("-root\nexec /a", &[(1, "OutOfOrder")]),
    ("dir /a\nroot\nexec /a", &[(2, "OutOfOrder")]),
    ("exec /a", &[]),
    ("\n# comment\n-dir /a\n-exec /a", &[]),
    ("dir a\nexec /a", &[(1, "NotAbsolute")]),
    ("dir /a\n-root\nexec /a", &[(2, "OutOfOrder")]),
    ("root size=1m,shared\nexec /a", &[(1, "NotForANewMount")]),
    ("root\nroot\nexec /a", &[(2, "OutOfOrder")]),
    ("root\nexec /a\ndir /b", &[(3, "OutOfOrder"), (0, "NoExec")]),
    ("root\nbogus\ndir\ndir a\nexec /a", &[(2, "UnknownVerb"), (3, "TooFewWords"), (4, "NotAbsolute")]),
    ("root\nexec /a\nexec /b", &[]),
    ("on-exit halt\nspawn /a", &[]),
    ("-spawn /a\n-exec /b\nspawn /c", &[]),
    ("spawn /a\non-exit halt", &[(2, "OutOfOrder"), (0, "NoExec")]),
    ("spawn /a\nrun /b", &[(2, "OutOfOrder"), (0, "NoExec")]),
    ("run /a", &[(0, "NoExec")]),
];

#[test]
fn whole_plans_are_judged() {
    for (plan, expected) in PLANS {
        let expected: Vec<_> = expected.iter().map(|(line, fault)| (*line, fault.to_string())).collect();
        assert_eq!(faults(plan.as_bytes()), expected, "{plan:?}");
    }
}

/// Options of `root` that change a mount where a new one is wanted.
const NOT_FOR_A_NEW_MOUNT: &str =
    "remount bind rbind move private rprivate slave rslave shared rshared unbindable runbindable";

#[test]
fn what_changes_a_mount_is_no_option_of_root() {
    for flag in language::names(&language::FLAGS) {
        let plan = format!("root size=1m,{flag},mode=0755\nexec /a");
        let is_refused = NOT_FOR_A_NEW_MOUNT.split(' ').any(|refused| refused == flag);
        let expected = if is_refused { vec![(1, "NotForANewMount".to_string())] } else { vec![] };
        assert_eq!(faults(plan.as_bytes()), expected, "{plan:?}");
    }
}

fn shown(step: language::Step) -> String {
    let words: Vec<String> = step.words().map(|word| word.to_string()).collect();
    format!("{} {:?}: {}", step.line(), step.verb(), words.join(" "))
}

/// Line, verb and words of each step; of a plan with a fault those of the step that has it, as far as it was read.
#[test]
fn a_plan_is_read_up_to_its_first_fault() {
    for (text, expected) in [
        ("# comment\ndir /a\nexec /b", "2 Root: , 2 Dir: dir /a, 3 Exec: exec /b"),
        ("root\n-exec /b c", "1 Root: root, 2 Exec: exec /b c"),
        ("env A=b  c\nexec /b", "1 Root: , 1 Env: env A=b  c, 2 Exec: exec /b"),
        ("root\ndir /a 8 9\nexec /b", "2 Dir: dir /a 8"),
        ("-dir /a /b\nexec /b", "1 Dir: dir /a /b"),
        ("root size=1m,shared,ro\nexec /b", "1 Root: root size=1m,shared"),
        ("dir /a", ""),
    ] {
        let (mut buffer, mut lines) = (Text::new(), Lines::new());
        buffer.extend(text.bytes());
        let found = match Plan::read(&mut buffer, &mut lines) {
            Ok(plan) => plan.steps().map(shown).collect::<Vec<_>>().join(", "),
            Err(Refusal { step, .. }) => step.map_or(String::new(), shown),
        };
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn the_longest_plan_has_4096_bytes() {
    for end in ["", "\n"] {
        let plan = |length: usize| format!("root\n#{}\nexec /a{end}", "x".repeat(length - 14 - end.len()));
        assert_eq!((plan(4096).len(), faults(plan(4096).as_bytes())), (4096, vec![]));
        assert_eq!(faults(plan(4097).as_bytes()), [(0, "TooLong".to_string())]);
        assert_eq!(faults(plan(9000).as_bytes()), [(0, "TooLong".to_string())]);
    }
}

/// The plan that is built in is one.
#[test]
fn the_default_plan_is_good() {
    assert_eq!(faults(include_bytes!("../../src/default.plan")), []);
}

/// Bytes that are no text, the init's own tables among them, are no verb.
#[test]
fn bytes_beyond_ascii_are_no_verb() {
    for byte in 0x80..=0xff {
        let plan = [b"root\nroot".as_slice(), &[byte], b"dir /a\nexec /sbin/agent"].concat();
        assert_eq!(faults(&plan), [(2, "UnknownVerb".to_string())], "{byte:#x}");
    }
}
