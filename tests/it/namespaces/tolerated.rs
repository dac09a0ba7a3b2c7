//! A `-` before the verb: what fails is a warning, and boot goes on.

use anyhow::Result;

use super::{FIRST_LINE, NO_PROBLEMS, initramfs, run};

/// A step that fails, and its message from the step on.
const WARNINGS: [(&str, &str); 9] = [
    ("copy /sbin/crun", "copy /sbin/crun: ENOENT (2)"),
    ("bind /nothing", "bind /nothing: ENOENT (2)"),
    ("mount none /mnt nosuchfs", "mount none on /mnt: ENODEV (19)"),
    ("mount none /mnt tmpfs bogus", "mount none on /mnt: EINVAL (22)"),
    ("dir /sbin/agent", "dir /sbin/agent: ENOTDIR (20)"),
    ("link one /sbin/agent", "link one to /sbin/agent: EEXIST (17)"),
    ("write /nothing text", "write /nothing: ENOENT (2)"),
    ("controllers cpu", "controllers cpu: ENOENT (2)"),
    ("exec /sbin/nothing", "exec /sbin/nothing: ENOENT (2)"),
];

#[test]
fn each_failure_is_a_warning() -> Result<()> {
    for (step, message) in WARNINGS {
        let outcome = run(initramfs()?, &format!("-{step}\nexec /sbin/agent --report"))?;
        let message = format!("moveroot: boot.plan:{FIRST_LINE}: {message}\n");
        assert_eq!((&outcome.stderr, outcome.code), (&message, Some(0)), "{outcome:#?}");
        assert_eq!(outcome.kmsg, format!("<4>{message}"));
        assert_eq!(outcome.report()?.problems, NO_PROBLEMS, "{step}");
    }
    Ok(())
}

#[test]
fn steps_after_a_warning_are_as_ever() -> Result<()> {
    let sandbox = initramfs()?.file("/file", "content", 0o644)?;
    let steps =
        "-copy /nothing\ndir /a\n-bind /nothing\ncopy /file /a/b\n-dir /a/b\nenv A=1\nexec /sbin/agent --report";
    let outcome = run(sandbox, steps)?;
    let report = outcome.report()?;
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    assert_eq!(report.file("/a/b").map(|file| file.size), Some(7));
    assert!(!outcome.path("/a").exists(), "made in the initramfs");
    assert!(report.environment.contains(&"A=1".to_string()));
    Ok(())
}

#[test]
fn one_that_succeeds_says_nothing() -> Result<()> {
    let outcome = run(initramfs()?, "-dir /a\n-link b /c\nexec /sbin/agent --report")?;
    assert_eq!((outcome.stderr.as_str(), outcome.kmsg.as_str(), outcome.code), ("", "", Some(0)));
    Ok(())
}
