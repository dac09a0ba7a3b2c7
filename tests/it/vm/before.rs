//! What goes before the service, on a real kernel: devices that come late, memory that is freed, limits, controllers.

use std::time::Duration;

use anyhow::{Context, Result};
use vm::initramfs::Initramfs;
use vm::kernel;
use vm::modules::{Module, Modules};
use vm::qemu::Outcome;
use vm::sandbox::fixed;

use super::boot;
use super::spawn::{OPENING, tree, with_monitor};

/// When the guest made a file, in seconds of its day: `/dev/vda 2026-11-28 21:12:39.637021183`.
fn made(outcome: &Outcome, path: &str) -> Result<f64> {
    let said = outcome.transcript.lines().find_map(|line| line.strip_prefix(path));
    let time = said.and_then(|said| said.split_whitespace().nth(1)).with_context(|| outcome.evidence())?;
    let [hours, minutes, seconds] =
        [0, 1, 2].map(|place| time.split(':').nth(place).unwrap_or_default().parse::<f64>());
    Ok(hours? * 3600.0 + minutes? * 60.0 + seconds?)
}

fn module_steps(modules: &[Module]) -> String {
    (0..modules.len()).map(|number| format!("module /modules/{number}.ko\n")).collect()
}

fn add_modules(tree: &mut Initramfs, modules: &[Module]) {
    for (number, module) in modules.iter().enumerate() {
        tree.bytes(&format!("/modules/{number}.ko"), 0o644, module.content.clone());
    }
}

/// A disk that is plugged in 2 s after the guest began to wait for it.
#[test]
fn wait_goes_on_when_a_disk_is_plugged_in() -> Result<()> {
    let modules = Modules::of(&kernel::modules(None)?)?.needed(&["virtio_pci", "virtio_blk"].map(String::from))?;
    let steps =
        "dir /before\nrun /bin/busybox echo READY\nwait /dev/vda 20\ndir /after\non-exit panic\nspawn /bin/service";
    let service = "busybox stat -c '%n %z' /before /dev/vda /after; exit 4";
    let mut tree = tree(&format!("{}{steps}", module_steps(&modules)), service)?;
    add_modules(&mut tree, &modules);
    let disk = tempfile::NamedTempFile::new()?;
    disk.as_file().set_len(1 << 20)?;
    let file = disk.path().display();
    let plug = format!(
        "drive_add 0 if=none,format=raw,id=late,file={file}\ndevice_add virtio-blk-pci,drive=late,bus=late-port\n"
    );
    // The port announces a disk itself, instead of the firmware.
    let native = "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off";
    let extra = ["-M", "q35", "-global", native, "-device", "pcie-root-port,id=late-port,chassis=1,slot=1"];
    let outcome = with_monitor(&tree, &extra, "", Duration::from_secs(2), &plug)?;
    let [began, plugged, waited] = ["/before", "/dev/vda", "/after"].map(|path| made(&outcome, path));
    let (began, plugged, waited) = (began?, plugged?, waited?);
    assert!(plugged - began > 1.9, "it was there after {} s: {}", plugged - began, outcome.evidence());
    let late = waited - plugged;
    println!("the disk was waited for {late} s too long");
    // 20 ms where nobody else uses the processor.
    assert!((0.0..0.2).contains(&late), "it went on {late} s after the disk was there: {}", outcome.evidence());
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
    let modules = Modules::of(&kernel::modules(None)?)?.needed(&["xfs".to_string()])?;
    let bytes: usize = modules.iter().map(|module| module.content.len()).sum();
    assert!(bytes > 4_000_000, "{bytes} bytes of modules");
    let steps = module_steps(&modules);
    add_modules(&mut tree, &modules);
    fixed::put(&mut tree, &format!("{OPENING}{steps}drop /big\n{last}"))?;
    let loaded = available(&boot(&tree, "", &[])?)?;
    println!(
        "MemAvailable: {without} KiB, {dropped} after 60 MiB were dropped, {loaded} with {bytes} bytes of modules too"
    );
    assert!((dropped / without - 1.0).abs() < 0.01, "{dropped} KiB instead of {without}");
    // What is loaded stays in memory, but no second time as a file.
    assert!((loaded / without - 1.0).abs() < 0.01, "{loaded} KiB instead of {without}");
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
