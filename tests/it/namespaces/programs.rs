//! `run`, `wait` and `limit`: what goes before the service.

use std::time::{Duration, Instant};

use anyhow::Result;
use vm::sandbox::Sandbox;

use super::{FIRST_LINE, boot, busybox, initramfs, run};

/// Busybox, and scripts for it, to be bound as `/bin`.
pub fn with_scripts(scripts: &[(&str, &str)]) -> Result<Sandbox> {
    let mut sandbox = initramfs()?.program("/bin/busybox", busybox())?;
    for (name, script) in scripts {
        sandbox = sandbox.file(&format!("/bin/{name}"), format!("#!/bin/busybox sh\n{script}\n"), 0o755)?;
    }
    Ok(sandbox)
}

const BIN: &str = "bind /bin\n";

#[test]
fn run_runs_to_the_programs_end() -> Result<()> {
    let script = "busybox sleep 0.1; echo \"$0 $@ in $(busybox pwd), PATH=$PATH, zone=$zone\" > /said";
    let sandbox = with_scripts(&[("tell", script)])?.args(["--kernels"]).env("zone", "1");
    let steps = "bind /bin\nenv PATH=/bin\nrun /bin/tell a  b\ncopy /said2 /x\n";
    let sandbox = sandbox.file("/said2", "", 0o644)?;
    let outcome =
        run(sandbox, &format!("{steps}write /x done\nrun /bin/busybox cat /said\nexec /sbin/agent --report"))?;
    let said = "/bin/tell a b in /, PATH=/bin, zone=1\n";
    assert!(outcome.stdout.starts_with(said), "{outcome:#?}");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    // What ran leaves nothing: the service is the only process, with nothing to wait for.
    assert_eq!(outcome.report()?.problems.len(), 0);
    Ok(())
}

/// Scripts, how they end, and what a message says of it.
const ENDS: [(&str, &str); 4] = [
    ("exit 3", "exit status 3"),
    ("kill -SEGV $$", "signal 11"),
    ("kill -9 $$", "signal 9"),
    ("exit 255", "exit status 255"),
];

#[test]
fn a_failed_program_is_the_steps_failure() -> Result<()> {
    for (script, said) in ENDS {
        let outcome =
            run(with_scripts(&[("end", script)])?, &format!("{BIN}run /bin/end now\nexec /sbin/agent --report"))?;
        let line = format!("moveroot: boot.plan:{}: run /bin/end: {said}\n", FIRST_LINE + 1);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(FIRST_LINE + 1), line.as_str()));
        assert_eq!(outcome.kmsg, format!("<3>{line}"));
        let outcome =
            run(with_scripts(&[("end", script)])?, &format!("{BIN}-run /bin/end\nexec /sbin/agent --report"))?;
        assert_eq!((outcome.code, outcome.kmsg), (Some(0), format!("<4>{line}")));
    }
    Ok(())
}

/// What does not run, and why.
const NO_PROGRAMS: [(&str, &str); 5] = [
    ("/bin/missing", "ENOENT (2)"),
    ("/bin/plain", "EACCES (13)"),
    ("/bin/garbage", "ENOEXEC (8)"),
    ("/bin", "EACCES (13)"),
    ("/bin/busybox/x", "ENOTDIR (20)"),
];

#[test]
fn what_cannot_be_executed_is_told_with_its_errno() -> Result<()> {
    for (program, said) in NO_PROGRAMS {
        let sandbox = with_scripts(&[])?.file("/bin/plain", "", 0o644)?.file("/bin/garbage", [1, 2, 3, 4], 0o755)?;
        let outcome = run(sandbox, &format!("{BIN}run {program}\nexec /sbin/agent --report"))?;
        let line = format!("moveroot: boot.plan:{}: run {program}: {said}\n", FIRST_LINE + 1);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(FIRST_LINE + 1), line.as_str()));
    }
    Ok(())
}

