//! `spawn` and `on-exit`: the service as a child of pid 1. A clean power off of a pid namespace ends init by SIGINT, a restart by
//! SIGHUP (reboot_pid_ns in kernel/pid_namespace.c).

use agent::Report;
use anyhow::Result;

use super::programs::with_scripts;
use super::{FIRST_LINE, NO_PROBLEMS, initramfs, run};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;

#[test]
fn the_service_finds_what_the_contract_says() -> Result<()> {
    let sandbox = initramfs()?.args(["--vsock=3"]).env("zone", "1");
    let outcome = run(sandbox, "mount proc /proc proc\nenv A=b\nspawn /sbin/agent --report x")?;
    let report = outcome.report()?;
    assert_ne!(report.pid, 1);
    assert_eq!((report.cwd.as_str(), report.umask), ("/", 0o022));
    assert_eq!(report.signals, agent::Signals::default());
    assert_eq!(report.argv, ["/sbin/agent", "--report", "x", "--vsock=3"]);
    assert_eq!(report.environment, ["HOME=/", "TERM=linux", "zone=1", "A=b"]);
    assert_eq!(report.descriptors.iter().map(|open| open.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(outcome.stderr, "moveroot: /sbin/agent: exit status 0\n");
    assert_eq!(outcome.kmsg, "<4>moveroot: /sbin/agent: exit status 0\n");
    assert_eq!((outcome.code, outcome.signal), (None, Some(SIGINT)));
    Ok(())
}

/// What follows the service's end, by `on-exit` and the script: the exit code or the signal that ends init, and the message.
type End = (&'static str, &'static str, Option<i32>, Option<i32>, &'static str);
const ENDS: [End; 7] = [
    ("", "exit 42", None, Some(SIGINT), "exit status 42"),
    ("on-exit poweroff\n", "kill -9 $$", None, Some(SIGINT), "signal 9"),
    ("on-exit reboot\n", "exit 0", None, Some(SIGHUP), "exit status 0"),
    ("on-exit halt\n", "exit 0", None, Some(SIGINT), "exit status 0"),
    ("on-exit panic\n", "exit 42", Some(42), None, "exit status 42"),
    ("on-exit panic\n", "kill -SEGV $$", Some(128 + 11), None, "signal 11"),
    ("on-exit reboot\non-exit panic\n", "exit 0", Some(0), None, "exit status 0"),
];

#[test]
fn the_machine_ends_as_the_plan_says() -> Result<()> {
    for (on_exit, script, code, signal, said) in ENDS {
        let outcome = run(with_scripts(&[("end", script)])?, &format!("bind /bin\n{on_exit}spawn /bin/end"))?;
        assert_eq!((outcome.code, outcome.signal), (code, signal), "{on_exit}{script}: {outcome:#?}");
        assert_eq!(outcome.stderr, format!("moveroot: /bin/end: {said}\n"), "{on_exit}{script}");
    }
    Ok(())
}

#[test]
fn orphans_are_reaped_while_the_service_runs() -> Result<()> {
    // Shells and a sleep are on their way to their end at any look; a zombie that is not reaped is there at each of them.
    let script = "n=0; while [ $n -lt 200 ]; do (busybox true &); n=$((n+1)); done
tries=0; while busybox grep -q 'State:.Z' /proc/[0-9]*/status && [ $tries -lt 50 ]; do busybox sleep 0.1; tries=$((tries+1)); done
busybox grep -h State /proc/[0-9]*/status; exit 7";
    let outcome =
        run(with_scripts(&[("fork", script)])?, "mount proc /proc proc\nbind /bin\non-exit panic\nspawn /bin/fork")?;
    assert_eq!(outcome.code, Some(7), "{outcome:#?}");
    assert!(outcome.stdout.contains("S (sleeping)"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("Z (zombie)"), "{outcome:#?}");
    Ok(())
}

/// The plan's end, and what comes of it.
#[test]
fn a_service_that_cannot_be_executed_is_a_failure_of_its_line() -> Result<()> {
    let outcome = run(initramfs()?, "spawn /sbin/missing")?;
    let line = format!("moveroot: boot.plan:{FIRST_LINE}: spawn /sbin/missing: ENOENT (2)\n");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(FIRST_LINE), line.as_str()));
    for last in ["exec", "spawn"] {
        let plan =
            format!("mount proc /proc proc\n-spawn /sbin/missing\n-exec /sbin/gone\n{last} /sbin/agent --report");
        let outcome = run(initramfs()?, &plan)?;
        let report: Report = outcome.report()?;
        assert_eq!(report.signals, agent::Signals::default(), "{last}");
        assert_eq!(report.pid == 1, last == "exec");
        if last == "exec" {
            assert_eq!(report.problems, NO_PROBLEMS);
        }
        let warnings = format!(
            "moveroot: boot.plan:{}: spawn /sbin/missing: ENOENT (2)\nmoveroot: boot.plan:{}: exec /sbin/gone: ENOENT (2)\n",
            FIRST_LINE + 1,
            FIRST_LINE + 2
        );
        assert!(outcome.stderr.starts_with(&warnings), "{outcome:#?}");
    }
    Ok(())
}

/// Nothing falls back when the service has run.
#[test]
fn a_service_that_has_ended_is_not_followed_by_another() -> Result<()> {
    let steps = "bind /bin\non-exit panic\n-spawn /bin/end\nexec /sbin/agent --report";
    let outcome = run(with_scripts(&[("end", "exit 5")])?, steps)?;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(5), ""), "{outcome:#?}");
    Ok(())
}

#[test]
fn what_is_left_is_told_to_end_and_then_ended() -> Result<()> {
    // One that ends well, one that ignores SIGTERM, one that is stopped; each is awaited until it has set its trap.
    let service = "/bin/polite one & /bin/deaf two & /bin/polite three & stopped=$!
for name in one two three; do until busybox test -e /$name; do busybox sleep 0.05; done; done
busybox kill -STOP $stopped; exit 3";
    let polite = "trap 'echo told; exit 0' TERM; : > /$1; while :; do busybox sleep 0.05; done";
    let deaf = "trap '' TERM; : > /$1; while :; do busybox sleep 0.05; done";
    let start = std::time::Instant::now();
    let scripts = with_scripts(&[("service", service), ("polite", polite), ("deaf", deaf)])?;
    let outcome = run(scripts, "mount devtmpfs /dev devtmpfs\nbind /bin\non-exit panic\nspawn /bin/service")?;
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    assert_eq!(outcome.stdout, "told\ntold\n");
    assert!(start.elapsed().as_millis() >= 5000, "{:?}", start.elapsed());
    Ok(())
}
