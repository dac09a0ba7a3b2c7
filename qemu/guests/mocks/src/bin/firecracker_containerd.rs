//! Stands for firecracker-containerd's agent: `main` in agent/main.go (commit 07d3955b93fd), `discoverDrives` in
//! agent/drive_handler.go and `Create` in agent/service.go (0475a0f91479), the bundle's directory in
//! internal/bundle/bundle.go (38742eeb4fb5).
//!
//! In its own image systemd has mounted everything before it starts; it mounts nothing but the drives of containers.
//! Those need a VMM that swaps drives under a running guest, so here the bundle is in the guest already.
#![no_main]

use std::fs;
use std::os::unix::fs::DirBuilderExt;

use anyhow::{Context, Result, ensure};
use mocks::{run, write};
use nix::libc;
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run("firecracker-containerd", prepare, "runc")
}

fn prepare() -> Result<()> {
    // SAFETY: takes numbers, no pointer.
    let set = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    ensure!(set == 0, "become a subreaper: {}", std::io::Error::last_os_error());
    // Which of its two watchers for memory that ran out it starts.
    let cgroup = statfs("/sys/fs/cgroup").context("look at /sys/fs/cgroup")?;
    println!("firecracker-containerd: cgroup v2: {}", cgroup.filesystem_type() == CGROUP2_SUPER_MAGIC);
    discover_drives()?;
    make_bundle_directory("/container/demo")
}

/// Every block device is asked for its numbers, and opened to see if it stands for a drive that is yet to come.
fn discover_drives() -> Result<()> {
    for device in fs::read_dir("/sys/block").context("read the directory /sys/block")? {
        let name = device.context("read the directory /sys/block")?.file_name().to_string_lossy().into_owned();
        let numbers = format!("/sys/block/{name}/dev");
        fs::read_to_string(&numbers).with_context(|| format!("read {numbers}"))?;
        let opens = fs::File::open(format!("/dev/{name}")).is_ok();
        println!("firecracker-containerd: drive {name}, {}", if opens { "opens" } else { "does not open" });
    }
    Ok(())
}

fn make_bundle_directory(bundle: &str) -> Result<()> {
    let rootfs = format!("{bundle}/rootfs");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&rootfs);
    made.with_context(|| format!("make the directory {rootfs}"))?;
    write(&format!("{bundle}/config.json"), "{}\n")
}
