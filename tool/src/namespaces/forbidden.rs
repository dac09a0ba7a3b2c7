//! Why the kernel refuses a user namespace, and what to do: user_namespaces(7), ERRORS of unshare(2).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::process::geteuid;

/// Debian's and Ubuntu's kernels have these switches, 0 and 1 where ordinary users may make none.
const SWITCHES: [(&str, &str); 2] =
    [("kernel/unprivileged_userns_clone", "0"), ("kernel/apparmor_restrict_unprivileged_userns", "1")];

/// For a call that failed with this error.
pub fn reason(error: &io::Error) -> String {
    let (is_root, is_refused) = (geteuid().is_root(), error.raw_os_error() == Some(libc::EPERM));
    if error.raw_os_error() == Some(libc::ENOSPC) {
        return "the limit in /proc/sys/user/max_user_namespaces is reached, or 0".into();
    }
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else {
        return "there is no /proc here to tell why; in a chroot the kernel lets nobody make one".into();
    };
    if is_refused && is_chroot(&mounts) {
        return "this is a chroot, in which the kernel lets nobody make one, not even root: run it outside, or enter \
                the tree by systemd-nspawn, bwrap or another program that takes pivot_root(2) instead of chroot(2)"
            .into();
    }
    let switch = SWITCHES.iter().find(|(name, off)| {
        let value = fs::read_to_string(format!("/proc/sys/{name}"));
        !is_root && value.is_ok_and(|value| value.trim() == *off)
    });
    match switch {
        Some((name, off)) => format!(
            "this machine forbids them to ordinary users, by {off} in /proc/sys/{name}; as root, by sudo, this does \
             the same"
        ),
        None if !is_root => "this machine forbids them to ordinary users; as root, by sudo, this does the same".into(),
        None => "this machine forbids them: a container's seccomp profile does, such as Docker's own, or a security \
                 module; so does a chroot on a mount point"
            .into(),
    }
}

/// Whether the root directory is not that of the mount namespace: current_chrooted in fs/namespace.c. It is no mount, or
/// another one than that of process 1 in the same namespace.
fn is_chroot(mounts: &str) -> bool {
    let root = |path: &str| fs::metadata(path).map(|root| (root.dev(), root.ino())).ok();
    let space = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let is_same_space = space("1").is_some() && space("1") == space("self");
    let is_other =
        is_same_space && matches!((root("/proc/1/root"), root("/")), (Some(first), Some(own)) if first != own);
    let is_mount = |line: &str| line.split(' ').nth(4) == Some("/");
    is_other || !mounts.lines().any(is_mount)
}
