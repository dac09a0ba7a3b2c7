//! Disks before and after a boot, as e2fsprogs on the host sees them.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::NamedTempFile;
use vm::apt;

use super::{boot, boot_with};

const SIZE: u64 = 32 << 20;

/// The image of a disk.
pub struct Disk(NamedTempFile);

impl Disk {
    fn empty() -> Result<Disk> {
        apt::ensure_programs(&["mkfs.ext4", "e2fsck", "dumpe2fs", "debugfs"])?;
        let image = NamedTempFile::new()?;
        image.as_file().set_len(SIZE)?;
        Ok(Disk(image))
    }

    fn ext4() -> Result<Disk> {
        let disk = Disk::empty()?;
        disk.ask("mkfs.ext4", &["-q"])?;
        Ok(disk)
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    /// Runs a program of e2fsprogs on it.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let path = apt::program(program).with_context(|| format!("{program} is not on the path"))?;
        let mut command = Command::new(path);
        command.args(arguments).arg(self.0.path()).output().with_context(|| format!("cannot run {program}"))
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.run(program, arguments)?;
        ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether it was unmounted. While it is mounted, or after a crash, its state says `clean` all the same: then the journal
    /// is to be replayed, `needs_recovery`.
    fn is_clean(&self) -> Result<bool> {
        let about = self.ask("dumpe2fs", &["-h"])?;
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let features = field("Filesystem features:").context("no features")?;
        ensure!(features.contains("has_journal"), "no journal: {features}");
        Ok(field("Filesystem state:") == Some("clean") && !features.contains("needs_recovery"))
    }

    /// A file on it.
    fn read(&self, path: &str) -> Result<String> {
        self.ask("debugfs", &["-R", &format!("cat {path}")])
    }
}

#[test]
fn a_scratch_disk_gets_a_filesystem() -> Result<()> {
    let disk = Disk::empty()?;
    let service = "/bin/busybox grep /scratch /proc/mounts; echo written > /scratch/file";
    let outcome = boot("Make a filesystem on a scratch disk", service, Some(&disk))?;
    let mount = "/dev/vda /scratch ext4 rw,nosuid,nodev,relatime 0 0";
    assert!(outcome.transcript.lines().any(|line| line == mount), "{}", outcome.evidence());
    assert!(disk.is_clean()?, "{}", outcome.evidence());
    assert_eq!(disk.read("/file")?, "written\n");
    Ok(())
}

#[test]
fn what_e2fsck_fixes_is_mounted() -> Result<()> {
    let disk = Disk::ext4()?;
    disk.ask("debugfs", &["-w", "-R", "set_super_value free_inodes_count 5"])?;
    disk.ask("debugfs", &["-w", "-R", "set_super_value state 2"])?;
    assert!(!disk.is_clean()?);
    let outcome = boot("Check a disk before it is mounted", "echo written > /data/file", Some(&disk))?;
    assert!(outcome.transcript.contains("/dev/vda: 11/8192 files"), "{}", outcome.evidence());
    assert!(disk.is_clean()?, "{}", outcome.evidence());
    assert_eq!(disk.read("/file")?, "written\n");
    Ok(())
}

#[test]
fn what_e2fsck_cannot_fix_stops_the_boot() -> Result<()> {
    let disk = Disk::ext4()?;
    disk.ask("debugfs", &["-w", "-R", "clri <2>"])?;
    disk.ask("debugfs", &["-w", "-R", "set_super_value state 2"])?;
    let (outcome, ()) = boot_with("Check a disk before it is mounted", "exit 0", Some(&disk), |_, _| Ok(()))?;
    let evidence = outcome.evidence();
    let message = outcome.transcript.lines().find_map(|line| line.strip_prefix("moveroot: boot.plan:"));
    let (line, said) = message.and_then(|message| message.split_once(": ")).context(evidence.clone())?;
    assert_eq!(said, "run /sbin/check-disk: exit status 1", "{evidence}");
    assert_eq!(outcome.panic_code.map(|code| code.to_string()).as_deref(), Some(line), "{evidence}");
    assert!(outcome.transcript.contains("RUN fsck MANUALLY"), "{evidence}");
    Ok(())
}

/// Data written half a second before the service ends, and a process that writes on until init ends it.
const WRITERS: &str = "while :; do /bin/busybox dd if=/dev/zero of=/data/more bs=64k count=32 2>/dev/null; done &
echo kept > /data/kept
echo both write
/bin/busybox sleep 0.5";

#[test]
fn is_clean_after_power_off() -> Result<()> {
    let disk = Disk::ext4()?;
    let (outcome, was_clean) = boot_with("A disk that is clean after power off", WRITERS, Some(&disk), |_, lines| {
        lines.wait_for("both write")?;
        // Half a second is enough to see it mounted.
        std::thread::sleep(Duration::from_millis(100));
        disk.is_clean()
    })?;
    let evidence = outcome.evidence();
    assert!(!was_clean, "the disk looks clean while it is mounted: {evidence}");
    assert!(outcome.transcript.contains("moveroot: /sbin/service: exit status 0\n"), "{evidence}");
    assert!(outcome.transcript.contains("reboot: Power down"), "{evidence}");
    assert!(disk.is_clean()?, "{evidence}");
    assert_eq!(disk.read("/kept")?, "kept\n");
    let checked = disk.run("e2fsck", &["-f", "-n"])?;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    Ok(())
}

#[test]
fn an_overlay_keeps_what_is_written() -> Result<()> {
    let disk = Disk::ext4()?;
    let service =
        "/bin/busybox cat /boots; echo booted >> /boots; /bin/busybox grep ' / ' /proc/mounts; echo x > /dev/null";
    let title = "An overlay on a disk as root";
    let outcome = boot(title, service, Some(&disk))?;
    assert!(outcome.transcript.contains("\noverlay / overlay rw"), "{}", outcome.evidence());
    assert!(!outcome.transcript.contains("\nbooted"), "{}", outcome.evidence());
    assert!(disk.is_clean()?, "{}", outcome.evidence());
    let outcome = boot(title, service, Some(&disk))?;
    assert!(outcome.transcript.contains("\nbooted\n"), "{}", outcome.evidence());
    assert_eq!(disk.read("/upper/boots")?, "booted\nbooted\n");
    assert!(disk.is_clean()?, "{}", outcome.evidence());
    Ok(())
}
