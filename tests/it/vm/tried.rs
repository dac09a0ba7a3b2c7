//! What `try` says of an image, beside a boot of it: the same lines of init, the same exit code.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{boot_image, parts, report};
use crate::pack::Ground;
use vm::initramfs::Initramfs;

/// As many steps that fail as one plan can have: all may. Of modules and of devices a namespace has nothing to show.
const TOLERATED: &str = "root size=4m
mount proc /proc proc
mount devtmpfs /dev devtmpfs
-copy /none
-copy /etc
copy /etc/text /text
-copy /etc/text
-copy /etc/other /text
-bind /none
-bind /etc /text
-bind /text /proc
mount tmpfs /small tmpfs size=4k
-copy /big /small/big
-mount none /a nofs
-mount none /b tmpfs nosuchoption
-mount /none /c none bind
-mount none /none none remount,ro
-dir /text/below
-dir /text
link text /link
-link other /link
link a /none/link
-write /none/file text
-write /proc/none text
-write /small text
-controllers cpu
-module /none.ko
mount tmpfs /nx tmpfs noexec
copy /nx /nx/agent
bind /closed
bind /sbin/agent
-exec /none
-exec /text
-exec /nx/agent
-exec /closed
-exec /small
-exec /text/below
exec /sbin/agent --report
";

/// Plans that end in a failure, and the line that it is in.
const FATAL: [(&str, i64); 4] = [
    ("root\n\ncopy /none\nexec /sbin/agent\n", 3),
    ("root\nbind /sbin/agent\nbind /etc/text\nexec /etc/text\n", 4),
    ("root size=64k\ncopy /big\nexec /sbin/agent\n", 2),
    ("root\nbind /sbin/agent\nexce /sbin/agent\n", 3),
];

fn image(ground: &Ground, plan: &str) -> Result<()> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts().init)?.file("/sbin/agent", &parts().agent)?.bytes("/boot.plan", 0o644, plan);
    tree.bytes("/etc/text", 0o755, "text").bytes("/etc/other", 0o644, "other").bytes("/big", 0o644, [1; 100_000]);
    tree.bytes("/nx", 0o755, "#!/sbin/agent\n").bytes("/closed", 0o644, "#!/sbin/agent\n");
    tree.write(&ground.path("image"))
}

/// Init's own lines, wherever they are printed.
fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| Some(line[line.find("moveroot: boot.plan:")?..].trim_end())).collect()
}

#[test]
fn fails_as_a_boot_does_step_by_step() -> Result<()> {
    let ground = Ground::new()?;
    image(&ground, TOLERATED)?;
    let output = ground.vm("try --initramfs image")?;
    let errors = String::from_utf8(output.stderr)?;
    let outcome = boot_image(&ground.path("image"), None, "", &[])?;
    report(&outcome)?;
    let expected = TOLERATED.lines().filter(|line| line.starts_with('-')).count();
    let (tried, booted) = (lines(&errors), lines(&outcome.transcript));
    assert_eq!(tried, booted, "{errors} {}", outcome.evidence());
    assert_eq!(tried.len(), expected, "{tried:#?}");
    assert_eq!(output.status.code(), Some(0), "{errors}");
    Ok(())
}

#[test]
fn ends_as_a_boot_does() -> Result<()> {
    let ground = Ground::new()?;
    for (plan, line) in FATAL {
        image(&ground, plan)?;
        let output = ground.vm("try --initramfs image --json")?;
        let (said, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        let found: Value = serde_json::from_str(said.lines().next_back().context("nothing is printed")?)?;
        let outcome = boot_image(&ground.path("image"), None, "", &[])?;
        ensure!(found["ending"]["code"] == line, "{plan}: try ends with {}", found["ending"]);
        ensure!(outcome.panic_code.map(i64::from) == Some(line), "{plan}: {}", outcome.evidence());
        assert_eq!(lines(&errors), lines(&outcome.transcript), "{plan}: {}", outcome.evidence());
        assert_eq!(output.status.code(), Some(1), "{plan}");
    }
    Ok(())
}
