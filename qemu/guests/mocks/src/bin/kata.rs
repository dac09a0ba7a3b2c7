//! Stands for kata-containers' kata-agent as PID 1: `general_mount`, `mount_to_rootfs`, `baremount` and `cgroups_mount` in
//! src/agent/src/mount.rs (commit 0169a3badc47), `init_agent_as_init` in main.rs (8744e490e0bb), the words of the kernel
//! command line in config.rs (5dc3a3b354b0), a sandbox's namespaces in namespace.rs (06d46681324d).
//!
//! The real one runs containers in its own process, with its crate rustjail; this one has crun do it.
#![no_main]

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clients::kata;
use mocks::containers::{Containers, Output};
use mocks::serve::Services;
use mocks::sockets::listen_to_vsock;
use mocks::{GUARDED, Mount, MsFlags, make_directory, run_or_serve, write};
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getpid, gettid, sethostname, setsid};

/// Of vsock.
const PORT: u32 = 1024;

const NO_SUID: MsFlags = MsFlags::MS_NOSUID;
const ROOTFS_MOUNTS: [Mount; 6] = [
    Mount { source: "proc", target: "/proc", fstype: "proc", flags: GUARDED, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: GUARDED, data: "" },
    Mount { source: "dev", target: "/dev", fstype: "devtmpfs", flags: NO_SUID, data: "" },
    Mount { source: "tmpfs", target: "/dev/shm", fstype: "tmpfs", flags: NO_SUID.union(MsFlags::MS_NODEV), data: "" },
    Mount {
        source: "devpts",
        target: "/dev/pts",
        fstype: "devpts",
        flags: NO_SUID.union(MsFlags::MS_NOEXEC),
        data: "",
    },
    Mount { source: "tmpfs", target: "/run", fstype: "tmpfs", flags: NO_SUID.union(MsFlags::MS_NODEV), data: "" },
];

const CGROUP_FLAGS: MsFlags = GUARDED.union(MsFlags::MS_RELATIME);
const UNIFIED: Mount =
    Mount { source: "cgroup2", target: "/sys/fs/cgroup", fstype: "cgroup2", flags: CGROUP_FLAGS, data: "nsdelegate" };
const SEPARATE: Mount =
    Mount { source: "tmpfs", target: "/sys/fs/cgroup", fstype: "tmpfs", flags: GUARDED, data: "mode=755" };

/// The words that choose cgroup v2; without one of them the agent mounts one hierarchy of v1 for each controller. Of the last
/// nothing was read: 4.1.0 was seen to take it.
const UNIFIED_WORDS: [&str; 3] =
    ["systemd.unified_cgroup_hierarchy=1", "systemd.unified_cgroup_hierarchy=true", "cgroup_no_v1=all"];

/// The controllers of v1 that the agent knows, in the order in which /proc/cgroups names them.
const CONTROLLERS: [(&str, &str); 13] = [
    ("cpuset", "/sys/fs/cgroup/cpuset"),
    ("cpu", "/sys/fs/cgroup/cpu"),
    ("cpuacct", "/sys/fs/cgroup/cpuacct"),
    ("blkio", "/sys/fs/cgroup/blkio"),
    ("memory", "/sys/fs/cgroup/memory"),
    ("devices", "/sys/fs/cgroup/devices"),
    ("freezer", "/sys/fs/cgroup/freezer"),
    ("net_cls", "/sys/fs/cgroup/net_cls"),
    ("perf_event", "/sys/fs/cgroup/perf_event"),
    ("net_prio", "/sys/fs/cgroup/net_prio"),
    ("hugetlb", "/sys/fs/cgroup/hugetlb"),
    ("pids", "/sys/fs/cgroup/pids"),
    ("rdma", "/sys/fs/cgroup/rdma"),
];

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run_or_serve("kata", prepare, "crun", serve)
}

fn prepare() -> Result<()> {
    for mount in &ROOTFS_MOUNTS {
        match mount_to_rootfs(mount) {
            // Only this one may fail.
            Err(error) if mount.source == "dev" => println!("kata: {error:#}: going on without"),
            mounted => mounted?,
        }
    }
    mount_cgroups()?;
    fs::remove_file("/dev/ptmx").context("remove /dev/ptmx")?;
    symlink("/dev/pts/ptmx", "/dev/ptmx").context("link /dev/ptmx")?;
    take_terminal()?;
    // SAFETY: no other thread runs yet, so none reads the environment meanwhile.
    unsafe { std::env::set_var("PATH", "/bin:/sbin/:/usr/bin/:/usr/sbin/") };
    if let Err(error) = sethostname("localhost") {
        println!("kata: set the host name: {error}: going on without");
    }
    for (kind, flag) in [("ipc", CloneFlags::CLONE_NEWIPC), ("uts", CloneFlags::CLONE_NEWUTS)] {
        let kept = std::thread::spawn(move || keep_namespace(kind, flag));
        kept.join().map_err(|_| anyhow!("the thread for a namespace panicked"))??;
    }
    Ok(())
}

