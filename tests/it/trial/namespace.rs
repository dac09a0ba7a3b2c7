//! What a namespace refuses and a VM does not: it is as in a boot, or named.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::{ground, has_line, texts, tried};

/// A write takes these bits away from a file, unless it is made by root outside of every namespace.
#[test]
fn keeps_set_uid_and_set_gid() -> Result<()> {
    let ground = ground("root\ncopy /su\ncopy /sg\nbind /both\nbind /sbin/agent\nexec /sbin/agent\n")?;
    for (name, mode) in [("su", 0o4755), ("sg", 0o2711), ("both", 0o6755)] {
        ground.file(&format!("tree/{name}"), "12345", mode)?;
    }
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    for line in ["4755 5 /su", "2711 5 /sg", "6755 5 /both"] {
        assert!(has_line(&said, line), "{line}: {said}");
    }
    Ok(())
}

/// Of /proc/sys/net a new network namespace has a part; of users and groups a new user namespace has one each.
const LACKING: &str = "root
mount proc /proc proc
mount devpts /dev/pts devpts gid=5,mode=0620,ptmxmode=0666
write /proc/sys/net/ipv4/tcp_mem 1 2 3
write /proc/sys/net/ipv4/ip_forward 1
write /proc/sys/net/none 1
bind /sbin/agent
exec /sbin/agent
";

#[test]
fn names_what_it_cannot_show() -> Result<()> {
    let ground = ground(LACKING)?;
    let (code, said, errors) = tried(&ground, "--root tree --plan p")?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80 || line.contains(" tmpfs ")), "{said}");
    let lines: Vec<&str> = said.lines().skip_while(|line| !line.contains("mount devpts")).collect();
    // Of the harness's own the second is one, or an empty tmpfs where no devpts may be mounted.
    assert!(lines[1].contains("mounted without uid= and gid=") || lines[1].contains("substitute"), "{said}");
    assert!(lines[3].ends_with(": this network namespace has no such file") || lines[3].contains("refused"), "{said}");
    Ok(())
}

/// Root's other groups would open root's files to nobody.
#[test]
fn leaves_roots_groups() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: an ordinary user keeps its groups, as user_namespaces(7) has it");
        return Ok(());
    }
    let exec = "exec /busybox grep -E Uid|Groups /proc/self/status";
    let ground = ground(&format!("root\nbind /busybox\nmount proc /proc proc\n{exec}\n"))?;
    ground.file("tree/busybox", fs::read(vm::kernel::busybox()?)?, 0o755)?;
    let mut command = Command::new("setpriv");
    command.args(["--groups", "0,1,27", env!("CARGO_BIN_EXE_vm"), "try", "--init", "init", "--run"]);
    command.args(["--root", "tree", "--plan", "p"]).current_dir(ground.path(""));
    let (code, said, errors) = texts(command.output()?)?;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(has_line(&said, "Uid: 0 0 0 0"), "{said}");
    assert!(said.lines().any(|line| line.trim_end() == "Groups:"), "{said}");
    Ok(())
}
