//! Stands for NVIDIA's NVRC (NVIDIA/nvrc at b24fc9c441b0) in a guest without a GPU: `main` in src/main.rs, `setup` in mount.rs,
//! `loopback_up` in net.rs, `kernlog_setup` in kmsg.rs, /dev/log in syslog.rs, `mount_all` in guest_extension_image.rs,
//! `disable_modules_loading` and what becomes of a failure in lockdown.rs, `fork_agent` in kata_agent.rs.
//!
//! It ends by becoming /usr/bin/kata-agent, of which there is a mock too.
#![no_main]

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use agent::{contract, facts};
use anyhow::{Context, Result, ensure};
use mocks::sockets::bring_loopback_up;
use mocks::{CHECKED, GUARDED, Mount, MsFlags, read, write};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{ForkResult, fork, sync};

const FLAGS: MsFlags = GUARDED.union(MsFlags::MS_RELATIME);
/// It makes no mount point, and does not mount /dev.
const MOUNTS: [Mount; 4] = [
    Mount { source: "proc", target: "/proc", fstype: "proc", flags: FLAGS, data: "" },
    Mount { source: "sysfs", target: "/sys", fstype: "sysfs", flags: FLAGS, data: "" },
    Mount { source: "run", target: "/run", fstype: "tmpfs", flags: FLAGS, data: "mode=0755" },
    Mount { source: "tmpfs", target: "/tmp", fstype: "tmpfs", flags: FLAGS.difference(MsFlags::MS_NOEXEC), data: "" },
];
/// Where the kernel has the filesystem and the directory.
const OPTIONAL: [Mount; 2] = [
    Mount { source: "securityfs", target: "/sys/kernel/security", fstype: "securityfs", flags: FLAGS, data: "" },
    Mount { source: "configfs", target: "/sys/kernel/config", fstype: "configfs", flags: FLAGS, data: "" },
];
const BUFFERS: [&str; 4] = ["rmem_default", "wmem_default", "rmem_max", "wmem_max"];
const AGENT: &str = "/usr/bin/kata-agent";

#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let report = facts::collect();
    if report.pid != 1 {
        println!("nvrc: not PID 1: nothing is done");
        return 0;
    }
    let problems = contract::problems(&report);
    if !problems.is_empty() {
        println!("nvrc: not as promised: {}", problems.join("; "));
        return 1;
    }
    let Err(error) = prepare().and_then(|socket| become_agent(&socket));
    println!("nvrc: {error:#}");
    if let Ok(mut log) = std::fs::File::options().write(true).open("/dev/kmsg") {
        writeln!(log, "nvrc: {error:#}").ok();
    }
    sync();
    let Err(errno) = reboot(RebootMode::RB_POWER_OFF);
    println!("nvrc: power off: {errno}");
    1
}

fn prepare() -> Result<UnixDatagram> {
    MOUNTS.iter().try_for_each(Mount::mount)?;
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    for mount in &OPTIONAL {
        let is_known = known.lines().any(|line| line.split_whitespace().next_back() == Some(mount.fstype));
        if is_known && Path::new(mount.target).exists() {
            mount.mount()?;
        }
    }
    bring_loopback_up()?;
    for name in BUFFERS {
        write(&format!("/proc/sys/net/core/{name}"), "16777216")?;
    }
    let socket = UnixDatagram::bind("/dev/log").context("bind /dev/log")?;
    let words = read("/proc/cmdline")?;
    std::fs::read("/proc/self/exe").context("read /proc/self/exe")?;
    // A disk with files for GPUs, of which this guest has none.
    ensure!(!words.contains("kata.extension."), "an extension is named and there is no disk for it");
    write("/proc/sys/kernel/modules_disabled", "1\n")?;
    Ok(socket)
}

/// A child keeps what is logged; the agent itself becomes kata-agent, still PID 1.
fn become_agent(log: &UnixDatagram) -> Result<std::convert::Infallible> {
    // SAFETY: there is one thread.
    if let ForkResult::Child = unsafe { fork() }.context("fork")? {
        let mut message = [0; 4096];
        while log.recv(&mut message).is_ok() {}
        std::process::exit(0);
    }
    let files = 1 << 20;
    setrlimit(Resource::RLIMIT_NOFILE, files, files).context("set the limit of open files")?;
    write("/proc/self/oom_score_adj", "-997")?;
    Err(Command::new(AGENT).env(CHECKED, "1").exec()).with_context(|| format!("exec {AGENT}"))
}
