//! What docs/troubleshooting.md says init says: each message is made once more.

use anyhow::Result;
use vm::sandbox::Sandbox;

use super::programs::with_scripts;
use super::{initramfs, run};

/// Steps after the opening ones, and the message that the last of them ends with.
pub const STEPS: [(&str, &str); 42] = [
    ("mount sysfs /sys sysfs\nmount sysfs /sys sysfs", "mount sysfs on /sys: EBUSY (16)"),
    ("mount devtmpfs /dev nosuchfs", "mount devtmpfs on /dev: ENODEV (19)"),
    ("mount tmpfs /run tmpfs bogus=1", "mount tmpfs on /run: EINVAL (22)"),
    ("mount /dev/vda /mnt ext4", "mount /dev/vda on /mnt: ENOENT (2)"),
    ("copy /file /run/disk\nmount /run/disk /mnt ext4", "mount /run/disk on /mnt: ENOTBLK (15)"),
    ("copy /file /a\nmount tmpfs /a tmpfs", "mount tmpfs on /a: ENOTDIR (20)"),
    ("mount tmpfs /mnt tmpfs ro\ndir /mnt/a", "dir /mnt/a: EROFS (30)"),
    ("copy /file /a\ndir /a", "dir /a: ENOTDIR (20)"),
    ("dir /a\nlink one /a", "link one to /a: EEXIST (17)"),
    ("write /proc/sys/kernel/hostname name", "write /proc/sys/kernel/hostname: ENOENT (2)"),
    ("mount proc /proc proc\nwrite /proc/self/oom_score_adj many", "write /proc/self/oom_score_adj: EINVAL (22)"),
    ("controllers cpu memory", "controllers cpu memory: ENOENT (2)"),
    ("controllers", "controllers: ENOENT (2)"),
    ("wait /dev/vda 1", "wait /dev/vda 1: ETIMEDOUT (110)"),
    ("copy /file\nwait /file/a", "wait /file/a: ENOTDIR (20)"),
    ("limit nofile 9 8", "limit nofile 9 8: EINVAL (22)"),
    ("limit nofile unlimited", "limit nofile unlimited: EPERM (1)"),
    ("copy /sbin/crun", "copy /sbin/crun: ENOENT (2)"),
    ("copy /directory", "copy /directory: EISDIR (21)"),
    ("copy /file /dev/kmsg", "copy /file to /dev/kmsg: EEXIST (17)"),
    ("mount tmpfs /small tmpfs size=64k\ncopy /big /small/big", "copy /big to /small/big: ENOSPC (28)"),
    ("bind /nothing", "bind /nothing: ENOENT (2)"),
    ("dir /a\nbind /file /a", "bind /file on /a: ENOTDIR (20)"),
    ("bind /directory\ndrop /directory", "drop /directory: EBUSY (16)"),
    ("drop /nothing", "drop /nothing: ENOENT (2)"),
    ("drop /link/file", "drop /link/file: ELOOP (40)"),
    ("drop /.moveroot", "drop /.moveroot: EXDEV (18)"),
    (MANY_VARIABLES, "env A64=B: E2BIG (7)"),
    ("module /modules/none.ko", "module /modules/none.ko: ENOENT (2)"),
    ("bind /bin\nrun /bin/fail", "run /bin/fail: exit status 3"),
    ("bind /bin\nrun /bin/die", "run /bin/die: signal 11"),
    ("run /bin/nothing", "run /bin/nothing: ENOENT (2)"),
    ("copy /file\nrun /file", "run /file: EACCES (13)"),
    ("copy /garbage\nrun /garbage", "run /garbage: ENOEXEC (8)"),
    ("spawn /sbin/nothing", "spawn /sbin/nothing: ENOENT (2)"),
    ("exec /sbin/nothing", "exec /sbin/nothing: ENOENT (2)"),
    ("copy /script\nexec /script", "exec /script: ENOENT (2)"),
    ("dir /a\nexec /a", "exec /a: EACCES (13)"),
    ("copy /file\nexec /file", "exec /file: EACCES (13)"),
    ("mount none / none shared\nmount tmpfs / tmpfs\nexec /sbin/agent", "exec /sbin/agent: EINVAL (22)"),
    ("copy /garbage\nexec /garbage", "exec /garbage: ENOEXEC (8)"),
    ("mount tmpfs /nx tmpfs noexec\ncopy /garbage /nx/file\nexec /nx/file", "exec /nx/file: EACCES (13)"),
];

/// Stands for more variables than there is room for.
const MANY_VARIABLES: &str = "";

