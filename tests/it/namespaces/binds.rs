//! Mounts that take more than one mount(2): flags of a bind, and propagation.

use anyhow::Result;

use super::mountinfo::{Mount, mount, mounts, sorted};
use super::{FIRST_LINE, boot, initramfs, run};

const PROC: &str = "mount proc /proc proc\n";

/// Options of a bind of a mount that is `nosuid,nodev,noatime`, and what the bind has.
const BINDS: [(&str, &str); 18] = [
    ("bind", "rw,nosuid,nodev,noatime"),
    ("bind,defaults", "rw,nosuid,nodev,noatime"),
    ("bind,rw", "rw,nosuid,nodev,noatime"),
    ("bind,ro", "ro,nosuid,nodev,noatime"),
    ("ro,bind", "ro,nosuid,nodev,noatime"),
    ("rbind,ro", "ro,nosuid,nodev,noatime"),
    ("bind,noexec", "rw,nosuid,nodev,noexec,noatime"),
    ("bind,suid", "rw,nodev,noatime"),
    ("bind,dev,suid,ro", "ro,noatime"),
    ("bind,nosymfollow", "rw,nosuid,nodev,noatime,nosymfollow"),
    ("bind,relatime", "rw,nosuid,nodev,relatime"),
    ("bind,strictatime", "rw,nosuid,nodev"),
    ("bind,nodiratime,noatime", "rw,nosuid,nodev,noatime,nodiratime"),
    ("bind,nodiratime", "rw,nosuid,nodev,noatime,nodiratime"),
    ("bind,atime", "rw,nosuid,nodev,relatime"),
    ("bind,nostrictatime", "rw,nosuid,nodev,noatime"),
    ("bind,ro,rw", "rw,nosuid,nodev,noatime"),
    ("bind,ro,private", "ro,nosuid,nodev,noatime"),
];

#[test]
fn a_bind_has_its_flags() -> Result<()> {
    let mut steps = format!("{PROC}mount tmpfs /source tmpfs nosuid,nodev,noatime\n");
    for (number, (options, _)) in BINDS.iter().enumerate() {
        steps += &format!("mount /source /{number} none {options}\n");
    }
    let (_, report) = boot(initramfs()?, &steps)?;
    for (number, (options, expected)) in BINDS.into_iter().enumerate() {
        assert_eq!(mount(&report, &format!("/{number}"))?.options, sorted(expected), "{options}");
    }
    assert_eq!(mount(&report, "/source")?.options, sorted("rw,nosuid,nodev,noatime"), "the source's own");
    Ok(())
}

/// Those that statfs(2) numbers otherwise than mount(2).
#[test]
fn a_bind_keeps_what_its_source_has() -> Result<()> {
    for (of_source, expected) in
        [("nosymfollow", "ro,relatime,nosymfollow"), ("strictatime,nodiratime", "ro,nodiratime")]
    {
        let steps = format!("{PROC}mount tmpfs /a tmpfs {of_source}\nmount /a /b none bind,ro");
        let (_, report) = boot(initramfs()?, &steps)?;
        assert_eq!(mount(&report, "/b")?.options, sorted(expected), "{of_source}");
    }
    Ok(())
}

/// Not by what mountinfo says alone.
#[test]
fn what_is_read_only_cannot_be_written() -> Result<()> {
    for (target, options) in [
        ("/b", "bind,ro"),
        ("/b", "rbind,ro"),
        ("/b", "bind,shared,ro"),
        ("/b", "move,ro"),
        ("/", "bind,ro"),
        ("//", "rbind,ro"),
    ] {
        let made = format!("{}/made", target.trim_end_matches('/'));
        let steps = format!("mount tmpfs /a tmpfs\nmount /a {target} none {options}\ndir {made}\nexec /sbin/agent");
        let outcome = run(initramfs()?, &steps)?;
        let message = format!("moveroot: boot.plan:{}: dir {made}: EROFS (30)\n", FIRST_LINE + 2);
        assert_eq!(outcome.stderr, message, "{target} {options}");
    }
    Ok(())
}

/// A file that a step has written is closed: a mount with one open for writing cannot become read-only.
#[test]
fn what_was_written_can_become_read_only() -> Result<()> {
    let steps =
        "mount tmpfs /a tmpfs\ncopy /etc/motd /a/motd\nwrite /a/motd x\nmount none /a none remount,ro\ndir /a/made";
    let outcome = run(initramfs()?.file("/etc/motd", "old", 0o644)?, &format!("{steps}\nexec /sbin/agent"))?;
    assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{}: dir /a/made: EROFS (30)\n", FIRST_LINE + 4));
    Ok(())
}

