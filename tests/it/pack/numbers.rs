//! Lines that are added to a plan leave the person's own numbers alone, which messages and exit codes name; where they
//! cannot, the mapping is told.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vm::initramfs::Initramfs;
use vm::kernel;

use super::Ground;

/// A dynamic program and a step that fails; a comment for each line that is added, before `root` and after it.
const ROOMY: &str = "# what
# this
# plan
# does
root
mount proc /proc proc

# a program
bind /sbin/ls
copy /sbin/agent /proc/no-room
exec /sbin/ls
";
const FAILS: (usize, &str) = (10, "moveroot: boot.plan:10: copy /sbin/agent to /proc/no-room: ENOENT (2)");

fn packed_plan(ground: &Ground) -> Result<String> {
    let tree = Initramfs::of_image(&ground.path("out"))?;
    Ok(String::from_utf8(tree.at("/boot.plan").context("no plan")?.read()?.into_owned())?)
}

/// The real init says its own line, run as `try` does.
fn assert_fails_at(ground: &Ground, line: usize, message: &str) -> Result<()> {
    let output = ground.vm("try --init init --initramfs out --json")?;
    let [said, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let found: Value = serde_json::from_str(&said).with_context(|| errors.clone())?;
    assert_eq!(found["ending"], json!({"kind": "exit", "code": line}), "{said}{errors}");
    assert_eq!(errors, format!("{message}\n"));
    Ok(())
}

#[test]
fn of_libraries_take_the_places_of_comments() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(ROOMY)?;
    let said = ground.pack("--file /sbin/agent=agent --file /sbin/ls=/bin/ls --carry-libs")?;
    assert!(said.contains("your lines keep their numbers\n"), "{said}");
    let packed = packed_plan(&ground)?;
    let line = packed.lines().position(|line| line == "bind /lib").context("no bind /lib")? + 1;
    assert!(said.contains(&format!("{line:>6}  bind /lib\n")), "{said}");
    assert_fails_at(&ground, FAILS.0, FAILS.1)
}

/// `root` goes up into the comments before it, and what may need a module stays after all of them.
#[test]
fn of_modules_take_the_places_of_comments() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(ROOMY)?;
    let modules = kernel::modules(None)?;
    let words = format!("--module brd --kernel-package {}", modules.display());
    let said = ground.pack(&format!("{words} --file /sbin/agent=agent --file /sbin/ls=/bin/ls --carry-libs"))?;
    assert!(said.contains("/brd.ko\n"), "{said}");
    assert_fails_at(&ground, FAILS.0, FAILS.1)?;
    // With a mount that may need the module, and no comment before that but those above `root`.
    ground.plan(
        ROOMY.replace("mount proc /proc proc\n\n# a program\n", "mount none /mnt ext4\nmount proc /proc proc\n"),
    )?;
    let said = ground.pack(&format!("{words} --file /sbin/agent=agent --file /sbin/ls=/bin/ls --carry-libs"))?;
    assert!(said.contains("numbers differ:\n  line 5 of p is line ") && !said.contains("\n  lines"), "{said}");
    assert_fails_at(&ground, 9, "moveroot: boot.plan:9: copy /sbin/agent to /proc/no-room: ENOENT (2)")?;
    Ok(())
}

/// No comment, so the `exec` moves, which is said, to a script too.
#[test]
fn that_move_are_told() -> Result<()> {
    let ground = Ground::new()?;
    let plan: String =
        ROOMY.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    ground.plan(plan)?;
    let files = "--file /sbin/agent=agent --file /sbin/ls=/bin/ls --carry-libs";
    let said = ground.pack(files)?;
    let added = packed_plan(&ground)?.lines().count() - 5;
    let expected = format!("numbers differ:\n  line 5 of p is line {} of /boot.plan\n", 5 + added);
    assert!(said.contains(&expected), "{said}");
    assert_fails_at(&ground, 4, "moveroot: boot.plan:4: copy /sbin/agent to /proc/no-room: ENOENT (2)")?;
    let found: Value = serde_json::from_str(&ground.pack(&format!("{files} --json"))?)?;
    assert_eq!(found["plan"]["moved"], json!([{"first": 5, "last": 5, "moved_by": added}]));
    assert_eq!(found["plan"]["added"][0], json!({"line": 5, "step": "bind /lib"}));
    assert_eq!((&found["files"][0]["path"], &found["out"]), (&json!("/init"), &json!("out")));
    Ok(())
}
