//! Stands for kuasar's vmm-task (kuasar-io/kuasar at 6a74f374f307): `init_vm_rootfs`, `late_init_call` and
//! `create_ttrpc_server` in vmm/task/src/main.rs, `get_cgroup_mounts` in mount.rs, the kernel command line in config.rs,
//! `DeviceMonitor` in device.rs, the choice of pivot_root in container.rs.
#![no_main]

use std::path::Path;

use anyhow::Result;
use mocks::sockets::{bound, bring_loopback_up, listen_to_vsock};
use mocks::{GUARDED, Mount, MsFlags, make_directory, read, run, write};
use nix::sys::socket::{AddressFamily, NetlinkAddr, SockProtocol};

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

const CGROUPS: Mount =
    Mount { source: "tmpfs", target: "/sys/fs/cgroup", fstype: "tmpfs", flags: GUARDED, data: "mode=755" };
const CGROUP_FLAGS: MsFlags = GUARDED.union(MsFlags::MS_RELATIME);

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

/// Set where they are there.
const SYSCTLS: [&str; 3] = [
    "/sys/fs/cgroup/memory/memory.use_hierarchy",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/vs/expire_nodest_conn",
];

const STATE: &str = "/run/kuasar/state";
const NINE_P: Mount = Mount {
    source: "kuasar",
    target: STATE,
    fstype: "9p",
    flags: MsFlags::MS_NODEV,
    data: "trans=virtio,version=9p2000.L",
};
const VIRTIOFS: Mount = Mount {
    source: "kuasar",
    target: STATE,
    fstype: "virtiofs",
    flags: MsFlags::MS_RELATIME.union(MsFlags::MS_NODEV).union(MsFlags::MS_SYNCHRONOUS).union(MsFlags::MS_DIRSYNC),
    data: "",
};

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run("kuasar", prepare, "runc")
}

fn prepare() -> Result<()> {
    for (name, value) in [("PATH", "/bin:/sbin/:/usr/bin/:/usr/sbin/"), ("XDG_RUNTIME_DIR", "/run")] {
        // SAFETY: no other thread runs yet, so none reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
    ROOTFS_MOUNTS.iter().try_for_each(mount)?;
    mount_cgroups()?;
    for path in SYSCTLS.iter().filter(|path| Path::new(path).exists()) {
        write(path, "1")?;
    }
    mount_share()?;
    let resolv = format!("{STATE}/resolv.conf");
    if Path::new(&resolv).exists() {
        let none = None::<&str>;
        nix::mount::mount(Some(resolv.as_str()), "/etc/resolv.conf", Some("bind"), MsFlags::MS_BIND, none)?;
    }
    // For disks that come later.
    let uevents = bound(AddressFamily::Netlink, SockProtocol::NetlinkKObjectUEvent, &NetlinkAddr::new(0, 1))?;
    // The agent does it by rtnetlink.
    bring_loopback_up()?;
    let listener = listen_to_vsock(1024)?;
    tell_pivot()?;
    // They stay open as long as the agent runs.
    std::mem::forget((uevents, listener));
    Ok(())
}

/// Makes the mount point; one that is taken already is fine.
fn mount(mount: &Mount) -> Result<()> {
    make_directory(mount.target)?;
    mount.mount_unless_busy()
}

/// Always those of v1. Without the controller of devices it mounts none.
fn mount_cgroups() -> Result<()> {
    let known = read("/proc/cgroups")?;
    // name, hierarchy, number of cgroups, enabled
    let rows: Vec<Vec<&str>> = known.lines().map(|line| line.split('\t').collect()).collect();
    let is_enabled = |name| rows.iter().any(|row| row.first() == Some(&name) && row.get(3) == Some(&"1"));
    if !is_enabled("devices") {
        println!("kuasar: no controller of devices: going on without cgroups");
        return Ok(());
    }
    mount(&CGROUPS)?;
    for (controller, target) in CONTROLLERS.into_iter().filter(|(name, _)| is_enabled(name)) {
        mount(&Mount { source: "cgroup", target, fstype: "cgroup", flags: CGROUP_FLAGS, data: controller })?;
    }
    let read_only = MsFlags::MS_REMOUNT.union(MsFlags::MS_RDONLY).union(GUARDED);
    mount(&Mount { flags: read_only, ..CGROUPS })
}

/// The directory that the host shares; 9p if the kernel's command line names no other kind, and none for a kind it does not know.
fn mount_share() -> Result<()> {
    let words = read("/proc/cmdline")?;
    let kind = words.split_whitespace().filter_map(|word| word.strip_prefix("task.sharefs_type=")).next_back();
    match kind {
        None | Some("9p") => mount(&NINE_P),
        Some("virtiofs") => mount(&VIRTIOFS),
        Some(other) => {
            println!("kuasar: {other} is no kind of share: going on without");
            Ok(())
        }
    }
}

/// It tells the runtime to do without pivot_root where / is of type rootfs.
fn tell_pivot() -> Result<()> {
    let mounts = read("/proc/mounts")?;
    let mut words = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let root = words.find(|words| words.get(1) == Some(&"/")).and_then(|words| words.get(2).copied());
    println!("kuasar: / is of type {}", root.unwrap_or("none"));
    Ok(())
}
