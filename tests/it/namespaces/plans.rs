//! Which plan is read, and what makes one unreadable or wrong before its first step.

use anyhow::Result;

use super::{boot, initramfs, run};

const AGENT: &str = "root\nbind /sbin/agent\nexec /sbin/agent --report";

#[test]
fn the_kernel_command_line_picks_another_plan() -> Result<()> {
    let sandbox = initramfs()?.plan("bogus")?.env("moveroot_plan", "/etc/other.plan");
    let outcome = sandbox.file("/etc/other.plan", AGENT, 0o644)?.run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let outcome =
        initramfs()?.env("moveroot_plan", "/etc/other.plan").file("/etc/other.plan", "root\nbogus", 0o644)?.run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(2), "moveroot: etc/other.plan:2: bogus: unknown verb\n"));
    Ok(())
}

/// What stands at the plan's place, and the message's end: exit code 200.
#[test]
fn unreadable_plans() -> Result<()> {
    let long = |length: usize| format!("{AGENT}\n#{}", "x".repeat(length - AGENT.len() - 2));
    assert_eq!(long(4097).len(), 4097);
    let cases = [
        (initramfs()?.env("moveroot_plan", "/gone.plan"), "gone.plan: ENOENT (2)"),
        (initramfs()?.dir("/boot.plan", 0o755)?, "boot.plan: EISDIR (21)"),
        (initramfs()?.symlink("boot.plan", "/boot.plan")?, "boot.plan: ELOOP (40)"),
        (initramfs()?.plan(long(4097))?, "boot.plan: longer than 4096 bytes"),
        (initramfs()?.plan(long(100_000))?, "boot.plan: longer than 4096 bytes"),
    ];
    for (sandbox, message) in cases {
        let outcome = sandbox.run()?;
        assert_eq!(outcome.stderr, format!("moveroot: {message}\n"));
        assert_eq!((outcome.kmsg, outcome.code), (format!("<3>moveroot: {message}\n"), Some(200)));
    }
    Ok(())
}

#[test]
fn plans_up_to_4096_bytes() -> Result<()> {
    for end in ["", "\n"] {
        let length = 4096 - end.len();
        let plan = format!("#{}\n{AGENT} last{end}", "x".repeat(length - AGENT.len() - 7));
        assert_eq!(plan.len(), 4096);
        let report = initramfs()?.plan(plan)?.run()?.report()?;
        assert_eq!(report.argv, ["/sbin/agent", "--report", "last"]);
    }
    Ok(())
}

/// The most words that a line may have, the verb included.
const MOST_WORDS: usize = language::MAX_WORDS;

#[test]
fn plans_with_as_much_as_fits() -> Result<()> {
    // The kernel's 32 words come on top of the plan's.
    let kernel = || (0..32).map(|number| format!("kernel-{number}"));
    let words = |count: usize| " word".repeat(count - ["exec", "/sbin/agent", "--report"].len());
    let report = initramfs()?.args(kernel()).plan(format!("{AGENT}{}", words(MOST_WORDS)))?.run()?.report()?;
    assert_eq!(report.argv.len(), MOST_WORDS - 1 + kernel().count());
    let outcome = initramfs()?.plan(format!("{AGENT}{}", words(MOST_WORDS + 1)))?.run()?;
    assert_eq!(outcome.stderr, "moveroot: boot.plan:3: exec /sbin/agent: too many words\n");
    assert_eq!(outcome.code, Some(3));

    let assignments: String = (0..30).map(|number| format!("env v{number}=\n")).collect();
    let (_, report) = boot(initramfs()?, &assignments)?;
    assert_eq!(report.environment.len(), 32);
    let directories: String = (0..400).map(|number| format!("dir /{number}\n")).collect();
    let (_, report) = boot(initramfs()?, &directories)?;
    assert_eq!(report.tree.iter().filter(|file| file.path[1..].parse::<u32>().is_ok()).count(), 400);
    Ok(())
}

