//! The counter-proof: the agent as `/init` itself, with no moved root. It mounts what a container needs
//! straight in the initramfs, where kernels before 7.0 refuse `pivot_root`.

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

/// Source (and type), mount point, data. Flags don't matter here.
const MOUNTS: [(&str, &str, &str); 5] = [
    ("proc", "/proc", ""),
    ("sysfs", "/sys", ""),
    ("cgroup2", "/sys/fs/cgroup", ""),
    ("devtmpfs", "/dev", ""),
    ("tmpfs", "/run", "mode=0755"),
];

/// Mounts the pseudo-filesystems over the initramfs' own directories.
pub fn mount_all() -> Result<()> {
    for (fstype, target, data) in MOUNTS {
        std::fs::create_dir_all(target).with_context(|| format!("cannot make {target}"))?;
        match mount(Some(fstype), target, Some(fstype), MsFlags::empty(), Some(data)) {
            // The kernel may have mounted devtmpfs itself.
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot mount {fstype} on {target}"));
            }
        }
    }
    if std::fs::symlink_metadata("/dev/fd").is_err() {
        std::os::unix::fs::symlink("/proc/self/fd", "/dev/fd").context("cannot make /dev/fd")?;
    }
    Ok(())
}
