//! Plans, words and names as large as may be, and larger: whatever has a limit says so with its line.

use anyhow::Result;
use vm::plan::Plan;
use vm::sandbox::Outcome;

use super::{NO_PROBLEMS, initramfs};

const OPENING: &str = "root\nbind /sbin/agent\n";
const AGENT: &str = "exec /sbin/agent --report";

/// Runs a plan of which one step stands in line 3.
fn run(step: &[u8]) -> Result<Outcome> {
    let plan = [OPENING.as_bytes(), step, b"\n", AGENT.as_bytes()].concat();
    initramfs()?.plan(plan)?.run()
}

#[test]
fn every_byte_as_a_line() -> Result<()> {
    for byte in 0..=u8::MAX {
        let outcome = run(&[byte])?;
        // Up to the space all are blanks.
        if byte <= b' ' || byte == b'#' {
            assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{byte}");
            assert_eq!(outcome.report()?.problems, NO_PROBLEMS, "{byte}");
        } else {
            assert_eq!(outcome.code, Some(3), "{byte}: {outcome:#?}");
            assert!(outcome.stderr.starts_with("moveroot: boot.plan:3: "), "{byte}: {}", outcome.stderr);
            assert!(outcome.stderr.ends_with(": unknown verb\n"), "{byte}: {}", outcome.stderr);
        }
    }
    Ok(())
}

#[test]
fn every_byte_in_a_name_and_in_a_text() -> Result<()> {
    let name: Vec<u8> = (b'!'..=u8::MAX).filter(|byte| *byte != b'/').collect();
    let text: Vec<u8> = (1..=u8::MAX).filter(|byte| *byte != b'\n').collect();
    let steps = [b"bind /out\nwrite /out .", &text[..], b"\ndir /", &name].concat();
    let plan = [OPENING.as_bytes(), &steps, b"\n", AGENT.as_bytes()].concat();
    let outcome = initramfs()?.file("/out", "", 0o600)?.plan(plan)?.run()?;
    let report = outcome.report()?;
    // The agent's report is text: bytes that are none are replaced in it.
    let path = format!("/{}", String::from_utf8_lossy(&name));
    assert!(report.file(&path).is_some(), "{:?}", report.tree);
    assert_eq!(std::fs::read(outcome.path("/out"))?, [b".", &text[..]].concat());
    Ok(())
}

#[test]
fn nul_bytes_are_blanks() -> Result<()> {
    let plan = b"\0root\0size=9m\0\0\n\0bind\0/sbin/agent\n\0\nexec\0/sbin/agent \0--report\0word\0";
    let report = initramfs()?.plan(plan)?.run()?.report()?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "word"]);
    assert_eq!(report.root.bytes, 9 << 20);
    Ok(())
}

/// Lines of 4000 bytes: a comment, a text, words.
#[test]
fn one_line_of_4000_bytes() -> Result<()> {
    for begin in ["#", "write /out ", "env LONG=", "\t"] {
        let line = format!("{begin}{}", (if begin == "\t" { " " } else { "x" }).repeat(4000 - begin.len()));
        let plan = format!("{OPENING}bind /out\n{line}\n{AGENT}");
        let outcome = initramfs()?.file("/out", "", 0o600)?.plan(plan)?.run()?;
        let report = outcome.report()?;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{begin}");
        let written = if begin.starts_with("write") { 4000 - begin.len() } else { 0 };
        assert_eq!(std::fs::read(outcome.path("/out"))?, "x".repeat(written).as_bytes());
        assert_eq!(report.environment.len(), 2 + usize::from(begin.starts_with("env")));
    }
    let plan = format!("{OPENING}{AGENT} {}", "x".repeat(4000 - AGENT.len() - 1));
    let report = initramfs()?.plan(plan)?.run()?.report()?;
    assert_eq!(report.argv[2].len(), 4000 - AGENT.len() - 1);
    Ok(())
}

