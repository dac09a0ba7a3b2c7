//! Plans that fail: their line is on the console, by init and by the kernel's log, and the code in the panic's line.

use std::process::Command;

use anyhow::Result;
use vm::demo::Parts;
use vm::initramfs::Initramfs;

use super::{beside_others, boot, boot_parts, parts, small_of};

/// The plan, the message behind `moveroot: boot.plan`, the exit code.
const FAILURES: [(&str, &str, u8); 6] = [
    ("root\nmount tmpfs /run tmpfs nosuid,bogus=1\nexec /sbin/agent", ":2: mount tmpfs on /run: EINVAL (22)", 2),
    ("root\n\nbogus /a\nexec /sbin/agent", ":3: bogus: unknown verb", 3),
    ("root\ncopy /sbin/crun\nexec /sbin/agent", ":2: copy /sbin/crun: ENOENT (2)", 2),
    ("root\nexec /sbin/agent", ":2: exec /sbin/agent: ENOENT (2)", 2),
    ("root size=64k\n# full\n# soon\ncopy /big\nexec /sbin/agent", ":4: copy /big: ENOSPC (28)", 4),
    (TOO_LONG, ": longer than 4096 bytes", 200),
];

/// Stands for a plan of 4097 bytes.
const TOO_LONG: &str = "";

fn tree(parts: &Parts, plan: &str) -> Result<Initramfs> {
    let long = format!("root\nbind /sbin/agent\nexec /sbin/agent\n#{}", "x".repeat(4057));
    let plan = if plan == TOO_LONG { &long } else { plan };
    let mut tree = small_of(parts, plan)?;
    tree.bytes("/big", 0o755, vec![0xa5; 200_000]);
    assert!(plan != long || plan.len() == 4097, "{} bytes", plan.len());
    Ok(tree)
}

#[test]
fn are_seen_on_the_console_and_in_the_panic() -> Result<()> {
    are_seen(parts())
}

/// On a guest of these parts.
pub fn are_seen(parts: &Parts) -> Result<()> {
    for (plan, message, code) in FAILURES {
        let image = tempfile::Builder::new().suffix(".cpio").tempfile()?;
        tree(parts, plan)?.write(image.path())?;
        let outcome = boot_parts(parts, image.path(), None, "", &[])?;
        let evidence = outcome.evidence();
        let message = format!("moveroot: boot.plan{message}");
        let lines: Vec<&str> = outcome.transcript.lines().filter(|line| line.ends_with(&message)).collect();
        assert!(lines.iter().any(|line| *line == message), "init's own line is missing: {evidence}");
        assert!(lines.iter().any(|line| line.starts_with('[')), "the log's line is missing: {evidence}");
        let exit_code = format!("exitcode=0x0000{code:02x}00");
        assert!(outcome.transcript.contains(&exit_code), "no {exit_code}: {evidence}");
        assert_eq!((outcome.panic_code, outcome.guest_code), (Some(code), None), "{evidence}");
    }
    Ok(())
}

/// What init said stands last, below the transcript; with the person's own line where steps were added before it.
#[test]
fn end_with_inits_own_line() -> Result<()> {
    parts();
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), "root\ndir /x\n-copy /none\nexec /sbin/agent\n")?;
    let plan = file.path().display().to_string();
    let _guest = beside_others();
    let output = Command::new(env!("CARGO_BIN_EXE_vm")).args(["boot", "--plan", &plan]).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said.lines().rev().take(3).collect();
    let [place, fatal, warning] = lines[..] else { panic!("{said}") };
    assert_eq!(warning, "moveroot: boot.plan:3: copy /none: ENOENT (2)", "{said}");
    assert!(fatal.starts_with("moveroot: boot.plan:") && fatal.ends_with(": exec /sbin/agent: ENOENT (2)"), "{said}");
    assert!(place.ends_with(&format!(" of the guest's boot.plan is line 4 of {plan}")), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    Ok(())
}

/// The built-in plan, in an initramfs without crun: its own name and line.
#[test]
fn of_the_built_in_plan_name_it() -> Result<()> {
    let mut tree = Initramfs::with_console();
    tree.file("/init", &parts().init)?;
    let outcome = boot(&tree, "", &[])?;
    let message = "moveroot: default.plan:10: copy /sbin/crun: ENOENT (2)";
    assert!(outcome.transcript.contains(message), "{}", outcome.evidence());
    assert_eq!(outcome.panic_code, Some(10), "{}", outcome.evidence());
    Ok(())
}
