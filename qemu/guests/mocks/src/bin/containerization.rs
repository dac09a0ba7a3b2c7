//! Stands for vminitd of Apple's containerization (apple/containerization at b9c65e59b284): `mountProc` in
//! vminitd/Sources/vminitd/Application.swift, `bootstrap` in vminitd/Sources/VminitdCore/AgentCommand.swift, the cgroup in
//! vminitd/Sources/Cgroup/Cgroup2Manager.swift, `Binfmt.mount` in Sources/ContainerizationOS/Linux/Binfmt.swift.
//!
//! The real one runs containers by its own program, /sbin/vmexec; this one has crun do it.
#![no_main]

use anyhow::{Context, Result};
use mocks::sockets::listen_to_vsock;
use mocks::{Mount, MsFlags, make_directory, read, run, write};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::getpid;

const NONE: MsFlags = MsFlags::empty();
const PROC: Mount = Mount { source: "proc", target: "/proc", fstype: "proc", flags: NONE, data: "" };
const MOUNTS: [Mount; 3] = [
    Mount { source: "tmpfs", target: "/run", fstype: "tmpfs", flags: NONE, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: NONE, data: "" },
    Mount { source: "none", target: "/sys/fs/cgroup", fstype: "cgroup2", flags: NONE, data: "" },
];
/// Its mount point comes with the filesystem; nobody could make it.
const FORMATS: Mount =
    Mount { source: "binfmt_misc", target: "/proc/sys/fs/binfmt_misc", fstype: "binfmt_misc", flags: NONE, data: "" };

/// Of those that are there it enables these.
const CONTROLLERS: [&str; 6] = ["pids", "memory", "cpuset", "cpu", "io", "hugetlb"];
const CGROUP: &str = "/sys/fs/cgroup/vminitd";
const MIB: u64 = 1 << 20;

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    run("containerization", prepare, "/sbin/crun")
}

fn prepare() -> Result<()> {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    if !mounts.lines().any(|line| line.split(' ').nth(1) == Some("/proc")) {
        PROC.mount_with_directory()?;
    }
    let most = read("/proc/sys/fs/nr_open")?.trim().parse().context("a number in /proc/sys/fs/nr_open")?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("set the limit of open files")?;
    // SAFETY: no handler is installed.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigIgn) }.context("ignore SIGPIPE")?;
    MOUNTS.iter().try_for_each(Mount::mount_with_directory)?;
    FORMATS.mount()?;
    enter_cgroup()?;
    let watch = Inotify::init(InitFlags::empty()).context("inotify")?;
    let events = format!("{CGROUP}/memory.events");
    watch.add_watch(events.as_str(), AddWatchFlags::IN_MODIFY).with_context(|| format!("watch {events}"))?;
    let listener = listen_to_vsock(1024)?;
    // They stay open as long as the agent runs.
    std::mem::forget((watch, listener));
    Ok(())
}

/// A cgroup of the agent's own, with a share of the memory.
fn enter_cgroup() -> Result<()> {
    make_directory(CGROUP)?;
    let there = read("/sys/fs/cgroup/cgroup.controllers")?;
    let enabled = there.split_whitespace().filter(|name| CONTROLLERS.contains(name)).map(|name| format!("+{name}"));
    let enabled: Vec<String> = enabled.collect();
    if !enabled.is_empty() {
        write("/sys/fs/cgroup/cgroup.subtree_control", &enabled.join(" "))?;
    }
    write(&format!("{CGROUP}/memory.high"), &(80 * MIB).to_string())?;
    write(&format!("{CGROUP}/memory.low"), &(50 * MIB).to_string())?;
    write(&format!("{CGROUP}/cgroup.procs"), &getpid().to_string())
}
