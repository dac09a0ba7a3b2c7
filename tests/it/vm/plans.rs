//! The plans of plans/, each with the mock of its agent: what the agent asks of the kernel and what the plan did
//! before fit together, and a container runs. And pairs that don't fit.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use procfs_core::process::MountInfo;
use vm::bundle::{Bundle, EXIT_CODE};
use vm::demo::{Parts, agent};
use vm::pairing::Pairing;
use vm::qemu::Outcome;
use vm::{build, workspace};

use super::{NO_PROBLEMS, boot_with_disk, parts, report};

/// A plan, and all mounts that its agent's container finds, in the order they were made. Left out are binds of what the
/// initramfs or the disk holds.
const PLANS: [(&str, &[&str]); 9] = [
    ("minimal", &["/ tmpfs", "/proc proc", "/sys sysfs", "/sys/fs/cgroup cgroup2", "/dev devtmpfs", "/run tmpfs"]),
    (
        "nerdbox",
        &[
            "/ tmpfs",
            "/dev devtmpfs",
            "/proc proc",
            "/sys sysfs",
            "/sys/fs/cgroup cgroup2",
            "/run tmpfs",
            "/tmp tmpfs",
            "/etc tmpfs",
            "/run/netns/pod nsfs",
        ],
    ),
    (
        "kata",
        &[
            "/ tmpfs",
            "/proc proc",
            "/sys sysfs",
            "/dev devtmpfs",
            "/dev/shm tmpfs",
            "/dev/pts devpts",
            "/run tmpfs",
            "/sys/fs/cgroup cgroup2",
            "/var/run/sandbox-ns/ipc nsfs",
            "/var/run/sandbox-ns/uts nsfs",
        ],
    ),
    (
        "firecracker-containerd",
        &[
            "/ tmpfs",
            "/proc proc",
            "/sys sysfs",
            "/sys/fs/cgroup cgroup2",
            "/dev devtmpfs",
            "/dev/pts devpts",
            "/dev/shm tmpfs",
            "/run tmpfs",
        ],
    ),
    (
        "kuasar",
        &[
            "/ tmpfs",
            "/proc proc",
            "/sys sysfs",
            "/dev devtmpfs",
            "/dev/shm tmpfs",
            "/dev/pts devpts",
            "/run tmpfs",
            "/sys/fs/cgroup tmpfs",
            "/sys/fs/cgroup/cpuset cgroup",
            "/sys/fs/cgroup/cpu cgroup",
            "/sys/fs/cgroup/cpuacct cgroup",
            "/sys/fs/cgroup/blkio cgroup",
            "/sys/fs/cgroup/memory cgroup",
            "/sys/fs/cgroup/devices cgroup",
            "/sys/fs/cgroup/freezer cgroup",
            "/sys/fs/cgroup/net_cls cgroup",
            "/sys/fs/cgroup/perf_event cgroup",
            "/sys/fs/cgroup/net_prio cgroup",
            "/sys/fs/cgroup/hugetlb cgroup",
            "/sys/fs/cgroup/pids cgroup",
            "/sys/fs/cgroup/rdma cgroup",
        ],
    ),
    (
        "containerization",
        &[
            "/ tmpfs",
            "/dev devtmpfs",
            "/proc proc",
            "/run tmpfs",
            "/sys sysfs",
            "/sys/fs/cgroup cgroup2",
            "/proc/sys/fs/binfmt_misc binfmt_misc",
        ],
    ),
    (
        "libkrun",
        &[
            "/ tmpfs",
            "/dev devtmpfs",
            "/proc proc",
            "/sys sysfs",
            "/sys/fs/cgroup cgroup2",
            "/dev/pts devpts",
            "/dev/shm tmpfs",
        ],
    ),
    (
        "nvrc",
        &[
            "/ tmpfs",
            "/dev devtmpfs",
            "/proc proc",
            "/sys sysfs",
            "/run tmpfs",
            "/tmp tmpfs",
            "/sys/kernel/security securityfs",
            "/dev/shm tmpfs",
            "/dev/pts devpts",
            "/sys/fs/cgroup cgroup2",
            "/var/run/sandbox-ns/ipc nsfs",
            "/var/run/sandbox-ns/uts nsfs",
        ],
    ),
    (
        "erofs",
        &[
            "/ tmpfs",
            "/dev devtmpfs",
            "/system erofs",
            "/proc proc",
            "/sys sysfs",
            "/sys/fs/cgroup cgroup2",
            "/run tmpfs",
        ],
    ),
];

fn plan_of(name: &str) -> PathBuf {
    workspace::root().join("plans").join(format!("{name}.plan"))
}

/// Boots this plan's guest with an agent, and with words for the kernel besides the plan's own.
fn boot_with(plan: &Path, agent: PathBuf, append: &str) -> Result<Outcome> {
    let parts = Parts { agent, ..parts().clone() };
    let guest = parts.guest(plan, &Bundle::default(), None)?;
    let disk = guest.disk.as_ref().map(|disk| disk.path());
    boot_with_disk(&guest.initramfs, disk, &format!("{} {append}", guest.kernel_words), &[])
}

/// `MOUNT-POINT TYPE` of each line of mountinfo that is no bind of the initramfs' files.
fn mounts(mountinfo: &str) -> Result<Vec<String>> {
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
        assert_eq!(mounts(&report.mountinfo.unwrap_or_default())?, expected, "{name}: {evidence}");
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