#[test]
fn every_way_to_write_the_same_plan() -> Result<()> {
    let same = [
        AGENT.to_string(),
        format!("{AGENT}\n\n\n"),
        AGENT.replace('\n', "\r\n"),
        format!("{AGENT}\r\n").replace('\n', "\r\n"),
        format!("# a comment\n\n \t \n  # another\n{AGENT}\n# the end"),
        AGENT.replace(' ', "\t ").replace('\n', "  \n \t"),
    ];
    for plan in same {
        let outcome = initramfs()?.plan(&plan)?.run()?;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{plan:?}");
        assert_eq!(outcome.report()?.argv, ["/sbin/agent", "--report"], "{plan:?}");
    }
    Ok(())
}

#[test]
fn a_root_is_made_by_itself() -> Result<()> {
    let plan = "# comment\nbind /sbin/agent\nexec /sbin/agent --report --files /";
    let outcome = initramfs()?.plan(plan)?.run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    let report = outcome.report()?;
    assert_eq!((report.root.bytes, report.files[0].mode), (128 << 20, 0o755));
    Ok(())
}

#[test]
fn an_empty_name_names_no_plan() -> Result<()> {
    let outcome = initramfs()?.plan("bogus")?.env("moveroot_plan", "").run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), "moveroot: boot.plan:1: bogus: unknown verb\n"));
    let report =
        initramfs()?.env("moveroot_plan", "").file("/sbin/crun", "", 0o755)?.args(["--report"]).run()?.report()?;
    assert!(report.file("/run").is_some(), "not the built-in plan: {:?}", report.tree);
    Ok(())
}

/// Its message is that of a `root` in the first step's line.
#[test]
fn a_root_that_cannot_be_made_is_named() -> Result<()> {
    let sandbox = initramfs()?.file("/.moveroot", "no directory", 0o644)?;
    let outcome = sandbox.plan("# comment\nbind /sbin/agent\nexec /sbin/agent --report")?.run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(2), "moveroot: boot.plan:2: root: ENOTDIR (20)\n"));
    Ok(())
}

#[test]
fn root_makes_a_new_mount() -> Result<()> {
    for option in ["remount", "rbind", "move", "shared", "runbindable"] {
        let outcome = initramfs()?.plan(format!("root size=1m,{option}\nexec /sbin/agent"))?.run()?;
        let message = format!("moveroot: boot.plan:1: root size=1m,{option}: not for a new mount\n");
        assert_eq!((outcome.code, &outcome.stderr), (Some(1), &message));
    }
    Ok(())
}

#[test]
fn a_plan_without_exec() -> Result<()> {
    for plan in ["", "\n", "# nothing", "root", "root\ndir /a\n"] {
        let outcome = initramfs()?.plan(plan)?.run()?;
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(201), "moveroot: boot.plan: ends without exec or spawn\n"),
            "{plan:?}"
        );
        assert_eq!(outcome.kmsg, "<3>moveroot: boot.plan: ends without exec or spawn\n");
    }
    let outcome = run(initramfs()?, "-exec /sbin/nothing")?;
    assert_eq!(outcome.code, Some(201), "{outcome:#?}");
    Ok(())
}

/// A line that is wrong, and what is said of it.
const WRONG: [(&str, &str); 14] = [
    ("bogus", "bogus: unknown verb"),
    ("-bogus /a", "bogus: unknown verb"),
    ("Root", "unknown verb"),
    ("mounts a /b c", "unknown verb"),
    ("-", "unknown verb"),
    ("dir", "too few words"),
    ("dir /a 0755 more", "too many words"),
    ("dir a", "path is not absolute"),
    ("dir /a 0999", "mode is not octal"),
    ("mount a /b", "too few words"),
    ("copy file", "path is not absolute"),
    ("env NAME", "not NAME=VALUE"),
    ("env =VALUE", "not NAME=VALUE"),
    ("root", "out of order"),
];

#[test]
fn errors_are_found_before_the_first_step() -> Result<()> {
    for (line, message) in WRONG {
        let sandbox = initramfs()?.file("/file", "content", 0o644)?;
        let outcome = run(sandbox, &format!("copy /file\n{line}\nexec /sbin/agent --report"))?;
        assert_eq!(outcome.code, Some(5), "{line}: {outcome:#?}");
        assert!(outcome.stderr.starts_with("moveroot: boot.plan:5: "), "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(message), "{line}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{line}: {}", outcome.stderr);
        assert_eq!(outcome.kmsg, format!("<3>{}", outcome.stderr));
        assert!(outcome.path("/file").exists(), "{line}: the step before it has run");
    }
    Ok(())
}
