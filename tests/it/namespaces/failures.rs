//! Steps that fail: the exit code is the plan's line, and one line of text goes to descriptor 2 and to the log.

use anyhow::Result;
use vm::sandbox::{Outcome, Sandbox};

use super::{FIRST_LINE, initramfs, run};

/// Steps, of which the last fails; the message from the step on.
const FAILURES: [(&str, &str); 31] = [
    ("copy /sbin/crun", "copy /sbin/crun: ENOENT (2)"),
    ("copy /sbin/crun /bin/crun", "copy /sbin/crun to /bin/crun: ENOENT (2)"),
    ("copy /directory", "copy /directory: EISDIR (21)"),
    ("copy /file/below", "copy /file/below: ENOTDIR (20)"),
    ("copy /file /dev/kmsg", "copy /file to /dev/kmsg: EEXIST (17)"),
    ("copy /loop", "copy /loop: ELOOP (40)"),
    ("bind /nothing", "bind /nothing: ENOENT (2)"),
    ("bind /nothing /here", "bind /nothing on /here: ENOENT (2)"),
    ("dir /a\nbind /file /a", "bind /file on /a: ENOTDIR (20)"),
    ("dir /a\nbind /linked /a", "bind /linked on /a: EINVAL (22)"),
    ("mount devtmpfs /dev nosuchfs", "mount devtmpfs on /dev: ENODEV (19)"),
    ("mount tmpfs /run tmpfs nosuid,size=64m,bogus=1", "mount tmpfs on /run: EINVAL (22)"),
    ("mount tmpfs /run tmpfs mode=9", "mount tmpfs on /run: EINVAL (22)"),
    ("copy /file /a\nmount tmpfs /a tmpfs", "mount tmpfs on /a: ENOTDIR (20)"),
    ("copy /file /a\nmount tmpfs /a/b tmpfs", "mount tmpfs on /a/b: ENOTDIR (20)"),
    ("mount sysfs /sys sysfs\nmount sysfs /sys sysfs", "mount sysfs on /sys: EBUSY (16)"),
    ("copy /file /a\ndir /a", "dir /a: ENOTDIR (20)"),
    ("copy /file /a\ndir /a/b", "dir /a/b: ENOTDIR (20)"),
    ("link one /a\nlink two /a", "link two to /a: EEXIST (17)"),
    ("link one /a\nlink on /a", "link on to /a: EEXIST (17)"),
    ("dir /a\nlink one /a", "link one to /a: EEXIST (17)"),
    ("write /proc/sys/kernel/hostname name", "write /proc/sys/kernel/hostname: ENOENT (2)"),
    ("dir /a\nwrite /a text", "write /a: EISDIR (21)"),
    ("mount proc /proc proc\nwrite /proc/self/oom_score_adj many", "write /proc/self/oom_score_adj: EINVAL (22)"),
    ("controllers cpu memory", "controllers cpu memory: ENOENT (2)"),
    ("exec /sbin/nothing", "exec /sbin/nothing: ENOENT (2)"),
    ("dir /a\nexec /a", "exec /a: EACCES (13)"),
    ("copy /file\nexec /file", "exec /file: EACCES (13)"),
    ("copy /script\nexec /script", "exec /script: ENOENT (2)"),
    ("copy /garbage\nexec /garbage", "exec /garbage: ENOEXEC (8)"),
    ("mount tmpfs /mnt tmpfs ro\ndir /mnt/a", "dir /mnt/a: EROFS (30)"),
];

fn furnished() -> Result<Sandbox> {
    let sandbox = initramfs()?
        .file("/file", "content", 0o644)?
        .dir("/directory", 0o755)?
        .symlink("loop", "/loop")?
        .symlink("file", "/linked")?;
    sandbox.file("/script", "#!/no/interpreter\n", 0o755)?.file("/garbage", "no program", 0o755)
}

fn assert_failed(outcome: &Outcome, code: i32, message: &str) {
    assert_eq!(outcome.stderr, format!("{message}\n"), "{outcome:#?}");
    assert_eq!(outcome.kmsg, format!("<3>{message}\n"), "{outcome:#?}");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(code), ""), "{outcome:#?}");
}

#[test]
fn each_names_plan_line_step_object_and_errno() -> Result<()> {
    for (steps, message) in FAILURES {
        let line = FIRST_LINE + steps.lines().count() as i32 - 1;
        let outcome = run(furnished()?, &format!("{steps}\nexec /sbin/agent --report"))?;
        assert_failed(&outcome, line, &format!("moveroot: boot.plan:{line}: {message}"));
    }
    Ok(())
}

#[test]
fn a_root_that_cannot_be_mounted() -> Result<()> {
    let outcome = initramfs()?.plan("\n\nroot size=lots\nexec /sbin/agent\n")?.run()?;
    assert_eq!((outcome.code, outcome.signal), (Some(3), None));
    assert!(outcome.stderr.starts_with("moveroot: boot.plan:3: root"), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with(": EINVAL (22)\n"), "{}", outcome.stderr);
    assert_eq!(outcome.kmsg, format!("<3>{}", outcome.stderr));
    Ok(())
}

/// The missing service, just as the default plan's user meets it.
#[test]
fn a_missing_service() -> Result<()> {
    let outcome = initramfs()?.plan("root\nbind /dev/kmsg\nexec /sbin/agent\n")?.run()?;
    assert_failed(&outcome, 3, "moveroot: boot.plan:3: exec /sbin/agent: ENOENT (2)");
    Ok(())
}

#[test]
fn the_built_in_plan_without_crun() -> Result<()> {
    let outcome = initramfs()?.run()?;
    assert_eq!(outcome.code, Some(10));
    assert!(outcome.stderr.ends_with("moveroot: default.plan:10: copy /sbin/crun: ENOENT (2)\n"), "{outcome:#?}");
    Ok(())
}

#[test]
fn lines_from_199_on_share_a_code() -> Result<()> {
    for (line, code) in [(198, 198), (199, 199), (200, 199), (700, 199)] {
        let padding = "#\n".repeat(line - FIRST_LINE as usize);
        let outcome = run(initramfs()?, &format!("{padding}bind /nothing\nexec /sbin/agent"))?;
        assert_failed(&outcome, code, &format!("moveroot: boot.plan:{line}: bind /nothing: ENOENT (2)"));
    }
    Ok(())
}

/// Without `/dev/kmsg` init makes the node: this machine's own log then has the line.
#[test]
fn the_log_is_made_where_it_is_missing() -> Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

    let mut options = std::fs::File::options();
    let mut log = options.read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg")?;
    log.seek(SeekFrom::End(0))?;
    let plan = format!("made-{}.plan", std::process::id());
    let sandbox = initramfs()?.without_kmsg().env("moveroot_plan", &format!("/{plan}"));
    let outcome = sandbox.file(&format!("/{plan}"), "root\nbogus\n", 0o644)?.run()?;
    assert_eq!(outcome.code, Some(2));
    let node = outcome.path("/dev/kmsg").metadata()?;
    assert!(node.file_type().is_char_device());
    assert_eq!(node.rdev(), libc::makedev(1, 11));
    let mut record = [0; 8192];
    while let Ok(length) = log.read(&mut record) {
        let record = String::from_utf8_lossy(&record[..length]);
        if record.contains(&format!("moveroot: {plan}:2: ")) {
            // Facility user (1), priority err (3).
            assert!(record.starts_with("11,"), "{record}");
            return Ok(());
        }
    }
    panic!("the log has no word of {plan}");
}