/// Whole plans, and what is wrong with them.
pub const PLANS: [(&str, &str); 15] = [
    ("root size=lots\nexec /sbin/agent", "root size=lots: EINVAL (22)"),
    ("root\nbogus /a\nexec /sbin/agent", "unknown verb"),
    ("root\nmount tmpfs /a\nexec /sbin/agent", "too few words"),
    ("root\ndir /a 755 # comment\nexec /sbin/agent", "too many words"),
    ("root\ndir a\nexec /sbin/agent", "path is not absolute"),
    ("root\ndir /a 0o755\nexec /sbin/agent", "mode is not octal"),
    ("root\nenv A\nexec /sbin/agent", "not NAME=VALUE"),
    ("root shared\nexec /sbin/agent", "root shared: not for a new mount"),
    ("limit nofile many\nexec /sbin/agent", "not a number"),
    ("limit files 9\nexec /sbin/agent", "unknown limit"),
    ("on-exit stop\nspawn /sbin/agent", "not poweroff, reboot, halt or panic"),
    ("dir /a\nroot\nexec /sbin/agent", "out of order"),
    ("root", "ends without exec or spawn"),
    ("root\n-exec /sbin/nothing", "ends without exec or spawn"),
    (TOO_LONG, "longer than 4096 bytes"),
];

/// Stands for a plan of 4097 bytes.
const TOO_LONG: &str = "";

fn furnished() -> Result<Sandbox> {
    let sandbox = with_scripts(&[("fail", "exit 3"), ("die", "kill -SEGV $$")])?;
    let sandbox = sandbox.symlink("/directory", "/link")?.file("/file", "content", 0o644)?.dir("/directory", 0o755)?;
    let sandbox = sandbox.file("/big", [0xa5; 200_000], 0o644)?.file("/garbage", "no program", 0o755)?;
    sandbox.file("/script", "#!/no/interpreter\n", 0o755)
}

#[test]
fn messages_of_steps() -> Result<()> {
    let many: Vec<String> = (0..=66).map(|number| format!("env A{number}=B")).collect();
    for (steps, message) in STEPS {
        let steps = if steps == MANY_VARIABLES { many.join("\n") } else { steps.to_string() };
        // After a step that runs the service there is nothing but another one.
        let is_last = steps.rsplit('\n').next().is_some_and(|step| step.starts_with("spawn"));
        let plan = if is_last { steps.clone() } else { format!("{steps}\nexec /sbin/agent --report") };
        let outcome = run(furnished()?, &plan)?;
        assert!(outcome.stderr.starts_with("moveroot: boot.plan:"), "{steps}: {outcome:#?}");
        assert!(outcome.stderr.ends_with(&format!(": {message}\n")), "{steps}: {outcome:#?}");
    }
    Ok(())
}

#[test]
fn messages_of_plans() -> Result<()> {
    let long = format!("root\nexec /sbin/agent\n#{}", "x".repeat(4097 - 23));
    assert_eq!(long.len(), 4097);
    for (plan, message) in PLANS {
        let plan = if plan == TOO_LONG { &long } else { plan };
        let outcome = furnished()?.plan(plan)?.run()?;
        assert!(outcome.stderr.ends_with(&format!(": {message}\n")), "{plan}: {outcome:#?}");
    }
    Ok(())
}

/// Services, and what is said of their end.
pub const ENDS: [(&str, &str); 2] =
    [("/bin/fail", "moveroot: /bin/fail: exit status 3"), ("/bin/die", "moveroot: /bin/die: signal 11")];

#[test]
fn messages_of_the_end() -> Result<()> {
    for (service, message) in ENDS {
        let outcome = run(furnished()?, &format!("bind /bin\nspawn {service}"))?;
        assert_eq!(outcome.stderr, format!("{message}\n"));
    }
    Ok(())
}

/// What is said of a plan's file, and of an init that somebody started by hand.
pub const OTHERS: [&str; 3] = ["ENOENT (2)", "EISDIR (21)", "not pid 1: pack me as /init of an initramfs"];

#[test]
fn messages_before_there_is_a_plan() -> Result<()> {
    let [missing, directory, by_hand] = OTHERS;
    let outcomes = [
        (initramfs()?.env("moveroot_plan", "/other.plan").run()?, format!("other.plan: {missing}"), 200),
        (initramfs()?.dir("/boot.plan", 0o755)?.run()?, format!("boot.plan: {directory}"), 200),
        (initramfs()?.not_pid_one().run()?, by_hand.to_string(), 64),
    ];
    for (outcome, message, code) in outcomes {
        assert_eq!((&outcome.stderr, outcome.code), (&format!("moveroot: {message}\n"), Some(code)));
    }
    Ok(())
}
