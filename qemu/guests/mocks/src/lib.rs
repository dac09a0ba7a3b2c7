//! Mocks of agents that people run in microVMs. Each asks the kernel for the mounts, directories, links and cgroups
//! that the real agent asks for, in its order, and fails where that one fails; then it runs the bundle's container as
//! the demo agent does. So a boot plan is tried against an agent's needs without the agent's own build.
//!
//! With the word `mock_serves=1` on the kernel's command line those of nerdbox, kata and firecracker-containerd serve
//! instead: they answer the calls that run a container, at the real agent's port.
//!
//! What isn't done: the agents' network.

pub mod containers;
pub mod serve;
pub mod sockets;

use std::path::Path;
use std::process::exit;

use agent::{Report, container, contract, ending, facts};
use anyhow::{Context, Result};
use containers::Containers;
use nix::errno::Errno;
pub use nix::mount::MsFlags;

/// A mount as an agent asks for it.
pub struct Mount {
    pub source: &'static str,
    pub target: &'static str,
    pub fstype: &'static str,
    pub flags: MsFlags,
    /// What the filesystem itself is told.
    pub data: &'static str,
}

/// No setuid programs, no devices, no programs: what agents give pseudo-filesystems.
pub const GUARDED: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

impl Mount {
    /// mount(2) onto a mount point that is there.
    pub fn mount(&self) -> Result<()> {
        let mounted = nix::mount::mount(Some(self.source), self.target, Some(self.fstype), self.flags, Some(self.data));
        mounted.with_context(|| format!("mount {} on {}", self.fstype, self.target))
    }

    /// The same; something that is mounted there already is fine.
    pub fn mount_unless_busy(&self) -> Result<()> {
        self.mount().or_else(|error| match error.downcast_ref() {
            Some(Errno::EBUSY) => Ok(()),
            _ => Err(error),
        })
    }

    /// The same, with the mount point and its parents made first.
    pub fn mount_with_directory(&self) -> Result<()> {
        make_directory(self.target)?;
        self.mount()
    }
}

/// Makes a directory and its parents; those that are there are fine.
pub fn make_directory(path: &str) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("make the directory {path}"))
}

/// Makes the file if it isn't there.
pub fn write(path: &str, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("write {path}"))
}

pub fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {path}"))
}

/// The variable that says that another mock ran before and has checked moveroot's promises.
pub const CHECKED: &str = "mock_checked";

/// The variable that says that the mock is to serve its agent's calls.
pub const SERVES: &str = "mock_serves";

/// The whole life of a mock agent that can serve: as [`run`], or its preparations and then its calls, up to the machine's end.
pub fn run_or_serve(
    name: &str,
    prepare: fn() -> Result<()>,
    runtime: &str,
    serve: fn(Containers) -> Result<()>,
) -> i32 {
    if std::env::var_os(SERVES).is_none() {
        return run(name, prepare, runtime);
    }
    let served = prepare().and_then(|()| serve(Containers::with(found_on_path(runtime)?)));
    match served {
        Ok(()) => ending::end(0),
        Err(error) => {
            println!("{name}: {error:#}");
            exit(1)
        }
    }
}

/// The whole life of a mock agent: moveroot's promises, the agent's own preparations, the container. Preparations that
/// fail end it with 1, and as it is PID 1 the kernel panics, which is what becomes of the agents too.
pub fn run(name: &str, prepare: fn() -> Result<()>, runtime: &str) -> i32 {
    let mut report = facts::collect();
    if std::env::var_os(CHECKED).is_none() {
        report.problems = contract::problems(&report);
    }
    let ran = prepare().and_then(|()| run_container(&mut report, runtime));
    match ran {
        Ok(()) => ending::end(report.verdict()),
        Err(error) => {
            println!("{name}: {error:#}");
            exit(1)
        }
    }
}

fn run_container(report: &mut Report, runtime: &str) -> Result<()> {
    report.mountinfo = std::fs::read_to_string("/proc/self/mountinfo").ok();
    container::run_bundle(report, &found_on_path(runtime)?)?;
    report.subtree_control = std::fs::read_to_string("/sys/fs/cgroup/cgroup.subtree_control").ok();
    report.say(None)
}

/// Where a program of this name lies, as exec(3) finds it.
fn found_on_path(name: &str) -> Result<String> {
    if name.contains('/') {
        return Ok(name.to_string());
    }
    let directories = std::env::var("PATH").with_context(|| format!("find {name}: there is no PATH"))?;
    let mut files = directories.split(':').map(|directory| format!("{}/{name}", directory.trim_end_matches('/')));
    files.find(|file| Path::new(file).is_file()).with_context(|| format!("find {name} in PATH={directories}"))
}