/// A directory, and a mount unless one of this type is there already.
fn mount_to_rootfs(mount: &Mount) -> Result<()> {
    make_directory(mount.target)?;
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mut words = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let there = words.find(|words| words.get(1) == Some(&mount.target));
    if there.is_some_and(|words| words.get(2) == Some(&mount.fstype)) {
        println!("kata: {} is already mounted on {}", mount.fstype, mount.target);
        return Ok(());
    }
    mount.mount()
}

fn mount_cgroups() -> Result<()> {
    let words = fs::read_to_string("/proc/cmdline").context("read /proc/cmdline")?;
    if words.split_whitespace().any(|word| UNIFIED_WORDS.contains(&word)) {
        return mount_to_rootfs(&UNIFIED);
    }
    mount_to_rootfs(&SEPARATE)?;
    let known = fs::read_to_string("/proc/cgroups").context("read /proc/cgroups")?;
    for (controller, target) in CONTROLLERS {
        // name, hierarchy, number of cgroups, enabled
        let mut rows = known.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        if rows.any(|row| row.first() == Some(&controller) && row.get(3) == Some(&"1")) {
            let mount = Mount { source: "cgroup", target, fstype: "cgroup", flags: CGROUP_FLAGS, data: controller };
            mount_to_rootfs(&mount)?;
        }
    }
    let read_only = MsFlags::MS_REMOUNT.union(MsFlags::MS_RDONLY).union(GUARDED);
    // Of the same type as what is there, so the agent never does this one.
    mount_to_rootfs(&Mount { flags: read_only, ..SEPARATE })?;
    write("/sys/fs/cgroup/memory/memory.use_hierarchy", "1")
}

/// A session with the console as its terminal; without a console there is none to take, which the agent doesn't mind.
fn take_terminal() -> Result<()> {
    setsid().context("setsid")?;
    // SAFETY: the request takes a number, no pointer.
    unsafe { libc::ioctl(0, libc::TIOCSCTTY, 1) };
    Ok(())
}

/// What a pod's containers share outlives the thread that made it, by a bind mount.
fn keep_namespace(kind: &str, flag: CloneFlags) -> Result<()> {
    make_directory("/var/run/sandbox-ns")?;
    let kept = format!("/var/run/sandbox-ns/{kind}");
    write(&kept, "")?;
    unshare(flag).with_context(|| format!("unshare {kind}"))?;
    let own = format!("/proc/{}/task/{}/ns/{kind}", getpid(), gettid());
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    nix::mount::mount(Some(own.as_str()), kept.as_str(), Some("none"), flags, Some(""))
        .with_context(|| format!("bind {own} on {kept}"))
}

/// At the real one's port, until DestroySandbox.
fn serve(containers: Containers) -> Result<()> {
    let all = Arc::new(containers);
    let mut services = Services::default();
    let (destroyed, is_destroyed) = channel();
    services.add(kata::SERVICE, "CreateSandbox", |_: kata::CreateSandbox| Ok(kata::Empty {}));
    let containers = Arc::clone(&all);
    services.add(kata::SERVICE, "CreateContainer", move |create: kata::CreateContainer| {
        let bundle = format!("/run/kata-containers/{}", create.container_id);
        make_directory(&bundle)?;
        let spec = create.oci.context("CreateContainer has no OCI")?;
        write(&format!("{bundle}/config.json"), &serde_json::to_string(&spec).context("write the OCI as JSON")?)?;
        containers.create(&create.container_id, &bundle).map(|()| kata::Empty {})
    });
    let containers = Arc::clone(&all);
    services.add(kata::SERVICE, "StartContainer", move |container: kata::Container| {
        containers.start(&container.container_id, Output::Kept).map(|()| kata::Empty {})
    });
    let containers = Arc::clone(&all);
    services.add(kata::SERVICE, "ReadStdout", move |read: kata::ReadStream| {
        let data = containers.read(&read.container_id, read.len as usize)?;
        ensure!(!data.is_empty(), "read stdout: the end");
        Ok(kata::Part { data })
    });
    let containers = Arc::clone(&all);
    services.add(kata::SERVICE, "WaitProcess", move |process: kata::WaitProcess| {
        Ok(kata::Waited { status: containers.wait(&process.container_id)?.cast_signed() })
    });
    services.add(kata::SERVICE, "RemoveContainer", move |container: kata::Container| {
        all.delete(&container.container_id).map(|_| kata::Empty {})
    });
    let destroyed = Mutex::new(destroyed);
    services.add(kata::SERVICE, "DestroySandbox", move |_: kata::Empty| {
        let told = destroyed.lock().map(|destroyed| destroyed.send(()));
        told.map_err(|_| anyhow!("another thread panicked"))?.context("the server has ended")?;
        Ok(kata::Empty {})
    });
    let _server = services.listen(listen_to_vsock(PORT)?)?;
    println!("kata: ttRPC server started");
    is_destroyed.recv().context("wait for the sandbox's end")?;
    // For the answer to leave.
    sleep(Duration::from_millis(200));
    Ok(())
}
