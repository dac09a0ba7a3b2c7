//! What is refused, each with its message. What plans miss is in the table of `check::packed`.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;

use super::Ground;

const AGENT: &str = "--file /sbin/agent=agent";

/// What else there is to pack.
fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.file("big", vec![1; 300_000], 0o644)?;
    ground.file("directory/a", "a", 0o644)?.file("directory/b", "b", 0o644)?;
    fs::copy("/bin/ls", ground.path("dynamic"))?;
    symlink("loop", ground.path("loop"))?;
    Ok(ground)
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
    assert!(
        said.contains(
            "vm: p:2:7: warning: copy /sbin/crun: not in the initramfs: put it there, or leave the step out\n"
        ),
        "{said}"
    );
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
