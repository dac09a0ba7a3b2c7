//! What goes before the service, on a real kernel: devices that come late, memory that is freed, limits, controllers.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result};
use vm::kernel;
use vm::modules::Modules;
use vm::qemu::Outcome;

use super::boot;
use super::spawn::{OPENING, tree, with_monitor};

/// The time of a line of the kernel's log, in seconds.
fn logged(outcome: &Outcome, text: &str) -> Result<f64> {
    let line = outcome.transcript.lines().find(|line| line.contains(text));
    let line = line.with_context(|| format!("no {text}: {}", outcome.evidence()))?;
    let time = line.trim_start_matches('[').split(']').next().unwrap_or_default();
    time.trim().parse().with_context(|| format!("no time in {line}"))
}

/// A disk that is plugged in 2 s after the guest began to wait for it.
#[test]
fn wait_goes_on_when_a_disk_is_plugged_in() -> Result<()> {
    let steps =
        "module /modules/a.ko\nmodule /modules/b.ko\nmodule /modules/c.ko\nmodule /modules/d.ko\nmodule /modules/e.ko
write /dev/kmsg READY to wait\nwait /dev/vda 20\nwrite /dev/kmsg waited\non-exit panic\nspawn /bin/service";
    let directory = kernel::modules(None)?;
    let modules = Modules::of(&directory)?.needed(&["virtio_pci".to_string(), "virtio_blk".to_string()])?;
    let mut plan = steps.to_string();
    for letter in ('a'..='e').skip(modules.len()) {
        plan = plan.replace(&format!("module /modules/{letter}.ko\n"), "");
    }
    let mut tree = tree(&plan, "exit 4")?;
    for (letter, module) in ('a'..='e').zip(&modules) {
        tree.bytes(&format!("/modules/{letter}.ko"), 0o644, module.content.clone());
    }
    let disk = tempfile::NamedTempFile::new()?;
    disk.as_file().set_len(1 << 20)?;
    let plug = |monitor: &mut UnixStream| {
        std::thread::sleep(Duration::from_secs(2));
        let file = disk.path().display();
        writeln!(monitor, "drive_add 0 if=none,format=raw,id=late,file={file}")?;
        Ok(writeln!(monitor, "device_add virtio-blk-pci,drive=late,bus=late-port")?)
    };
    let extra = ["-M", "q35", "-device", "pcie-root-port,id=late-port,chassis=1,slot=1"];
    let outcome = with_monitor(&tree, &extra, "ignore_loglevel", &plug)?;
    let (began, plugged, waited) =
        (logged(&outcome, "READY to wait")?, logged(&outcome, "[vda]")?, logged(&outcome, "waited")?);
    assert!(plugged - began > 1.9, "it was there after {} s: {}", plugged - began, outcome.evidence());
    let late = waited - plugged;
    assert!((0.0..0.02).contains(&late), "it went on {late} s after the disk was there: {}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(4), "{}", outcome.evidence());
    Ok(())
}

/// What a guest has left, in KiB, by its own word.
fn available(outcome: &Outcome) -> Result<f64> {
    let line = outcome.transcript.lines().find(|line| line.starts_with("MemAvailable:"));
    let figure = line.and_then(|line| line.split_whitespace().nth(1)).with_context(|| outcome.evidence())?;
    Ok(figure.parse()?)
}

/// Modules' files are freed when they are loaded, and what is dropped is as if it had never been there.
#[test]
fn what_is_loaded_and_dropped_leaves_its_memory() -> Result<()> {
    let service = "busybox sleep 1; busybox grep MemAvailable /proc/meminfo; exit 6";
    let last = "on-exit panic\nspawn /bin/service";
    let without = available(&boot(&tree(last, service)?, "", &[])?)?;
    let mut tree = tree(&format!("drop /big\n{last}"), service)?;
    tree.bytes("/big/file", 0o644, vec![0x5a; 60 << 20]);
    let dropped = available(&boot(&tree, "", &[])?)?;
    let modules = Modules::of(&kernel::modules(None)?)?.needed(&["xfs", "btrfs"].map(String::from))?;
    let bytes: usize = modules.iter().map(|module| module.content.len()).sum();
    assert!(bytes > 4_000_000, "{bytes} bytes of modules");
    let steps: String = (0..modules.len()).map(|number| format!("module /modules/{number}.ko\n")).collect();
    for (number, module) in modules.iter().enumerate() {
        tree.bytes(&format!("/modules/{number}.ko"), 0o644, module.content.clone());
    }
    tree.bytes("/boot.plan", 0o644, format!("{OPENING}{steps}drop /big\n{last}"));
    let loaded = available(&boot(&tree, "", &[])?)?;
    println!(
        "MemAvailable: {without} KiB, {dropped} after 60 MiB were dropped, {loaded} with {bytes} bytes of modules too"
    );
    assert!((dropped / without - 1.0).abs() < 0.01, "{dropped} KiB instead of {without}");
    // What is loaded stays in memory, but no second time as a file.
    let least = without - bytes as f64 / 1024.0 * 1.5;
    assert!(loaded > least * 0.99, "{loaded} KiB instead of {least}");
    Ok(())
}

/// The number of each limit is the kernel's own.
#[test]
fn every_limit_is_the_one_of_its_name() -> Result<()> {
    const ROWS: [(&str, &str); 16] = [
        ("cpu", "Max cpu time"),
        ("fsize", "Max file size"),
        ("data", "Max data size"),
        ("stack", "Max stack size"),
        ("core", "Max core file size"),
        ("rss", "Max resident set"),
        ("nproc", "Max processes"),
        ("nofile", "Max open files"),
        ("memlock", "Max locked memory"),
        ("as", "Max address space"),
        ("locks", "Max file locks"),
        ("sigpending", "Max pending signals"),
        ("msgqueue", "Max msgqueue size"),
        ("nice", "Max nice priority"),
        ("rtprio", "Max realtime priority"),
        ("rttime", "Max realtime timeout"),
    ];
    let soft = |name: &str| 500_000_000 + ROWS.iter().position(|row| row.0 == name).unwrap_or_default();
    let limits: Vec<&str> = ROWS.iter().map(|row| row.0).filter(|name| *name != "nofile").collect();
    let steps: String = limits.iter().map(|name| format!("limit {name} {} 600000000\n", soft(name))).collect();
    let steps = format!("{steps}limit nofile 1000 1001\non-exit panic\nspawn /bin/service");
    let outcome = boot(&tree(&steps, "busybox cat /proc/self/limits; exit 8")?, "", &[])?;
    for (name, row) in ROWS {
        let line = outcome.transcript.lines().find(|line| line.starts_with(row)).unwrap_or_default();
        let (soft, hard) = if name == "nofile" { (1000, 1001) } else { (soft(name), 600_000_000) };
        let figures: Vec<&str> = line[row.len().min(line.len())..].split_whitespace().take(2).collect();
        assert_eq!(figures, [soft.to_string(), hard.to_string()], "{name}: {}", outcome.evidence());
    }
    Ok(())
}

/// Every controller that is there, by `controllers` without a name.
#[test]
fn controllers_without_names_are_all() -> Result<()> {
    let steps =
        "mount sysfs /sys sysfs\nmount cgroup2 /sys/fs/cgroup cgroup2\ncontrollers\non-exit panic\nspawn /bin/service";
    let service = "cd /sys/fs/cgroup; echo \"all $(busybox cat cgroup.controllers)\"; echo \"on $(busybox cat cgroup.subtree_control)\"; exit 2";
    let outcome = boot(&tree(steps, service)?, "", &[])?;
    let after =
        |word: &str| outcome.transcript.lines().find_map(|line| line.trim_end().strip_prefix(word).map(String::from));
    let (all, on) = (after("all ").with_context(|| outcome.evidence())?, after("on "));
    assert!(all.contains("memory") && all.split(' ').count() > 4, "{}", outcome.evidence());
    assert_eq!(on, Some(all), "{}", outcome.evidence());
    Ok(())
}
