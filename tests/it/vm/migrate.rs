//! docs/migrate.md: the plan whose root is a disk.

use std::fs;

use anyhow::{Context, Result};
use vm::{apt, locale};

use super::{boot_image, parts, report};
use crate::docs::migrate::{KLIBC, sample};
use crate::pack::Ground;

#[test]
fn comes_to_the_agent_on_its_disk() -> Result<()> {
    apt::ensure_programs(&["mkfs.ext4"])?;
    let [_, plan] = sample(KLIBC, "sh")?;
    let ground = Ground::new()?;
    ground.plan(plan)?.file("disk/sbin/agent", fs::read(&parts().agent)?, 0o755)?;
    for name in ["dev", "proc"] {
        fs::create_dir(ground.path("disk").join(name))?;
    }
    let mkfs = apt::program("mkfs.ext4").context("no mkfs.ext4")?;
    let made = locale::command(mkfs)
        .args(["-q", "-d"])
        .args([ground.path("disk"), ground.path("image")])
        .arg("32M")
        .output()?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    ground.pack("--module virtio_mmio --module virtio_blk")?;
    let outcome = boot_image(&ground.path("out"), Some(&ground.path("image")), "", &["--report"])?;
    let report = report(&outcome)?;
    // All that is not as the service of a tmpfs finds it.
    assert_eq!(report.problems, ["/ is of type 0xef53"], "{}", outcome.evidence());
    let mounts = report.mountinfo.unwrap_or_default();
    assert!(mounts.lines().any(|line| line.contains(" / / ro,") && line.contains(" - ext4 /dev/vda ")), "{mounts}");
    Ok(())
}