#[test]
fn run_reaps_what_else_ends() -> Result<()> {
    // The shell leaves ten children behind, which end before it does, and one that ends later.
    let script = "for n in 1 2 3 4 5 6 7 8 9 10; do (busybox true &); done; busybox sleep 0.2";
    let steps = format!("mount proc /proc proc\n{BIN}run /bin/orphans\nrun /bin/count\nexec /sbin/agent --report");
    let count = "set -- /proc/[0-9]*; echo \"$# processes\"; busybox grep -h State /proc/[0-9]*/status";
    let outcome = run(with_scripts(&[("orphans", script), ("count", count)])?, &steps)?;
    // Init, the shell that counts, and its grep.
    assert!(outcome.stdout.starts_with("2 processes\n"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("Z (zombie)"), "{outcome:#?}");
    Ok(())
}

#[test]
fn wait_goes_on_when_the_path_is_there() -> Result<()> {
    let later = "(busybox sleep 0.5; : > /there) &";
    let start = Instant::now();
    let steps = format!("mount devtmpfs /dev devtmpfs\n{BIN}run /bin/later\nwait /there 20\nexec /sbin/agent --report");
    let outcome = run(with_scripts(&[("later", later)])?, &steps)?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!((Duration::from_millis(500)..Duration::from_secs(10)).contains(&start.elapsed()), "{:?}", start.elapsed());
    Ok(())
}

#[test]
fn wait_ends_when_its_time_is_up() -> Result<()> {
    for (seconds, least, most) in [(" 0", 0, 1500), (" 1", 1000, 3000)] {
        let start = Instant::now();
        let outcome = run(initramfs()?, &format!("wait /never{seconds}\nexec /sbin/agent --report"))?;
        let line = format!("moveroot: boot.plan:{FIRST_LINE}: wait /never{seconds}: ETIMEDOUT (110)\n");
        assert_eq!((outcome.code, outcome.stderr), (Some(FIRST_LINE), line));
        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        assert!((least..most).contains(&start.elapsed()), "wait{seconds}: {:?}", start.elapsed());
    }
    Ok(())
}

/// What can never come is told at once.
#[test]
fn wait_tells_what_no_waiting_helps() -> Result<()> {
    let steps = "link loop /loop\nwait /loop/x\nexec /sbin/agent --report";
    let outcome = run(initramfs()?, steps)?;
    assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{}: wait /loop/x: ELOOP (40)\n", FIRST_LINE + 1));
    let outcome = run(initramfs()?, "wait /sbin/agent/x\nexec /sbin/agent --report")?;
    assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{FIRST_LINE}: wait /sbin/agent/x: ENOTDIR (20)\n"));
    Ok(())
}

/// Steps, and what the shell's `ulimit` says then: soft, hard.
const LIMITS: [(&str, &str, &str); 5] = [
    ("limit nofile 100", "n", "100 100"),
    ("limit nofile 100 200", "n", "100 200"),
    ("limit core unlimited", "c", "unlimited unlimited"),
    ("limit core 0 unlimited", "c", "0 unlimited"),
    ("limit nofile 300\nlimit nofile 50 70", "n", "50 70"),
];

#[test]
fn limits_are_of_the_service_and_of_what_is_run() -> Result<()> {
    for (steps, letter, expected) in LIMITS {
        let tell = format!("echo $(ulimit -S{letter}) $(ulimit -H{letter})");
        let sandbox = with_scripts(&[("tell", &tell)])?;
        let outcome = run(sandbox, &format!("{BIN}{steps}\nrun /bin/tell\nexec /bin/tell"))?;
        assert_eq!(outcome.stdout, format!("{expected}\n{expected}\n"), "{steps}: {outcome:#?}");
    }
    Ok(())
}

#[test]
fn a_limit_that_the_kernel_refuses_is_named() -> Result<()> {
    let outcome = run(initramfs()?, "limit nofile 9 8\nexec /sbin/agent --report")?;
    assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{FIRST_LINE}: limit nofile 9 8: EINVAL (22)\n"));
    boot(initramfs()?, "-limit nofile 9 8").map(drop)
}