#[test]
fn changes_and_moves_have_their_flags_too() -> Result<()> {
    let steps = format!(
        "{PROC}mount tmpfs /a tmpfs nosuid\nmount /a /b none bind\nmount none /b none remount,bind,ro\n\
         mount tmpfs /c tmpfs nodev\nmount /c /d none move,noexec\nmount none /a none remount,size=3m\n\
         mount tmpfs /e tmpfs sync\nmount none /e none remount,ro"
    );
    let (_, report) = boot(initramfs()?, &steps)?;
    for (target, expected) in
        [("/b", "ro,nosuid,relatime"), ("/d", "rw,nodev,noexec,relatime"), ("/a", "rw,nosuid,relatime")]
    {
        assert_eq!(mount(&report, target)?.options, sorted(expected), "{target}");
    }
    assert!(mount(&report, "/a")?.super_options.contains(&"size=3072k".to_string()));
    assert!(mount(&report, "/e")?.super_options.contains(&"sync".to_string()));
    assert!(mounts(&report)?.iter().all(|mount| mount.target != "/c"));
    Ok(())
}

/// The initramfs is init's working directory.
#[test]
fn a_relative_source_is_none_of_the_initramfs() -> Result<()> {
    for options in ["bind", "rbind,ro", "move"] {
        for source in ["sbin", ".", "./sbin/agent"] {
            let step = format!("mount {source} /a none {options}");
            let outcome = run(initramfs()?, &format!("{step}\nexec /sbin/agent"))?;
            let message = format!("moveroot: boot.plan:{FIRST_LINE}: mount {source} on /a: EINVAL (22)\n");
            assert_eq!(outcome.stderr, message);
        }
    }
    Ok(())
}

/// A step on `/a`, a private tmpfs with another below it, and the propagation of the two mounts named.
const PROPAGATIONS: [(&str, &str, &str); 12] = [
    ("mount none /a none shared", "/a shared", "/a/below private"),
    ("mount none /a none rshared", "/a shared", "/a/below shared"),
    ("mount none /a none unbindable", "/a unbindable", "/a/below private"),
    ("mount none /a none runbindable", "/a unbindable", "/a/below unbindable"),
    ("mount none /a none shared\nmount none /a none private", "/a private", "/a/below private"),
    ("mount none /a none shared\nmount none /a none slave,shared", "/a shared", "/a/below private"),
    ("mount /a /b none bind,shared", "/b shared", "/a private"),
    ("mount /a /b none rbind,rshared", "/b shared", "/b/below shared"),
    ("mount /a /b none bind,rshared", "/b shared", "/a/below private"),
    ("mount /a /b none rbind,shared", "/b shared", "/b/below private"),
    ("mount tmpfs /b tmpfs size=1m,shared", "/b shared", "/a private"),
    ("mount none /a none remount,size=1m,shared", "/a shared", "/a/below private"),
];

#[test]
fn propagation_is_set_whatever_else_is() -> Result<()> {
    for (step, one, other) in PROPAGATIONS {
        let steps = format!("{PROC}mount tmpfs /a tmpfs\nmount tmpfs /a/below tmpfs\n{step}");
        let (_, report) = boot(initramfs()?, &steps)?;
        for expected in [one, other] {
            let (target, propagation) = expected.split_once(' ').expect("a target and its propagation");
            assert_eq!(mount(&report, target)?.propagation, propagation, "{step}: {target}");
        }
        let is_b = |mount: &Mount| mount.target == "/b";
        assert_eq!(mounts(&report)?.iter().any(is_b), step.contains(" /b "), "{step}");
    }
    Ok(())
}

/// Its flags are set where it is, not in what it covers.
const BOUND: &str = "dir /furnished\nmount /furnished / none bind,nodev";

/// What is bound over `/`, by whatever name, is the new root, as what is mounted there is.
#[test]
fn the_root_has_more_than_one_name() -> Result<()> {
    for step in ["mount tmpfs / tmpfs", "mount tmpfs // tmpfs", "mount tmpfs /. tmpfs", "bind /furnished /", BOUND] {
        let sandbox = initramfs()?.dir("/furnished/sbin", 0o755)?;
        let plan = format!("root\ndir /below\n{step}\ndir /above\nbind /sbin/agent\nexec /sbin/agent --report");
        let report = sandbox.plan(plan)?.run()?.report()?;
        assert!(report.file("/above").is_some() && report.file("/below").is_none(), "{step}: {:?}", report.tree);
    }
    Ok(())
}
