//! Stands for containerd/nerdbox's vminitd, commit 060041f5f6a3 and, for what came later, a7d4e6f5c62c and 55d1ce4e935a:
//! `systemInit`, `systemMounts` and `setupCgroupControl` in pkg/vminit/initd/initd.go, `mountContainersFS` in
//! containers_mount_linux.go beside it, `SetupVM` in internal/vminit/vmnetworking, `Create` in
//! internal/vminit/podnetns with `NewNamed` of vishvananda/netns.
#![no_main]

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clients::task::{self, Bundle, CreateBundle};
use mocks::containers::Containers;
use mocks::serve::Services;
use mocks::sockets::call_host;
use mocks::{GUARDED, Mount, MsFlags, make_directory, run_or_serve, write};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getpid, gettid};

/// It makes no mount point for these, and does not mount /dev.
const MOUNTS: [Mount; 6] = [
    Mount { source: "proc", target: "/proc", fstype: "proc", flags: GUARDED, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: GUARDED, data: "" },
    Mount { source: "none", target: "/sys/fs/cgroup", fstype: "cgroup2", flags: MsFlags::empty(), data: "" },
    Mount { source: "tmpfs", target: "/run", fstype: "tmpfs", flags: GUARDED, data: "" },
    Mount { source: "tmpfs", target: "/tmp", fstype: "tmpfs", flags: GUARDED, data: "" },
    Mount { source: "tmpfs", target: "/etc", fstype: "tmpfs", flags: GUARDED, data: "mode=755" },
];

/// The share that a shim brings along for sandboxes of several containers; the agent goes on without it.
const CONTAINERS: Mount =
    Mount { source: "containers", target: "/run/containers", fstype: "virtiofs", flags: MsFlags::empty(), data: "" };

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run_or_serve("nerdbox", prepare, "crun", serve)
}

fn prepare() -> Result<()> {
    MOUNTS.iter().try_for_each(Mount::mount)?;
    if let Err(error) = CONTAINERS.mount_with_directory() {
        println!("nerdbox: {error:#}: going on without");
    }
    write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu +cpuset +io +memory +pids")?;
    write("/etc/resolv.conf", "")?;
    write("/etc/hosts", "127.0.0.1\tlocalhost\n")?;
    std::thread::spawn(make_pod_network).join().map_err(|_| anyhow!("the thread for the pod's network panicked"))?
}

/// A network namespace that a bind mount keeps; made on a thread of its own, so that the agent stays where it is.
fn make_pod_network() -> Result<()> {
    make_directory("/run/netns")?;
    unshare(CloneFlags::CLONE_NEWNET).context("unshare the network")?;
    let kept = "/run/netns/pod";
    let made = File::options().write(true).create_new(true).mode(0o444).open(kept);
    made.with_context(|| format!("make {kept}"))?;
    let own = format!("/proc/{}/task/{}/ns/net", getpid(), gettid());
    let none = None::<&str>;
    nix::mount::mount(Some(own.as_str()), kept, none, MsFlags::MS_BIND, none)
        .with_context(|| format!("bind {own} on {kept}"))
}

/// Calls the host at the port that it is told by its words, and ends when the host hangs up: a second call it doesn't make.
fn serve(containers: Containers) -> Result<()> {
    let port = std::env::args().find_map(|word| word.strip_prefix("-vsock-rpc-port=")?.parse().ok());
    let stream = call_host(port.context("find -vsock-rpc-port=PORT among the words")?)?;
    let mut services = Services::default();
    services.add(task::BUNDLE_SERVICE, "Create", |create: CreateBundle| {
        let bundle = format!("/run/bundles/{}", create.id);
        make_directory(&bundle)?;
        create.files.iter().try_for_each(|(name, content)| {
            std::fs::write(format!("{bundle}/{name}"), content).with_context(|| format!("write {bundle}/{name}"))
        })?;
        Ok(Bundle { bundle })
    });
    services.add_task(task::SERVICE, &Arc::new(containers), |_| Ok(()));
    services.serve(stream)
}
