//! What `try` says where it can't try, and of what it saw fail.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::{ground, texts, tried};
use crate::pack::Ground;

/// ENOENT of a program that is there tells nobody what is missing: `check` does.
#[test]
fn show_what_check_finds() -> Result<()> {
    let ground = Ground::new()?;
    ground.file("tree/sbin/agent", fs::read("/bin/true")?, 0o755)?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:3: exec /sbin/agent: ENOENT (2)\n"), "{said}");
    let (_, found) = said.split_once("what `check` finds:\n").with_context(|| said.clone())?;
    let expected = "  p:3:6: /sbin/agent needs what is not in the initramfs: /lib64/ld-linux-x86-64.so.2, libc.so.6";
    assert!(found.starts_with(expected), "{said}");
    // One that starts, and then could not go on.
    ground.file("tree/lib64/ld-linux-x86-64.so.2", fs::read("/lib64/ld-linux-x86-64.so.2")?, 0o755)?;
    ground.plan("root\nbind /lib64\nbind /sbin/agent\nexec /sbin/agent\n")?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("  p:4:6: /sbin/agent needs what is not in the initramfs: libc.so.6"), "{said}");
    // Where there is nothing to find there is no word of it.
    ground.file("tree/sbin/agent", fs::read(ground.path("agent"))?, 0o755)?;
    assert!(!tried(&ground, "--root tree --plan p")?.1.contains("check` finds"));
    Ok(())
}

#[test]
fn name_a_root_that_is_no_initramfs() -> Result<()> {
    let ground = ground("root\nexec /a\n")?;
    let whose = "with files that are the kernel's: name a directory that holds what an initramfs would\n";
    for (root, reason) in [
        ("/", "/ is this machine's own root, "),
        ("tree/..//../../../../../../..", "tree/..//../../../../../../.. is this machine's own root, "),
        ("/proc", "cannot pack /proc: proc is mounted there, "),
    ] {
        let (code, said, errors) = tried(&ground, &format!("--plan p --root {root}"))?;
        assert_eq!((code, said.as_str(), errors), (Some(1), "", format!("vm: {reason}{whose}")), "{root}");
    }
    Ok(())
}

/// One of two words is needed, and the help says so.
#[test]
fn tell_what_is_to_be_tried() -> Result<()> {
    let ground = ground("root\nexec /a\n")?;
    let usage = "\n  <--root <DIR>|--initramfs <FILE>>\n";
    let (code, _, errors) = tried(&ground, "--plan p")?;
    assert!(code == Some(2) && errors.contains(usage), "{errors}");
    let (code, said, _) = tried(&ground, "--help")?;
    let usage = "Usage: cargo vm try [OPTIONS] <--root <DIR>|--initramfs <FILE>>";
    assert!(code == Some(0) && said.contains(usage), "{said}");
    let (code, _, errors) = tried(&ground, "--plan p --root tree --initramfs p")?;
    assert!(code == Some(2) && errors.contains("cannot be used with"), "{errors}");
    Ok(())
}

/// Directories of this machine that a program needs, bound into the chroot in mounts of its own.
const CHROOT: &str =
    "cd \"$1\" && mkdir usr proc dev tmp && for name in bin lib lib64; do ln -s usr/$name $name; done &&
    for name in usr proc dev; do mount --rbind /$name $name; done &&
    exec chroot . /vm try --init /init --root /tree --plan /p";

#[test]
fn give_the_reason_in_a_chroot() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: chroot(2) needs root");
        return Ok(());
    }
    vm::apt::ensure_programs(&["unshare"])?;
    let ground = ground("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    fs::copy(env!("CARGO_BIN_EXE_vm"), ground.path("vm"))?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", CHROOT, "sh"]).arg(ground.path(""));
    let (code, said, errors) = texts(command.output()?)?;
    let expected = "vm: cannot make a user namespace: Operation not permitted (os error 1): this is a chroot, in which \
                    the kernel lets nobody make one, not even root: run it outside, or enter the tree by \
                    systemd-nspawn, bwrap or another program that takes pivot_root(2) instead of chroot(2)\n";
    assert_eq!((code, said.as_str(), errors.as_str()), (Some(1), "", expected));
    Ok(())
}
