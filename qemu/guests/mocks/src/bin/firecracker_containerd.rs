//! Stands for firecracker-containerd's agent: `main` in agent/main.go (commit 07d3955b93fd), `discoverDrives` in
//! agent/drive_handler.go and `Create` in agent/service.go (0475a0f91479), the bundle's directory in
//! internal/bundle/bundle.go (38742eeb4fb5).
//!
//! In its own image systemd has mounted everything before it starts; it mounts nothing but the drives of containers.
//! Those need a VMM that swaps drives under a running guest, so here the bundle is in the guest already.
#![no_main]

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clients::task::{self, ExtraData};
use mocks::containers::Containers;
use mocks::serve::Services;
use mocks::sockets::listen_to_vsock;
use mocks::{run_or_serve, write};
use nix::libc;
use nix::sys::statfs::{CGROUP2_SUPER_MAGIC, statfs};
use prost::Message;

/// Of vsock.
const PORT: u32 = 10789;

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run_or_serve("firecracker-containerd", prepare, "runc", serve)
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

/// At the real one's port, until the machine is ended.
fn serve(containers: Containers) -> Result<()> {
    let mut services = Services::default();
    services.add_task(task::SERVICE_V2, &Arc::new(containers), |create| {
        let options = create.options.as_ref().context("Create has no options")?;
        ensure!(options.type_url == task::EXTRA_DATA, "Create's options are {}", options.type_url);
        let extra = ExtraData::decode(options.value.as_slice()).context("read Create's options")?;
        let rootfs = format!("{}/rootfs", create.bundle);
        ensure!(fs::metadata(&rootfs).is_ok_and(|found| found.is_dir()), "look at {rootfs}: no directory");
        let config = format!("{}/config.json", create.bundle);
        fs::write(&config, extra.json_spec).with_context(|| format!("write {config}"))
    });
    let _server = services.listen(listen_to_vsock(PORT)?)?;
    println!("firecracker-containerd: serving");
    loop {
        std::thread::park();
    }
}
