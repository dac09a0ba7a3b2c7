//! Stands for libkrun's init, /init.krun (containers/libkrun at 6ed74facc26d): `main` in init/src/main.rs, `mount_filesystems`
//! and `mount_shared_root` in fs.rs, the host's name and limits in env.rs, `setup_redirects` in exec.rs.
//!
//! The workload that the real one runs, and waits for, is here the container's runtime.
#![no_main]

use std::fs::{Permissions, read_dir, set_permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::exit;

use anyhow::{Context, Result};
use mocks::sockets::bring_loopback_up;
use mocks::{Mount, MsFlags, make_directory, run};
use nix::libc;
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use nix::unistd::{chdir, sethostname, setsid};

const BASE: MsFlags = MsFlags::MS_NOEXEC.union(MsFlags::MS_NOSUID).union(MsFlags::MS_RELATIME);
const GUARDED: MsFlags = BASE.union(MsFlags::MS_NODEV);
const FIRST: Mount =
    Mount { source: "devtmpfs", target: "/dev", fstype: "devtmpfs", flags: MsFlags::MS_RELATIME, data: "" };
const SECOND: [Mount; 3] = [
    Mount { source: "proc", target: "/proc", fstype: "proc", flags: GUARDED, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: GUARDED, data: "" },
    Mount { source: "cgroup2", target: "/sys/fs/cgroup", fstype: "cgroup2", flags: GUARDED, data: "" },
];
const THIRD: [Mount; 2] = [
    Mount { source: "devpts", target: "/dev/pts", fstype: "devpts", flags: BASE, data: "" },
    Mount { source: "tmpfs", target: "/dev/shm", fstype: "tmpfs", flags: BASE, data: "" },
];

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let workload = std::env::var("KRUN_INIT").ok().or_else(|| std::env::args().nth(1));
    run("libkrun", prepare, &workload.unwrap_or_else(|| "/bin/sh".to_string()))
}

fn prepare() -> Result<()> {
    ["/dev", "/proc", "/sys"].into_iter().try_for_each(make_directory)?;
    FIRST.mount_unless_busy()?;
    match set_permissions("/dev/kvm", Permissions::from_mode(0o666)) {
        Err(error) if error.kind() != ErrorKind::NotFound => println!("libkrun: change /dev/kvm: {error}"),
        _ => {}
    }
    SECOND.iter().try_for_each(Mount::mount_unless_busy)?;
    THIRD.iter().try_for_each(|mount| make_directory(mount.target))?;
    THIRD.iter().try_for_each(Mount::mount_unless_busy)?;
    // One that is there already is fine.
    symlink("/proc/self/fd", "/dev/fd").ok();
    let none = None::<&str>;
    nix::mount::mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SHARED, none).context("share the mounts of /")?;
    take_terminal();
    bring_loopback_up().ok();
    name_host_and_set_limits();
    if let Ok(directory) = std::env::var("KRUN_WORKDIR")
        && let Err(error) = chdir(directory.as_str())
    {
        println!("libkrun: change to {directory}: {error}");
        exit(125)
    }
    // A program's input and output may be ports of virtio_console.
    if let Err(error) = read_dir("/sys/class/virtio-ports") {
        println!("libkrun: read the directory /sys/class/virtio-ports: {error}");
        exit(125)
    }
    Ok(())
}

/// None of it needs to succeed.
fn take_terminal() {
    setsid().ok();
    // SAFETY: the request takes a number, no pointer.
    unsafe { libc::ioctl(0, libc::TIOCSCTTY, 1) };
}

/// By variables that the host sets on the kernel's command line; none of it needs to succeed.
fn name_host_and_set_limits() {
    sethostname(std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_string())).ok();
    let limits = std::env::var("KRUN_RLIMITS").unwrap_or_default();
    let nofile = (Resource::RLIMIT_NOFILE as u32).to_string();
    for limit in limits.trim_matches('"').split(',') {
        let numbers: Vec<&str> = limit.splitn(3, ['=', ':']).collect();
        if let [number, soft, hard] = numbers[..]
            && number == nofile
        {
            let [soft, hard] = [soft, hard].map(|limit| limit.parse().unwrap_or(RLIM_INFINITY));
            setrlimit(Resource::RLIMIT_NOFILE, soft, hard).ok();
        }
    }
}
