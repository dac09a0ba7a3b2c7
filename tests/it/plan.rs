//! The plan language's own code: which texts are plans, and what is said of those that aren't.

use moveroot::check;
use moveroot::plan::{self, Text};

/// What is wrong with a plan: lines and faults. Line 0 stands for the plan as a whole.
fn faults(text: &[u8]) -> Vec<(u16, String)> {
    let mut plan = Text::new();
    // As the init reads it: one byte more than the longest is enough to know that it is too long.
    plan.extend(text.iter().copied().take(plan::MAX_LEN + 1));
    let mut found = Vec::new();
    check::faults(&mut plan, |step, fault| found.push((step.map_or(0, |step| step.line as u16), format!("{fault:?}"))));
    found
}

/// Every verb with as few and as many words as it takes, each in a plan that is otherwise right.
const GOOD_LINES: [&str; 45] = [
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
    "env _=x=y",
    "-exec /a",
];

#[test]
fn good_lines_are_accepted() {
    for line in GOOD_LINES {
        let plan = format!("root\n{line}\nexec /sbin/agent");
        assert_eq!(faults(plan.as_bytes()), [], "{line:?}");
    }
}

/// A line, and its fault.
const BAD_LINES: [(&str, &str); 53] = [
    ("bogus", "UnknownVerb"),
    ("dirs /a", "UnknownVerb"),
    ("di /a", "UnknownVerb"),
    ("Dir /a", "UnknownVerb"),
    ("-", "UnknownVerb"),
    ("--dir /a", "UnknownVerb"),
    ("- dir /a", "UnknownVerb"),
    ("/dir", "UnknownVerb"),
    ("spawn /a", "UnknownVerb"),
    ("\u{a0}dir /a", "UnknownVerb"),
    ("dir#", "UnknownVerb"),
    ("dir", "TooFewWords"),
    ("dir  ", "TooFewWords"),
    ("link", "TooFewWords"),
    ("link a", "TooFewWords"),
    ("mount", "TooFewWords"),
    ("mount a", "TooFewWords"),
    ("mount a /b", "TooFewWords"),
    ("write", "TooFewWords"),
    ("write /a", "TooFewWords"),
    ("write /a  \t", "TooFewWords"),
    ("controllers", "TooFewWords"),
    ("copy", "TooFewWords"),
    ("bind", "TooFewWords"),
    ("-bind", "TooFewWords"),
    ("module", "TooFewWords"),
    ("-module", "TooFewWords"),
    ("env", "TooFewWords"),
    ("exec", "TooFewWords"),
    ("dir /a 0755 /b", "TooManyWords"),
    ("dir /a 0755 # no comment", "TooManyWords"),
    ("link a /b c", "TooManyWords"),
    ("mount a /b c d e", "TooManyWords"),
    ("copy /a /b /c", "TooManyWords"),
    ("bind /a /b /c", "TooManyWords"),
    ("env A=B C=D", "TooManyWords"),
    ("dir a", "NotAbsolute"),
    ("dir ./a", "NotAbsolute"),
    ("link /a b", "NotAbsolute"),
    ("mount /a b c", "NotAbsolute"),
    ("write a b", "NotAbsolute"),
    ("copy a", "NotAbsolute"),
    ("copy /a b", "NotAbsolute"),
    ("bind a", "NotAbsolute"),
    ("bind /a b", "NotAbsolute"),
    ("module a.ko", "NotAbsolute"),
    ("module a.ko b=/c", "NotAbsolute"),
    ("exec a", "NotAbsolute"),
    ("dir /a 8", "NotOctal"),
    ("dir /a 0o755", "NotOctal"),
    ("dir /a 10000", "NotOctal"),
    ("env A", "NotAnAssignment"),
    ("env =B", "NotAnAssignment"),
];

#[test]
fn bad_lines_are_named() {
    for (line, fault) in BAD_LINES {
        for (before, number) in [("root\n", 2), ("root\r\n# comment\n\n  \n", 5), ("root\ndir /b\n", 3)] {
            let plan = format!("{before}{line}\nexec /sbin/agent\n");
            assert_eq!(faults(plan.as_bytes()), [(number, fault.to_string())], "{plan:?}");
        }
    }
}

/// Whole plans, and their faults.
const PLANS: [(&str, &[(u16, &str)]); 16] = [
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
    ("dir /a\nroot\nexec /a", &[(1, "OutOfOrder"), (2, "OutOfOrder")]),
    ("exec /a", &[(1, "OutOfOrder")]),
    ("root\nroot\nexec /a", &[(2, "OutOfOrder")]),
    ("root\nexec /a\ndir /b", &[(3, "OutOfOrder"), (0, "NoExec")]),
    ("root\nbogus\ndir\ndir a\nexec /a", &[(2, "UnknownVerb"), (3, "TooFewWords"), (4, "NotAbsolute")]),
    ("root\nexec /a\nexec /b", &[]),
];

#[test]
fn whole_plans_are_judged() {
    for (plan, expected) in PLANS {
        let expected: Vec<_> = expected.iter().map(|(line, fault)| (*line, fault.to_string())).collect();
        assert_eq!(faults(plan.as_bytes()), expected, "{plan:?}");
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
