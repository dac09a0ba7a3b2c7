//! What is killed, and what cannot be had, is told; nothing is left.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use vm::cleanup;
use vm::containerd::daemon::Daemon;
use vm::test::long;

use super::{alone, daemon, expected, nothing_is_left, tasks, told};

/// From QEMU's death to ctr's error.
const SOON: Duration = Duration::from_secs(5);

fn runs(process: u32, program: &str) -> bool {
    fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|path| path.ends_with(program))
}

/// Kills the process of containerd's tasks that runs this program.
fn shoot(daemon: &Daemon, program: &str) -> Result<()> {
    let process = daemon.processes().into_iter().find(|process| runs(*process, program));
    let process = process.with_context(|| format!("no {program}"))?;
    kill(Pid::from_raw(process as i32), Signal::SIGKILL).with_context(|| format!("cannot kill {program}"))
}

/// Each of the programs behind a container in the foreground.
#[test]
fn the_vm_killed() -> Result<()> {
    let _alone = alone();
    let daemon = daemon()?;
    let programs = ["qemu-system-x86_64", "virtiofsd", "vhost-device-vsock"];
    let programs = if long() { &programs } else { &programs[..1] };
    for program in programs {
        let mut ctr = daemon.run(&["--rm"], "killed", &["sleep", "1000"]);
        let run = std::thread::spawn(move || told(&mut ctr).map(|told| (told, Instant::now())));
        while tasks(&daemon).ok() != Some(expected(&[("killed", "RUNNING")])) {
            assert!(!run.is_finished(), "{:?}", run.join());
        }
        let shot = Instant::now();
        shoot(&daemon, program)?;
        let ((code, text), then) = run.join().expect("no panic")?;
        assert_eq!(code, Some(137), "{program}: {text}");
        assert!(text.contains("io.containerd.moveroot.v1: the task's VM is gone: "), "{program}: {text}");
        let took = then - shot;
        println!("{program} killed: ctr ended after {took:?}");
        assert!(took < SOON, "{program}: {took:?}");
        nothing_is_left(&daemon)?;
    }
    Ok(())
}

/// With containerd there, and without.
#[test]
fn the_shim_killed() -> Result<()> {
    const SHIM: &str = "containerd-shim-moveroot-v1";
    let _alone = alone();
    let mut daemon = daemon()?;
    for with_containerd in [true, false] {
        assert_eq!(told(&mut daemon.run(&["--detach"], "orphan", &["sleep", "1000"]))?.0, Some(0));
        if with_containerd {
            shoot(&daemon, SHIM)?;
        } else {
            daemon.kill()?;
            shoot(&daemon, SHIM)?;
            daemon.start_again()?;
        }
        nothing_is_left(&daemon)?;
        assert_eq!(tasks(&daemon)?, []);
        daemon.done(&["containers", "rm", "orphan"])?;
    }
    Ok(())
}

/// By ctrl-c, while the container's VM boots.
#[test]
fn the_command_broken_off() -> Result<()> {
    let _alone = alone();
    let directory = tempfile::Builder::new().prefix("off-").tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_vm"));
    command.args(["containerd", "--", "sleep", "1000"]).env("TMPDIR", directory.path()).stdin(Stdio::null());
    let mut command = command.stderr(Stdio::null()).spawn()?;
    while !cleanup::naming(directory.path()).into_iter().any(|process| runs(process, "qemu-system-x86_64")) {
        assert_eq!(command.try_wait()?, None);
    }
    kill(Pid::from_raw(command.id() as i32), Signal::SIGINT)?;
    assert_eq!(command.wait()?.code(), Some(130));
    assert_eq!(cleanup::naming(directory.path()), [0; 0]);
    assert_eq!(fs::read_dir(directory.path())?.count(), 0);
    Ok(())
}

#[test]
fn what_a_vm_cannot_give_is_refused() -> Result<()> {
    let _alone = alone();
    let daemon = daemon()?;
    let refused: [(&[&str], &str); 3] = [
        (&["--mount", "type=bind,src=/etc,dst=/mnt,options=rbind:ro"], "a bind mount of the host's /etc"),
        (&["--with-ns", "network:/proc/1/ns/net"], "a network namespace of the host: /proc/1/ns/net"),
        (&["--terminal"], "a terminal"),
    ];
    for (options, what) in refused {
        let options = [&["--rm"], options].concat();
        let mut ctr = daemon.run(&options, "refused", &["true"]);
        let (code, text) = told(&mut ctr)?;
        assert_eq!(code, Some(1), "{text}");
        let why = format!("not supported by io.containerd.moveroot.v1: {what}");
        // ctr has no console to give; it says so before it asks.
        assert!(text.contains(&why) || what == "a terminal", "{text}");
        nothing_is_left(&daemon)?;
    }
    Ok(())
}

#[test]
fn a_vm_that_does_not_come_up() -> Result<()> {
    let _alone = alone();
    let daemon = daemon()?;
    let setup = daemon.path().join("setup.json");
    let good = fs::read_to_string(&setup)?;
    for (field, why) in [("initramfs", "QEMU ended"), ("virtiofsd", "cannot run /none")] {
        let mut bad: serde_json::Value = serde_json::from_str(&good)?;
        bad[field] = "/none".into();
        fs::write(&setup, bad.to_string())?;
        let (code, text) = told(&mut daemon.run(&["--rm"], "bad", &["true"]))?;
        assert!(code == Some(1) && text.contains("the VM did not come up") && text.contains(why), "{text}");
        nothing_is_left(&daemon)?;
    }
    Ok(())
}
