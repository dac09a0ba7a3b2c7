//! The same mistakes beside an initramfs: what is in it, what is carried, what can be executed where.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;

use crate::pack::Ground;

/// Steps after `bind /sbin/agent`, beside an initramfs, and what is said of them after `p:`.
const IN_A_TREE: [(&str, &[&str]); 16] = [
    ("drop /nothing", &["2:6: drop /nothing: not in the initramfs: put it there, or leave the step out"]),
    ("drop /link/a", &["2:6: drop /link/a: /link is a link, and none is followed: write /lib/a"]),
    ("drop /link/", &["2:6: drop /link/: /link is a link, and none is followed: write /lib"]),
    ("drop /link\nbind /link/a", &["3:6: bind /link/a: line 2 has dropped it: drop it after this step"]),
    ("drop /dev\ndrop /root\ndrop /lib", &[]),
    ("drop /lib\nbind /link/a", &["3:6: bind /link/a: line 2 has dropped it: drop it after this step"]),
    (
        "bind /link/a /a\ndrop /lib",
        &["3:6: drop /lib: line 2 binds /lib/a in it, which stays: leave the line out, or name what else is to go"],
    ),
    (
        "run /bin/script",
        &["2:5: run /bin/script: not in the new root: it is in the initramfs; carry it by `bind /bin/script`"],
    ),
    (
        "bind /bin/script\nrun /bin/script",
        &["3:5: /bin/script is a script whose interpreter /bin/sh is not in the new root: carry it by `bind /bin/sh`"],
    ),
    ("bind /lib/a\nrun /lib/a", &["3:5: /lib/a is no executable: its mode is 0644: say `chmod 0755`"]),
    (
        "mount tmpfs /run tmpfs noexec\ncopy /bin/sh /run/sh\nrun /run/sh",
        &["4:5: run /run/sh: line 2 mounts it noexec: leave noexec out there, or carry it elsewhere"],
    ),
    ("mount tmpfs /run tmpfs noexec\nbind /bin/sh /run/sh\nrun /run/sh", &[]),
    (
        "bind /sbin/agent /a\nmount /sbin /b none bind,noexec\nrun /b/agent",
        &["4:5: run /b/agent: line 3 mounts it noexec: leave noexec out there, or carry it elsewhere"],
    ),
    // What a program that was run may have put there.
    (
        "run /sbin/agent\nrun /bin/sh",
        &[
            "3:5: warning: run /bin/sh: not in the new root: it is in the initramfs; carry it by `bind /bin/sh`, unless what \
           line 2 runs makes it",
        ],
    ),
    ("run /sbin/agent\nrun /bin/made", &[]),
    (
        "bind /bin/script\nrun /sbin/agent\nrun /bin/script",
        &[
            "4:5: warning: /bin/script is a script whose interpreter /bin/sh is not in the new root: carry it by `bind /bin/sh`",
        ],
    ),
];

#[test]
fn are_told_beside_an_initramfs() -> Result<()> {
    let ground = Ground::new()?;
    let agent = fs::read(ground.path("agent"))?;
    ground.file("tree/sbin/agent", &agent, 0o755)?.file("tree/bin/sh", &agent, 0o755)?;
    ground.file("tree/bin/script", "#!/bin/sh\n", 0o755)?.file("tree/lib/a", "a", 0o644)?;
    symlink("lib", ground.path("tree/link"))?;
    let mut wrong = Vec::new();
    for (steps, said) in IN_A_TREE {
        let plan = format!("bind /sbin/agent\n{steps}\nexec /sbin/agent\n");
        let output = ground.plan(&plan)?.vm("check p --root tree")?;
        let expected: String = said.iter().map(|line| format!("p:{line}\n")).collect();
        let expected = if expected.is_empty() { "p: no problems found\n".to_string() } else { expected };
        let said = String::from_utf8(output.stdout)?;
        if said != expected {
            wrong.push((plan, said));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
