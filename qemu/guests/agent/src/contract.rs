//! moveroot's promises to its service, checked from inside. Each broken one becomes a line.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::{Report, recorder};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{chdir, chroot, fchdir};

/// tmpfs, as statfs(2) calls it.
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// What lies in an initramfs and may not be seen from the new root.
const INITRAMFS_ONLY: [&str; 2] = ["/init", "/boot.plan"];

/// All promises, broken ones named.
pub fn problems(report: &Report) -> Vec<String> {
    let mut found = given(report);
    found.extend(reachable());
    if recorder::process().is_none() {
        found.extend(processes());
    }
    found
}

/// What the process itself was given.
fn given(report: &Report) -> Vec<String> {
    let open: Vec<i32> = report.descriptors.iter().map(|open| open.number).collect();
    let signals = &report.signals;
    let promises = [
        (report.pid == 1, format!("pid is {}", report.pid)),
        (report.cwd == "/", format!("the working directory is {}", report.cwd)),
        (report.root.magic == TMPFS_MAGIC, format!("/ is of type {:#x}", report.root.magic)),
        (open == [0, 1, 2], format!("open descriptors are {open:?}")),
        (report.umask == 0o022, format!("umask is {:03o}", report.umask)),
        (signals.blocked == 0, format!("blocked signals are {:#x}", signals.blocked)),
        (signals.ignored == 0, format!("ignored signals are {:#x}", signals.ignored)),
        (signals.caught == 0, format!("caught signals are {:#x}", signals.caught)),
        (!report.argv.is_empty(), "argv is empty".to_string()),
    ];
    promises.into_iter().filter(|(kept, _)| !kept).map(|(_, problem)| problem).collect()
}

/// Ways by which the initramfs could still be reached.
fn reachable() -> Vec<String> {
    let mut found = Vec::new();
    for path in INITRAMFS_ONLY {
        if Path::new(path).symlink_metadata().is_ok() {
            found.push(format!("{path} of the initramfs is still there"));
        }
    }
    for path in ["/..", ".", "..", "/proc/2/root", "/proc/1/root", "/proc/1/cwd"] {
        // A path that isn't there (no proc, no kernel threads in this namespace) leads nowhere else.
        if identity(path).is_some_and(|there| Some(there) != identity("/")) {
            found.push(format!("{path} is not /"));
        }
    }
    match escape() {
        Ok(true) => found.push("a root that was only changed, not moved, can be left".to_string()),
        // Who may not change its root cannot leave it either.
        Ok(false) | Err(Errno::EPERM) => {}
        Err(errno) => found.push(format!("cannot try to leave the root: {errno}")),
    }
    found
}

/// Whether `..` leads out of the root once it is no longer the root of this process, as out of one that chroot(2) alone has
/// made: chroot(2), NOTES. Returns to where it was.
fn escape() -> Result<bool, Errno> {
    let root = open("/", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let before = identity(".");
    let directory = std::fs::read_dir("/").ok().into_iter().flatten().flatten().find(|entry| entry.path().is_dir());
    chroot(&directory.ok_or(Errno::ENOENT)?.path())?;
    let mut depth = 0;
    while depth < 8 && chdir("..").is_ok() {
        depth += 1;
    }
    let after = identity(".");
    fchdir(&root)?;
    chroot(".")?;
    Ok(before != after)
}

/// Which file it is: device and inode.
fn identity(path: &str) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Nobody else is there but kernel threads, and no child is left to reap.
fn processes() -> Vec<String> {
    let mut found = Vec::new();
    if waitpid(None, Some(WaitPidFlag::WNOHANG)) != Err(Errno::ECHILD) {
        found.push("there is a child process already".to_string());
    }
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return found;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.parse::<u32>().is_ok_and(|pid| pid != 1) && !is_kernel_thread(&name) {
            found.push(format!("process {name} is there"));
        }
    }
    found
}

/// Kernel threads are kthreadd (2) and its children; one that just ended is none either.
fn is_kernel_thread(pid: &str) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // `pid (name) state ppid …`; the name may hold blanks and brackets.
    let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
    pid == "2" || parent == Some("2")
}
