//! The plans of plans/, each with the mock of its agent: what the agent asks of the kernel and what the plan did
//! before fit together, and a container runs. And pairs that don't fit.

mod mounts;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use procfs_core::process::MountInfo;
use vm::bundle::{Bundle, EXIT_CODE};
use vm::demo::{Parts, agent};
use vm::pairing::Pairing;
use vm::qemu::{Outcome, Vm};
use vm::{accel, build, kernel, workspace};

use super::{LIMIT, NO_PROBLEMS, beside_others, parts, report};
use mounts::PLANS;

fn plan_of(name: &str) -> PathBuf {
    workspace::root().join("plans").join(format!("{name}.plan"))
}

/// The release whose kernel an agent needs that knows nothing but cgroup v1.
const WITH_OLD_CGROUPS: &str = "bookworm";

/// Boots this plan's guest with an agent, and with words for the kernel besides the plan's own.
fn boot_with(plan: &Path, agent: PathBuf, append: &str) -> Result<Outcome> {
    let release = plan.ends_with("kuasar.plan").then_some(WITH_OLD_CGROUPS);
    let kernel = release.map_or_else(|| Ok(parts().kernel.clone()), kernel::of)?;
    let parts = Parts { agent, kernel, ..parts().clone() };
    let guest = parts.guest(plan, &Bundle::default(), release)?;
    let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
    guest.initramfs.write(image.path())?;
    let _guest = beside_others();
    let vm = Vm {
        disk: guest.disk.as_ref().map(|disk| disk.path().to_path_buf()),
        append: format!("{} {append}", guest.kernel_words),
        accel: accel::best(&parts.kernel)?,
        timeout: LIMIT,
        ..Vm::new(&parts.kernel, image.path())
    };
    vm.run()
}

/// `MOUNT-POINT TYPE` of each line of mountinfo that is no bind of the initramfs' files.
fn mounts_of(mountinfo: &str) -> Result<Vec<String>> {
    let mounts: Vec<_> = mountinfo.lines().map(MountInfo::from_line).collect::<Result<_, _>>()?;
    let own = mounts.iter().filter(|mount| mount.fs_type != "rootfs");
    Ok(own.map(|mount| format!("{} {}", mount.mount_point.display(), mount.fs_type)).collect())
}

#[test]
fn fit_their_agents() -> Result<()> {
    for (name, expected) in PLANS {
        let plan = plan_of(name);
        let outcome = boot_with(&plan, agent(&plan)?, "")?;
        let evidence = outcome.evidence();
        let report = report(&outcome)?;
        assert_eq!(report.problems, NO_PROBLEMS, "{name}: {evidence}");
        let container = report.container.with_context(|| format!("{name}: no container: {evidence}"))?;
        assert_eq!(container.exit_code, i32::from(EXIT_CODE), "{name}: {evidence}");
        assert!(container.argv.iter().all(|word| !word.contains("no-pivot")), "{:?}", container.argv);
        assert_eq!(mounts_of(&report.mountinfo.unwrap_or_default())?, expected, "{name}: {evidence}");
        assert!(!outcome.transcript.contains("moveroot: "), "{name}: a warning: {evidence}");
        assert_eq!(outcome.guest_code, Some(0), "{name}: {evidence}");
    }
    Ok(())
}

/// A plan, an agent that it isn't for, what that agent says before it ends, and its exit code; none where it powers off.
const WRONG_PAIRS: [(&str, &str, &str, Option<u8>); 6] = [
    ("src/default.plan", "nerdbox", "mount sysfs on /sys: EBUSY: Device or resource busy", Some(1)),
    (
        "plans/minimal.plan",
        "firecracker-containerd",
        "look at /sys/fs/cgroup: ENOENT: No such file or directory",
        Some(1),
    ),
    ("plans/minimal.plan", "kuasar", "mount 9p on /run/kuasar/state: ENODEV: No such device", Some(1)),
    ("src/default.plan", "containerization", "mount sysfs on /sys: EBUSY: Device or resource busy", Some(1)),
    (
        "plans/minimal.plan",
        "libkrun",
        "read the directory /sys/class/virtio-ports: No such file or directory (os error 2)",
        Some(125),
    ),
    ("src/default.plan", "nvrc", "mount sysfs on /sys: EBUSY: Device or resource busy", None),
];

#[test]
fn do_not_fit_other_agents() -> Result<()> {
    for (plan, name, message, code) in WRONG_PAIRS {
        let outcome = boot_with(&workspace::root().join(plan), build::guest("mocks", name)?, "")?;
        let evidence = outcome.evidence();
        let message = format!("{name}: {message}");
        assert!(outcome.transcript.lines().any(|line| line == message), "{evidence}");
        assert_eq!((outcome.panic_code, outcome.guest_code), (code, None), "{evidence}");
        assert_eq!(outcome.transcript.contains("reboot: Power down"), code.is_none(), "{evidence}");
    }
    Ok(())
}

/// kata-agent takes what is mounted already as its own.
#[test]
fn the_built_in_one_fits_kata_too() -> Result<()> {
    let plan = workspace::root().join("src/default.plan");
    let words = Pairing::read(&plan_of("kata"))?.kernel_words;
    let outcome = boot_with(&plan, build::guest("mocks", "kata")?, &words)?;
    let evidence = outcome.evidence();
    for mount in ["proc is already mounted on /proc", "cgroup2 is already mounted on /sys/fs/cgroup"] {
        assert!(outcome.transcript.contains(&format!("kata: {mount}")), "{evidence}");
    }
    assert_eq!(outcome.guest_code, Some(0), "{evidence}");
    Ok(())
}

/// Every plan is tried above, and says what was read to write it.
#[test]
fn are_all_known() -> Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(workspace::root().join("plans"))? {
        files.push(entry?.path());
    }
    let mut known = PLANS.map(|(name, _)| plan_of(name));
    files.sort();
    known.sort();
    assert_eq!(files, known);
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        assert!(text.contains("\n# Read: "), "{}", file.display());
        assert_eq!(vm::plan::faults(&file)?, [""; 0]);
        // The demo agent serves where no mock is named.
        let program = Pairing::read(&file)?.mock.unwrap_or("agent".to_string());
        assert_eq!(agent(&file)?.file_name(), Some(program.as_ref()));
    }
    Ok(())
}