/// Names that the kernel finds too long: the message has the beginning of each, and all of its end.
#[test]
fn names_that_are_too_long_are_cut_in_the_message() -> Result<()> {
    let long = "x".repeat(3900);
    let deep = "/y".repeat(1900);
    let steps = [
        (format!("copy /{long}"), "copy /xxx"),
        (format!("bind /{long}"), "bind /xxx"),
        (format!("dir /{long}"), "dir /xxx"),
        (format!("link {} /{}", "x".repeat(2000), "z".repeat(1900)), "link xxx"),
        (format!("mount {} /a nosuchfs", "x".repeat(3900)), "mount xxx"),
        (format!("mount none {deep} nosuchfs"), "mount none on /y/y"),
        (format!("write /{} {}", "x".repeat(1900), "y".repeat(1900)), "write /xxx"),
        (format!("controllers{}", format!(" {}", "c".repeat(120)).repeat(30)), "controllers ccc"),
    ];
    for (step, begin) in steps {
        let outcome = run(step.as_bytes())?;
        let said = &outcome.stderr;
        assert_eq!((outcome.code, said.lines().count()), (Some(3), 1), "{begin}: {said}");
        assert!(said.starts_with(&format!("moveroot: boot.plan:3: {begin}")) && said.ends_with(")\n"), "{said}");
        assert!(said.contains(": E") && said.len() < 960, "{said}");
        assert_eq!(outcome.kmsg, format!("<3>{said}"), "{begin}");
    }
    Ok(())
}

/// A line of one word more than its verb takes.
const TOO_MANY: [&str; 7] = [
    "dir /a 755 b",
    "link a /b c",
    "mount a /b c d e",
    "copy /a /b c",
    "bind /a /b c",
    "controllers 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32",
    "-exec /a 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32",
];

#[test]
fn one_word_too_many_is_refused_on_its_line() -> Result<()> {
    for line in TOO_MANY {
        let outcome = run(line.as_bytes())?;
        assert_eq!((outcome.code, outcome.signal), (Some(3), None), "{line}");
        assert!(outcome.stderr.ends_with(": too many words\n"), "{line}: {}", outcome.stderr);
    }
    Ok(())
}

/// The kernel passes 32 words at the most; a VMM's own kernel may pass more. All of them reach the service, behind the
/// plan's: only execve(2) itself has a limit.
#[test]
fn arguments_are_passed_on_whole() -> Result<()> {
    let words = |count: usize| (0..count).map(|number| format!("word-{number}")).collect::<Vec<_>>();
    let own = format!("{AGENT}{}", " own".repeat(29));
    for count in [0, 1, 32, 33, 64, 65, 200, 5000] {
        for (line, first) in [(AGENT, 2), (own.as_str(), 31)] {
            let report = initramfs()?.args(words(count)).plan(format!("{OPENING}{line}"))?.run()?.report()?;
            let exec = Plan::of("step", line).steps().pop().expect("it is a step");
            assert_eq!(report.argv[..first], exec.texts().skip(1).collect::<Vec<_>>());
            assert_eq!(report.argv[first..], words(count));
        }
    }
    Ok(())
}

/// HOME and TERM are two of them.
#[test]
fn environment_up_to_the_limit_and_beyond() -> Result<()> {
    let boot = |count: usize| {
        let variables = (2..count).map(|number| format!("name{number}"));
        let sandbox = variables.fold(initramfs()?, |sandbox, name| sandbox.env(&name, "1"));
        sandbox.plan(format!("{OPENING}{AGENT}"))?.run()
    };
    for most in [32, 33, 66] {
        assert_eq!(boot(most)?.report()?.environment.len(), most);
    }
    for more in [67, 68, 200] {
        let outcome = boot(more)?;
        let message = "moveroot: boot.plan:3: exec /sbin/agent: E2BIG (7)\n";
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(3), message), "{more}");
    }
    Ok(())
}

/// A link's target is compared whole, as long as a plan can have it twice.
#[test]
fn long_links_are_compared_whole() -> Result<()> {
    for length in [1023, 1024, 1990] {
        let target = "t".repeat(length);
        for (other, code) in [(format!("{target}t"), 0), (format!("{target}u"), 3)] {
            let plan = format!("root\nlink {target}t /a\nlink {other} /a\nbind /sbin/agent\n{AGENT}");
            let outcome = initramfs()?.plan(plan)?.run()?;
            assert_eq!(outcome.code, Some(code), "{length}: {}", outcome.stderr);
            assert!(code == 0 || outcome.stderr.ends_with(" to /a: EEXIST (17)\n"), "{length}: {}", outcome.stderr);
        }
    }
    Ok(())
}
