//! What is refused, each with its message: the plan, its line and column, the file, the reason.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;

use super::Ground;

const AGENT: &str = "--file /sbin/agent=agent";

/// What else there is to pack.
fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    let mut foreign = fs::read(ground.path("agent"))?;
    // e_machine: 183 is EM_AARCH64.
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    ground.file("foreign", foreign, 0o755)?.file("plain", "plain text", 0o755)?.file("empty", "", 0o755)?;
    ground.file("closed", fs::read(ground.path("agent"))?, 0o644)?.file("page", "<html>404", 0o755)?;
    ground.file("script", "#!/bin/sh\nexit\n", 0o755)?.file("big", vec![1; 300_000], 0o644)?;
    ground.file("directory/a", "a", 0o644)?.file("directory/b", "b", 0o644)?;
    fs::copy("/bin/ls", ground.path("dynamic"))?;
    symlink("loop", ground.path("loop"))?;
    Ok(ground)
}

/// The steps between `root` and `exec /sbin/agent`, the files, the message behind `p:`.
const PLANS: [(&str, &str, &str); 23] = [
    ("copy /sbin/crun\nbind /sbin/agent", AGENT, "2:6: copy /sbin/crun: not in the initramfs"),
    (
        "copy /sbin/crun\nbind /sbin/agent",
        "--file /sbin/agent=agent --file /usr/bin/crun=agent",
        "2:6: copy /sbin/crun: not in the initramfs; there is /usr/bin/crun",
    ),
    ("bind /bundle\nbind /sbin/agent", AGENT, "2:6: bind /bundle: not in the initramfs"),
    (
        "dir /sbin",
        AGENT,
        "3:6: exec /sbin/agent: not in the new root: it is in the initramfs; carry it by `bind /sbin/agent`",
    ),
    ("dir /sbin", "", "3:6: exec /sbin/agent: not in the new root, nor in the initramfs"),
    (
        "bind /sbin/agent",
        "--file /sbin/agent=foreign",
        "3:6: /sbin/agent is for another architecture: aarch64, and init for x86-64",
    ),
    (
        "bind /sbin\nbind /usr/bin/crun",
        "--file /sbin/agent=agent --file /usr/bin/crun=foreign",
        "3:6: /usr/bin/crun is for another architecture: aarch64, and init for x86-64",
    ),
    (
        "bind /sbin/agent",
        "--file /sbin/agent=plain",
        "3:6: /sbin/agent is no executable: it is neither ELF nor a script",
    ),
    ("bind /sbin/agent", "--file /sbin/agent=empty", "3:6: /sbin/agent is no executable: it is empty"),
    ("bind /sbin/agent", "--file /sbin/agent=closed", "3:6: /sbin/agent is no executable: its mode is 0644"),
    (
        "bind /sbin/agent\nbind /bin/crun",
        "--file /sbin/agent=agent --file /bin/crun=page",
        "3:6: /bin/crun is no executable: it is HTML or XML",
    ),
    (
        "bind /sbin/agent",
        "--file /sbin/agent=script",
        "3:6: /sbin/agent is a script whose interpreter /bin/sh is missing",
    ),
    (
        "bind /sbin/agent",
        "--file /sbin/agent=script --file /bin/sh=agent",
        "3:6: /sbin/agent is a script whose interpreter /bin/sh is not in the new root: carry it by `bind /bin/sh`",
    ),
    (
        "bind /sbin/agent\ncopy /big",
        "--file /sbin/agent=agent --file /big=big",
        "3:6: copy /big: with it 303104 bytes are carried into /, whose size= lets in 262144",
    ),
    (
        "bind /sbin/agent\nmount t /run tmpfs size=4k\ncopy /big /run/big",
        "--file /sbin/agent=agent --file /big=big",
        "4:6: copy /big: with it 303104 bytes are carried into /run, whose size= lets in 4096",
    ),
    (
        "bind /sbin/agent\ncopy /directory",
        "--file /sbin/agent=agent --file /directory=directory",
        "3:6: copy /directory: a directory, no file: bind takes directories, copy doesn't",
    ),
    (
        "bind /sbin/agent\ncopy /a /b\ncopy /a /c",
        "--file /sbin/agent=agent --file /a=plain",
        "4:6: copy /a: line 3 has taken it away: copy unlinks the original",
    ),
    (
        "bind /sbin/agent\nwrite /etc/hostname guest",
        AGENT,
        "3:7: /etc/hostname: no step makes this file, and write makes none",
    ),
    (
        "bind /sbin/agent\ncontrollers memory",
        AGENT,
        "3:1: controllers: before it cgroup2 must be mounted: mount cgroup2 /sys/fs/cgroup cgroup2 nosuid,nodev,noexec",
    ),
    (
        "bind /sbin/agent\nmodule /lib/virtio_blk.ko a=b c",
        AGENT,
        "3:8: module /lib/virtio_blk.ko: not in the initramfs",
    ),
    ("bnd /sbin/agent", AGENT, "2:1: bnd: unknown verb: did you mean bind?"),
    (
        "bind /sbin/agent",
        "--no-libs --file /sbin/agent=dynamic",
        "3:6: /sbin/agent needs what is not in the initramfs: ",
    ),
    ("bind /sbin/agent", "--file /sbin/agent=dynamic", "3:6: /sbin/agent needs what no step carries: /lib"),
];

