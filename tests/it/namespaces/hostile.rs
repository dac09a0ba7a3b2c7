//! Sources and targets that nobody wishes for: what each step does with them, or says of them.

use anyhow::Result;
use language::Verb;
use vm::plan::Plan;
use vm::sandbox::Sandbox;

use super::{FIRST_LINE, boot, content, initramfs, run};

const AGENT: &str = "exec /sbin/agent --report";

fn furnished() -> Result<Sandbox> {
    let sandbox = initramfs()?.file("/file", content(5000), 0o644)?.file("/other", "other", 0o644)?;
    let sandbox = sandbox.symlink("/gone", "/dangling")?.symlink("loop", "/loop")?.symlink("/loop/a", "/to-loop")?;
    let sandbox =
        sandbox.device("/null", 1, 3)?.device("/no-driver", 4095, 7)?.fifo("/fifo")?.dir("/directory", 0o755)?;
    sandbox.file("/empty", "", 0o644)?.file("/closed", content(100), 0)
}

/// Steps of which the last fails; the message from that step on.
const REFUSED: [(&str, &str); 25] = [
    // Sources.
    ("copy /directory /a", "copy /directory to /a: EISDIR (21)"),
    ("copy /directory/", "copy /directory/: EISDIR (21)"),
    ("copy /null", "copy /null: EINVAL (22)"),
    ("copy /no-driver", "copy /no-driver: ENXIO (6)"),
    ("copy /fifo", "copy /fifo: EINVAL (22)"),
    ("copy /dangling", "copy /dangling: ENOENT (2)"),
    ("copy /to-loop", "copy /to-loop: ELOOP (40)"),
    ("copy /file/", "copy /file/: ENOTDIR (20)"),
    ("bind /dangling", "bind /dangling: ENOENT (2)"),
    ("bind /loop", "bind /loop: ELOOP (40)"),
    ("bind /file/below", "bind /file/below: ENOTDIR (20)"),
    // Not even root may read it: kernfs_fop_open.
    (
        "mount sysfs /sys sysfs\ncopy /.moveroot/sys/bus/cpu/drivers_probe /a",
        "copy /.moveroot/sys/bus/cpu/drivers_probe to /a: EACCES (13)",
    ),
    // It is shorter than it says: sysfs gives every file a page.
    (
        "mount sysfs /sys sysfs\ncopy /.moveroot/sys/kernel/uevent_seqnum /a",
        "copy /.moveroot/sys/kernel/uevent_seqnum to /a: EIO (5)",
    ),
    // Targets that exist.
    ("dir /a\ncopy /file /a", "copy /file to /a: EEXIST (17)"),
    ("link /gone /a\ncopy /file /a", "copy /file to /a: EEXIST (17)"),
    ("link /a /a\ncopy /file /a/b", "copy /file to /a/b: ELOOP (40)"),
    ("copy /other\nbind /directory /other", "bind /directory on /other: ENOTDIR (20)"),
    ("link /gone /a\nmount none /a tmpfs", "mount none on /a: ENOENT (2)"),
    // Targets whose parent is a file.
    ("copy /other\ncopy /file /other/a", "copy /file to /other/a: ENOTDIR (20)"),
    ("copy /other\ncopy /file /other/a/b", "copy /file to /other/a/b: ENOTDIR (20)"),
    ("copy /other\nbind /file /other/a", "bind /file on /other/a: ENOTDIR (20)"),
    ("copy /other\nbind /directory /other/a/b", "bind /directory on /other/a/b: ENOTDIR (20)"),
    ("copy /other\nlink a /other/b", "link a to /other/b: ENOTDIR (20)"),
    ("copy /other\nwrite /other/a text", "write /other/a: ENOTDIR (20)"),
    ("mount none /a tmpfs ro\ncopy /file /a/b", "copy /file to /a/b: EROFS (30)"),
];

#[test]
fn each_is_refused_with_its_line_and_nothing_is_lost() -> Result<()> {
    for (steps, message) in REFUSED {
        let outcome = run(furnished()?, &format!("{steps}\n{AGENT}"))?;
        let line = FIRST_LINE + steps.lines().count() as i32 - 1;
        let message = format!("moveroot: boot.plan:{line}: {message}\n");
        assert_eq!((outcome.code, &outcome.stderr), (Some(line), &message), "{steps}");
        assert_eq!(outcome.kmsg, format!("<3>{message}"), "{steps}");
        assert_eq!(std::fs::read(outcome.path("/file"))?, content(5000), "{steps}");
    }
    Ok(())
}

#[test]
fn what_may_fail_leaves_no_half() -> Result<()> {
    for (steps, _) in REFUSED {
        let (before, last) = steps.rsplit_once('\n').unwrap_or(("", steps));
        let outcome = run(furnished()?, &format!("{before}\n-{last}\n{AGENT}"))?;
        let report = outcome.report()?;
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(0), 1), "{steps}: {outcome:#?}");
        let last = Plan::of("step", last).steps().pop().expect("it is a step");
        let left = report.file(last.target()).filter(|file| file.kind == "file" && last.verb == Verb::Copy);
        assert!(left.is_none(), "{steps}: {left:?} is left");
    }
    Ok(())
}

#[test]
fn odd_sources_that_can_be_carried() -> Result<()> {
    let steps =
        "copy /empty\ncopy /closed\nbind /empty /e\nbind /null /dev/null\nbind /fifo /f\nbind /directory /d/deep";
    // An empty file is copied last, so that there is something to bind.
    let steps = steps.replacen("copy /empty\n", "", 1) + "\ncopy /empty";
    let (outcome, report) = boot(furnished()?, &steps)?;
    let kinds =
        [("/e", "file"), ("/dev/null", "character"), ("/f", "fifo"), ("/d/deep", "directory"), ("/empty", "file")];
    for (path, kind) in kinds {
        assert_eq!(report.file(path).map(|file| file.kind.as_str()), Some(kind), "{path}");
    }
    let closed = report.file("/closed").expect("it was carried");
    assert_eq!((closed.mode, &closed.sha256), (0, &Some(agent::sha256(&content(100)))));
    assert_eq!(report.file("/empty").map(|file| file.size), Some(0));
    assert!(!outcome.path("/empty").exists() && !outcome.path("/closed").exists(), "an original is still there");
    Ok(())
}
