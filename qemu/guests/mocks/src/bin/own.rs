//! Stands for an agent of one's own that wants nothing of its init: it makes and mounts everything a container needs.
#![no_main]

use std::os::unix::fs::symlink;

use anyhow::{Context, Result};
use mocks::{GUARDED, Mount, MsFlags, run, write};

const DEV: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NOEXEC);
const MOUNTS: [Mount; 5] = [
    Mount { source: "proc", target: "/proc", fstype: "proc", flags: GUARDED, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: GUARDED, data: "" },
    Mount { source: "cgroup2", target: "/sys/fs/cgroup", fstype: "cgroup2", flags: GUARDED, data: "" },
    Mount { source: "devtmpfs", target: "/dev", fstype: "devtmpfs", flags: DEV, data: "" },
    Mount { source: "tmpfs", target: "/run", fstype: "tmpfs", flags: GUARDED, data: "mode=0755" },
];

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run("own", prepare, "crun")
}

fn prepare() -> Result<()> {
    MOUNTS.iter().try_for_each(Mount::mount_with_directory)?;
    symlink("/proc/self/fd", "/dev/fd").context("link /dev/fd")?;
    write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu +cpuset +io +memory +pids")?;
    // SAFETY: no other thread runs yet, so none reads the environment meanwhile.
    unsafe { std::env::set_var("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") };
    Ok(())
}
