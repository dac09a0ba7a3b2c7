//! `spawn` on a real kernel: what a namespace has no power over.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use vm::accel;
use vm::initramfs::Initramfs;
use vm::qemu::{Machine, Outcome, Vm};
use vm::sandbox::fixed;

use super::{LIMIT, alone, boot, parts};

/// Before each plan here.
pub const OPENING: &str = "mount proc /proc proc\nmount devtmpfs /dev devtmpfs\nbind /bin\n";

/// Busybox, and a shell script as `/bin/service`.
pub fn tree(steps: &str, service: &str) -> Result<Initramfs> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts().init)?.dir("/bin", 0o755).file("/bin/busybox", &parts().busybox)?;
    tree.bytes("/bin/service", 0o755, format!("#!/bin/busybox sh\n{service}\n"));
    fixed::put(&mut tree, &format!("{OPENING}{steps}"))?;
    Ok(tree)
}

fn says(outcome: &Outcome, line: &str) -> bool {
    outcome.transcript.lines().any(|said| said.trim_end() == line)
}

#[test]
fn a_thousand_orphans_leave_no_zombie_and_the_code_arrives() -> Result<()> {
    let service = "n=0; while [ $n -lt 1000 ]; do (busybox true &); n=$((n+1)); done; busybox sleep 1
echo \"$(busybox grep -l 'State:.Z' /proc/[0-9]*/status | busybox wc -l) zombies\"; exit 42";
    let outcome = boot(&tree("on-exit panic\nspawn /bin/service", service)?, "", &[])?;
    assert!(says(&outcome, "0 zombies"), "{}", outcome.evidence());
    assert!(says(&outcome, "moveroot: /bin/service: exit status 42"), "{}", outcome.evidence());
    assert!(outcome.transcript.contains("exitcode=0x00002a00"), "{}", outcome.evidence());
    Ok(())
}

#[test]
fn a_signals_code_is_128_and_the_signal() -> Result<()> {
    let outcome = boot(&tree("on-exit panic\nspawn /bin/service", "kill -KILL $$")?, "", &[])?;
    assert!(says(&outcome, "moveroot: /bin/service: signal 9"), "{}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(128 + 9), "{}", outcome.evidence());
    Ok(())
}

/// Each is sent to pid 1, and arrives at the service; others are lost there.
#[test]
fn signals_are_passed_on() -> Result<()> {
    let service = "for signal in TERM INT HUP QUIT USR1 USR2 WINCH CONT TSTP ALRM; do
trap \"echo got $signal\" $signal; done
for signal in TERM INT HUP QUIT USR1 USR2 WINCH CONT TSTP ALRM; do kill -$signal 1; busybox sleep 0.1; done; echo all; exit 3";
    let outcome = boot(&tree("on-exit panic\nspawn /bin/service", service)?, "", &[])?;
    let got: Vec<&str> = outcome.transcript.lines().filter_map(|line| line.trim_end().strip_prefix("got ")).collect();
    assert_eq!(got, ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT"], "{}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(3), "{}", outcome.evidence());
    Ok(())
}

/// Boots with a monitor, and a person who types to it some time after the guest is ready.
pub fn with_monitor(tree: &Initramfs, extra: &[&str], append: &str, delay: Duration, typed: &str) -> Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let (image, monitor) = (directory.path().join("image"), directory.path().join("monitor"));
    tree.write(&image)?;
    let mut words: Vec<String> = extra.iter().map(ToString::to_string).collect();
    words.extend(["-monitor".to_string(), format!("unix:{},server=on,wait=off", monitor.display())]);
    let accel = accel::best(&parts().kernel)?;
    let append = append.to_string();
    let vm = Vm { extra: words, accel, append, timeout: LIMIT, ..Vm::new(&parts().kernel, &image) };
    let _alone = alone();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watch = |line: &str| {
        if line.contains("READY") {
            let _ = ready.send(());
        }
    };
    let work = move |_: &Machine| {
        is_ready.recv_timeout(LIMIT).context("the guest was never ready")?;
        std::thread::sleep(delay);
        let mut monitor = connect(&monitor)?;
        monitor.write_all(typed.as_bytes())?;
        // QEMU reads no further than to a hang-up.
        let mut answers = Vec::new();
        monitor.read_to_end(&mut answers).context("cannot hear QEMU's monitor")?;
        // Shown where the test fails.
        println!("{}", String::from_utf8_lossy(&answers));
        Ok(())
    };
    let (outcome, typed) = vm.drive(watch, work)?;
    typed.with_context(|| outcome.evidence())?;
    Ok(outcome)
}

fn connect(monitor: &Path) -> Result<UnixStream> {
    UnixStream::connect(monitor).context("cannot reach QEMU's monitor")
}

#[test]
fn ctrl_alt_del_arrives_as_int() -> Result<()> {
    let service = "trap 'echo got INT; exit 5' INT; echo READY; while :; do busybox sleep 0.1; done";
    let tree = tree("on-exit panic\nspawn /bin/service", service)?;
    let outcome = with_monitor(&tree, &["-M", "q35"], "", Duration::ZERO, "sendkey ctrl-alt-delete\n")?;
    assert!(says(&outcome, "got INT"), "{}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(5), "{}", outcome.evidence());
    Ok(())
}

#[test]
fn the_machine_is_restarted_or_turned_off() -> Result<()> {
    for action in ["reboot", "poweroff"] {
        let outcome = boot(&tree(&format!("on-exit {action}\nspawn /bin/service"), "exit 7")?, "", &[])?;
        assert!(says(&outcome, "moveroot: /bin/service: exit status 7"), "{action}: {}", outcome.evidence());
        let (is_over, panicked) = (!outcome.timed_out, outcome.transcript.contains("Kernel panic"));
        assert!(is_over && !panicked && outcome.status.success(), "{action}: {}", outcome.evidence());
    }
    Ok(())
}

/// What pid 1 costs while the service runs: memory besides the pages of its file, and no time at all.
#[test]
fn pid_1_is_small_and_sleeps() -> Result<()> {
    let seconds = if vm::test::long() { 10 } else { 3 };
    let service = format!(
        "busybox sleep 0.5; busybox grep -E 'RssAnon|voluntary' /proc/1/status; busybox sleep {seconds}
busybox grep -E 'RssAnon|voluntary' /proc/1/status; exit 9"
    );
    let outcome = boot(&tree("on-exit panic\nspawn /bin/service", &service)?, "", &[])?;
    let figures = |name: &str| -> Vec<u32> {
        let lines = outcome.transcript.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect()
    };
    let (memory, switches) = (figures("RssAnon:"), figures("voluntary_ctxt_switches:"));
    let [before, after] = switches[..] else { panic!("{}", outcome.evidence()) };
    assert!(memory.len() == 2 && memory.iter().all(|kib| *kib <= 24), "{memory:?} KiB: {}", outcome.evidence());
    // Each sleep of the shell's is a child's of its own, not ours.
    assert_eq!(before, after, "pid 1 woke up: {}", outcome.evidence());
    Ok(())
}
