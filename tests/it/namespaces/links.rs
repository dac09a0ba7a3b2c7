//! Symlinks and `..`, in paths of both roots: each root has its own, and `..` leads out of neither.

use anyhow::Result;
use vm::sandbox::Sandbox;

use super::{FIRST_LINE, boot, content, initramfs, run};

/// What is carried, and what lies at the same paths of the new root: no source may lead there.
const RIGHT: usize = 3001;
const WRONG: usize = 1001;

/// An initramfs with a tool, and links of every kind that lead to it.
fn furnished() -> Result<Sandbox> {
    let sandbox = initramfs()?.file("/usr/bin/tool", content(RIGHT), 0o755)?;
    let sandbox = sandbox.file("/decoy", content(WRONG), 0o644)?.file("/decoy-2", content(WRONG), 0o644)?;
    let sandbox = sandbox.symlink("../usr/bin/tool", "/sbin/relative")?.symlink("/usr/bin/tool", "/sbin/absolute")?;
    let sandbox = sandbox.symlink("../../../usr/bin/tool", "/sbin/climbing")?.symlink("relative", "/sbin/chain")?;
    let sandbox = sandbox.symlink("usr", "/relative-directory")?.symlink("/usr", "/absolute-directory")?;
    sandbox.symlink("../../usr/bin", "/very/deep/up")
}

/// Puts other files where a source would lead in the new root.
const DECOYS: &str = "copy /decoy /usr/bin/tool\ncopy /decoy-2 /sbin/relative\n";

const SOURCES: [&str; 10] = [
    "/sbin/relative",
    "/sbin/absolute",
    "/sbin/climbing",
    "/sbin/chain",
    "/relative-directory/bin/tool",
    "/absolute-directory/bin/tool",
    "/very/deep/up/tool",
    "/sbin/../usr/bin/tool",
    "/../usr/bin/tool",
    "/very/deep/../../../usr/./bin//tool",
];

#[test]
fn sources_lead_to_the_initramfs() -> Result<()> {
    for verb in ["bind", "copy"] {
        for source in SOURCES {
            let (outcome, report) = boot(furnished()?, &format!("{DECOYS}{verb} {source} /carried"))?;
            let found = report.file("/carried").expect("it is in the new root");
            assert_eq!(found.sha256, Some(agent::sha256(&content(RIGHT))), "{verb} {source}");
            // Of a link, `copy` unlinks the link.
            let original = outcome.path("/usr/bin/tool");
            let is_link = source.starts_with("/sbin/") && !source.contains("..");
            assert_eq!(original.exists(), verb == "bind" || is_link, "{verb} {source}");
            if verb == "copy" && is_link {
                assert!(outcome.path(source).symlink_metadata().is_err(), "{source} is still there");
            }
        }
    }
    Ok(())
}

/// Without a target it is the source's own path, and the directories on the way are the new root's.
#[test]
fn a_linked_source_is_carried_to_its_own_path() -> Result<()> {
    let (_, report) = boot(furnished()?, "bind /sbin/climbing\nbind /very/deep/up/tool")?;
    for path in ["/sbin/climbing", "/very/deep/up/tool"] {
        let found = report.file(path).expect("it is in the new root");
        assert_eq!((found.kind.as_str(), found.size), ("file", RIGHT as u64), "{path}");
    }
    Ok(())
}

#[test]
fn modules_and_plans_are_looked_up_alike() -> Result<()> {
    // One that is found is no module, or the kernel loads none; either is another failure than that of one that is missing.
    for (path, is_missing) in [("/lib/module.ko", false), ("/lib/gone.ko", true)] {
        let sandbox = furnished()?.symlink("../usr/bin/tool", "/lib/module.ko")?;
        let outcome = run(sandbox.symlink("../gone", "/lib/gone.ko")?, &format!("module {path}\nexec /sbin/agent"))?;
        let begin = format!("moveroot: boot.plan:{FIRST_LINE}: module {path}: E");
        assert!(outcome.stderr.starts_with(&begin), "{}", outcome.stderr);
        assert_eq!(outcome.stderr.ends_with(": ENOENT (2)\n"), is_missing, "{}", outcome.stderr);
    }
    let plan = "bind /sbin/agent\nexec /sbin/agent --report";
    let sandbox =
        furnished()?.file("/plans/real.plan", plan, 0o644)?.symlink("../plans/real.plan", "/etc/link.plan")?;
    let outcome = sandbox.env("moveroot_plan", "/etc/../../etc/link.plan").run()?;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    Ok(())
}

/// Links of the new root, a step with such a target, and where the file or directory must be then.
const TARGETS: [(&str, &str, &str); 7] = [
    ("dir /real\nlink ../real /links/to", "bind /usr/bin/tool /links/to/tool", "/real/tool"),
    ("dir /real\nlink /real /to", "copy /usr/bin/tool /to/../to/tool", "/real/tool"),
    ("copy /decoy /real/file\nlink ../real/file /links/file", "bind /usr/bin/tool /links/file", "/real/file"),
    ("copy /decoy /real/file\nlink ../../../real/file /links/file", "bind /usr/bin/tool /links/file", "/real/file"),
    ("dir /real\nlink ../real /links/to", "bind /usr/bin /links/to", "/real/tool"),
    ("dir /real\nlink real /to", "mount /usr /to none bind\nbind /usr/bin /to/bin", "/real/bin/tool"),
    ("dir /real", "bind /usr/bin/tool /../../real/tool", "/real/tool"),
];

#[test]
fn targets_lead_to_the_new_root() -> Result<()> {
    for (links, step, path) in TARGETS {
        let steps = format!("dir /usr\n{links}\n{step}");
        let (outcome, report) = boot(furnished()?.args(["--files", path]), &steps)?;
        let found = report.file(path).unwrap_or_else(|| panic!("{step}: {path} is missing"));
        assert_eq!(found.sha256, Some(agent::sha256(&content(RIGHT))), "{step}");
        assert!(!outcome.path("/real").exists() && !outcome.path("/links").exists(), "{step}: made in the initramfs");
    }
    Ok(())
}

#[test]
fn a_target_that_leads_nowhere_is_refused() -> Result<()> {
    for (step, message) in [
        ("bind /usr/bin/tool /to", "bind /usr/bin/tool on /to: ENOENT (2)"),
        ("mount none /to tmpfs", "mount none on /to: ENOENT (2)"),
    ] {
        let outcome = run(furnished()?, &format!("link /gone /to\n{step}\nexec /sbin/agent"))?;
        assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{}: {message}\n", FIRST_LINE + 1));
    }
    Ok(())
}
