//! The steps that run programs, wait, set limits and free memory: each with its time, and what a sandbox lacks.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{has_line, tried};
use crate::pack::Ground;

/// A tree with busybox and scripts for it.
fn ground(plan: &str, scripts: &[(&str, &str)]) -> Result<Ground> {
    let ground = Ground::new()?;
    ground.file("tree/bin/busybox", fs::read(vm::kernel::busybox()?)?, 0o755)?;
    ground.file("tree/lib/big", vec![7; 100_000], 0o644)?;
    for (name, script) in scripts {
        ground.file(&format!("tree/bin/{name}"), format!("#!/bin/busybox sh\n{script}\n"), 0o755)?;
    }
    ground.plan(plan)?;
    Ok(ground)
}

/// The time that the row of a line has, in microseconds.
fn time(said: &str, line: usize) -> Result<u64> {
    let row = said.lines().find(|row| row.split_whitespace().next() == Some(&line.to_string()));
    let time = row.and_then(|row| row.split_whitespace().nth(1)).with_context(|| format!("no line {line}: {said}"))?;
    time.parse().with_context(|| said.to_string())
}

const EACH: &str = "bind /bin
mount devtmpfs /dev devtmpfs
drop /lib
limit core 0
run /bin/slow
run /bin/quick
wait /made 2
wait /dev/vda
limit nofile 400000
on-exit halt
spawn /bin/serve a
";

#[test]
fn each_has_its_time() -> Result<()> {
    let scripts = [("slow", "busybox sleep 0.3"), ("quick", "(busybox sleep 0.2; : > /made) &"), ("serve", "exit 42")];
    let scripts = scripts.map(|(name, script)| (name, format!("PATH=/bin\n{script}")));
    let ground = ground(EACH, &scripts.each_ref().map(|(name, script)| (*name, script.as_str())))?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    for line in 1..=11 {
        time(&said, line)?;
    }
    assert!((300_000..3_000_000).contains(&time(&said, 5)?), "{said}");
    assert!(time(&said, 6)? < 150_000, "{said}");
    assert!((100_000..1_500_000).contains(&time(&said, 7)?), "{said}");
    assert!(time(&said, 8)? < 100_000, "{said}");
    for note in [
        "taken as there: no device is plugged in here",
        "a VM has more: ctrl-alt-del, disks to unmount, a machine that reboot(2) ends",
    ] {
        assert!(has_line(&said, note), "{note}: {said}");
    }
    // The service is not pid 1, and has not begun.
    assert!(said.contains("  arguments    /bin/busybox sh /bin/serve a\n"), "{said}");
    assert!(!said.contains(", pid 1\n"), "{said}");
    Ok(())
}

/// What follows a service's end: steps before it, how it ends, the exit code, what init says of it and what `try` does.
const ENDS: [(&str, &str, i32, &str, &str); 4] = [
    ("", "exit 42", 0, "exit status 42", "the service ended, and init powered off: a clean end"),
    (
        "on-exit reboot\n",
        "exit 0",
        0,
        "exit status 0",
        "the service ended, and init restarted the machine: a clean end",
    ),
    ("on-exit panic\n", "exit 42", 42, "exit status 42", "the service exited with 42, and a kernel would panic"),
    ("on-exit panic\n", "kill -9 $$", 137, "signal 9", "the service exited with 137, and a kernel would panic"),
];

#[test]
fn a_service_that_is_spawned_ends_the_try() -> Result<()> {
    for (steps, script, expected, of_init, of_try) in ENDS {
        let ground = ground(&format!("bind /bin\n{steps}spawn /bin/serve\n"), &[("serve", script)])?;
        let (code, said, errors) = tried(&ground, "--root tree --plan p --run")?;
        assert_eq!((code, errors), (Some(expected), format!("moveroot: /bin/serve: {of_init}\n")), "{said}");
        assert!(said.ends_with(&format!("{of_try}\n")), "{said}");
    }
    let ground = ground("bind /bin\nspawn /bin/serve\n", &[("serve", "exit 3")])?;
    let (_, said, errors) = tried(&ground, "--root tree --plan p --run --json")?;
    let found: Value = serde_json::from_str(said.lines().next_back().unwrap_or_default())?;
    assert_eq!((&found["ending"], &found["service"]), (&json!({"kind": "service"}), &json!({"kind": "power-off"})));
    assert_eq!(errors, "moveroot: /bin/serve: exit status 3\n");
    Ok(())
}

#[test]
fn a_service_that_cannot_be_executed_is_a_failure() -> Result<()> {
    let ground = ground("bind /bin\n-spawn /bin/missing\n-exec /bin/gone\nspawn /bin/serve\n", &[("serve", "exit 3")])?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p --run")?;
    assert_eq!(code, Some(0), "{said}{errors}");
    let expected = "moveroot: boot.plan:2: spawn /bin/missing: ENOENT (2)\n\
        moveroot: boot.plan:3: exec /bin/gone: ENOENT (2)\nmoveroot: /bin/serve: exit status 3\n";
    assert_eq!(errors, expected);
    ground.plan("bind /bin\nspawn /bin/missing\n")?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:2: spawn /bin/missing: ENOENT (2)\n"));
    assert!(said.ends_with("no service runs: init exited with 2, and a kernel would panic\n"), "{said}");
    Ok(())
}

#[test]
fn a_program_that_fails_is_shown() -> Result<()> {
    let ground = ground("bind /bin\nrun /bin/fail\nexec /bin/busybox\n", &[("fail", "exit 3")])?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:2: run /bin/fail: exit status 3\n"));
    let (_, after) = said.split_once("run /bin/fail\n").context("the step is there")?;
    assert!(after.trim_start().starts_with("init ended here, for the reason it gave\n"), "{said}");
    Ok(())
}

/// No disk is here; a program that is missing is told all the same.
#[test]
fn what_a_program_does_with_a_disk_is_passed_over() -> Result<()> {
    let ground = ground("bind /bin\nrun /bin/mkfs /dev/vda\nexec /bin/busybox\n", &[("mkfs", "exit 1")])?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(has_line(&said, "it failed, and that is passed over: no device is plugged in here"), "{said}");
    ground.plan("bind /bin\nrun /bin/missing /dev/vda\nexec /bin/busybox\n")?;
    let (code, _, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:2: run /bin/missing: ENOENT (2)\n"));
    Ok(())
}