#[test]
fn of_plans_name_file_line_and_reason() -> Result<()> {
    let ground = ground()?;
    for (steps, files, message) in PLANS {
        ground.plan(format!("root size=256k\n{steps}\nexec /sbin/agent\n"))?;
        let said = ground.refusal(files)?;
        let expected = format!("vm: this would not boot:\np:{message}");
        assert!(said.starts_with(&expected), "{steps:?}: {said:?} is not {expected:?}");
        let has_list = message.ends_with(": ") || message.ends_with("/lib");
        assert!(
            has_list
                || said
                    == format!(
                        "{expected}
"
                    ),
            "{steps:?}: more than that: {said}"
        );
    }
    Ok(())
}

#[test]
fn of_a_plan_that_is_too_long_has_both_figures() -> Result<()> {
    let ground = ground()?;
    ground.plan(format!("root\nbind /sbin/agent\n#{}\nexec /sbin/agent\n", "x".repeat(5000)))?;
    assert_eq!(ground.refusal(AGENT)?, "vm: this would not boot:\np: 5041 bytes, longer than 4096 bytes\n");
    Ok(())
}

/// Which lines to add is said too, and adding them helps.
#[test]
fn of_uncarried_libraries_tell_what_to_add() -> Result<()> {
    let ground = ground()?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    let files = "--file /sbin/agent=dynamic";
    let said = ground.refusal(files)?;
    let (_, lines) = said.split_once("\nadd before line 3, or let --carry-libs do it:\n").expect("what to add");
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("bind /lib")), "{lines:?}");
    ground.plan(format!("root\nbind /sbin/agent\n{}\nexec /sbin/agent\n", lines.join("\n")))?;
    ground.pack(files)?;
    Ok(())
}

/// Odd words, and what is said of them.
const WORDS: [(&str, &str); 14] = [
    ("--file /a=nothing", "cannot pack nothing as /a: cannot find nothing: No such file or directory"),
    ("--file /a=loop", "cannot pack loop as /a: cannot find loop: Too many levels of symbolic links"),
    ("--file sbin/a=agent", "sbin/a is no absolute path in the guest: did you mean /sbin/a?"),
    ("--file /sbin/../a=agent", "/sbin/../a: a path in the guest has no .."),
    ("--file /a", "not of the form /GUEST=HOST"),
    ("--file /a=", "no file of this machine is named for /a"),
    ("--file /sbin/=agent", "/sbin/ ends with a slash, and agent is no directory: name the file, too"),
    ("--file /=agent", "/ ends with a slash, and agent is no directory"),
    ("--file /a=agent --file /a/b=big", "cannot pack /a/b: /a is a file, no directory"),
    ("--file /a/b=big --file /a=agent", "/a is packed twice: as a directory and as a file, from agent"),
    ("--file /a=agent --file //a=big", "/a is packed twice: as a file, from agent and as a file, from big"),
    (
        "--file /a=directory --file /a/b=big",
        "/a/b is packed twice: as a file, from directory/b and as a file, from big",
    ),
    ("--file /init=agent", "/init is packed twice: as a file, from init and as a file, from agent"),
    ("--file /a=.", "out would lie in ., which is to be packed"),
];

#[test]
fn of_odd_files_say_what_is_odd() -> Result<()> {
    let ground = ground()?;
    ground.plan("root\nbind /sbin/agent\nexec /sbin/agent\n")?;
    for (words, message) in WORDS {
        let output = ground.vm(&format!("pack --init init --plan p -o out {AGENT} {words}"))?;
        let said = String::from_utf8(output.stderr)?;
        assert!(said.contains(message), "{words}: {said:?} is not {message:?}");
        assert!(!output.status.success() && !ground.path("out").exists(), "{words}: {said}");
    }
    Ok(())
}

/// What may fail is reported, and packed.
#[test]
fn of_what_may_fail_are_warnings() -> Result<()> {
    let ground = ground()?;
    ground.plan("root\n-copy /sbin/crun\nbind /sbin/agent\n-exec /sbin/other\nexec /sbin/agent\n")?;
    let said = ground.pack(AGENT)?;
    assert!(said.contains("vm: p:2:7: warning: copy /sbin/crun: not in the initramfs\n"), "{said}");
    assert!(said.contains("vm: p:4:7: warning: exec /sbin/other: not in the new root, nor in"), "{said}");
    Ok(())
}

/// A share of the guest's memory can't be judged here.
#[test]
fn are_none_where_only_the_guest_can_tell() -> Result<()> {
    let ground = ground()?;
    for root in ["root size=1%", "root mode=0700", "root size=0", "root size=1k,size=1m"] {
        ground.plan(format!("{root}\nbind /sbin/agent\ncopy /big\nexec /sbin/agent\n"))?;
        let said = ground.pack(&format!("{AGENT} --file /big=big"))?;
        let share = "with 296 KiB carried into it the guest needs more than";
        assert_eq!(said.contains(share), root.contains('%') || !root.contains("size"), "{root}: {said}");
    }
    ground.plan("root\nmount disk /mnt ext4\nwrite /mnt/a b\nexec /mnt/agent\n")?;
    ground.pack("")?;
    Ok(())
}
