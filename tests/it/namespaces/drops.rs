//! `drop`: what of the initramfs is freed, and what never is.

use anyhow::Result;
use vm::sandbox::{Outcome, Sandbox};

use super::{FIRST_LINE, boot, initramfs, run};

fn tree() -> Result<Sandbox> {
    initramfs()?
        .file("/lib/a", "a", 0o644)?
        .file("/lib/deep/er/b", "b", 0o000)?
        .dir("/lib/deep/empty", 0o755)?
        .symlink("../kept", "/lib/to-directory")?
        .symlink("/kept/file", "/lib/to-file")?
        .fifo("/lib/fifo")?
        .file("/kept/file", "kept", 0o644)?
        .symlink("lib", "/link")
}

fn is_kept(outcome: &Outcome) -> bool {
    outcome.path("/kept/file").exists()
}

#[test]
fn a_file_and_a_directory_go() -> Result<()> {
    let (outcome, _) = boot(tree()?, "drop /lib/a\ndrop /lib")?;
    assert!(!outcome.path("/lib").exists() && is_kept(&outcome));
    let (outcome, _) = boot(tree()?, "drop /lib/deep/")?;
    assert!(!outcome.path("/lib/deep").exists() && outcome.path("/lib/a").exists());
    let (outcome, _) = boot(tree()?, "drop /link")?;
    assert!(
        outcome.path("/link").symlink_metadata().is_err() && outcome.path("/lib/a").exists(),
        "the link, not what it leads to"
    );
    let (outcome, _) = boot(tree()?, "drop /lib/fifo")?;
    assert!(outcome.path("/lib/fifo").symlink_metadata().is_err());
    Ok(())
}

#[test]
fn many_files_go() -> Result<()> {
    let mut sandbox = initramfs()?;
    for number in 0..500 {
        sandbox = sandbox.file(&format!("/many/{:0200}-{number}", 0), "", 0o644)?;
    }
    let deep = "/d".repeat(300);
    let (outcome, _) = boot(sandbox.dir(&deep, 0o755)?, "drop /many\ndrop /d")?;
    assert!(!outcome.path("/many").exists() && !outcome.path("/d").exists());
    Ok(())
}

/// What is refused, and why: nothing that is to be kept goes.
const REFUSED: [(&str, &str); 8] = [
    ("/link/a", "ELOOP (40)"),
    ("/link/", "ELOOP (40)"),
    ("/", "EBUSY (16)"),
    ("/lib/..", "EBUSY (16)"),
    ("/.moveroot", "EXDEV (18)"),
    ("/.moveroot/sbin", "EXDEV (18)"),
    ("/missing", "ENOENT (2)"),
    ("/sbin/agent", "EBUSY (16)"),
];

#[test]
fn what_is_not_to_be_dropped_stays() -> Result<()> {
    for (path, said) in REFUSED {
        let outcome = run(tree()?, &format!("drop {path}\nexec /sbin/agent --report"))?;
        assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{FIRST_LINE}: drop {path}: {said}\n"));
        for path in ["/lib/a", "/lib/deep/er/b", "/kept/file", "/sbin/agent"] {
            assert!(outcome.path(path).exists(), "{path}");
        }
    }
    Ok(())
}

/// What is bound stays, by whatever name, with the directories that it lies in; the rest goes.
#[test]
fn what_is_bound_stays() -> Result<()> {
    for source in ["/lib/deep/er", "/lib/deep/er/b", "/link/deep/er"] {
        let (outcome, report) = boot(tree()?, &format!("bind {source} /bound\n-drop /lib"))?;
        assert_eq!(outcome.stderr, format!("moveroot: boot.plan:{}: drop /lib: EBUSY (16)\n", FIRST_LINE + 1));
        assert!(outcome.path("/lib/deep/er/b").exists(), "{source}");
        assert!(!outcome.path("/lib/a").exists() && !outcome.path("/lib/deep/empty").exists(), "{source}");
        assert!(report.file("/bound").is_some());
    }
    Ok(())
}
