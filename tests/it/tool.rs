//! The program `moveroot`: the commands as people have them, in a directory of their own, with neither a clone nor cargo.

use std::fs;
use std::process::Output;

use anyhow::{Result, ensure};
use vm::{apt, build, locale};

use crate::pack::Ground;

const PLAN: &str = "root\nmount proc /proc proc\nbind /sbin/agent\nexec /sbin/agent\n";

fn said(output: Output) -> Result<String> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn checks_tries_and_packs() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan(PLAN)?;
    said(ground.moveroot("check p")?)?;
    said(ground.moveroot("pack --plan p --file /sbin/agent=agent -o out")?)?;
    said(ground.moveroot("check p --initramfs out")?)?;
    let tried = said(ground.moveroot("try --initramfs out")?)?;
    assert!(tried.contains("bind /sbin/agent"), "{tried}");
    Ok(())
}

#[test]
fn brings_the_init_that_cargo_builds() -> Result<()> {
    let ground = Ground::new()?;
    said(ground.moveroot("init own")?)?;
    assert!(fs::read(ground.path("own"))? == fs::read(build::init(None)?)?, "not the same bytes");
    Ok(())
}

#[test]
fn exits_with_what_its_help_says() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("exce /sbin/agent\n")?;
    for (words, code) in [("check p", 1), ("check", 2), ("check gone", 1), ("fix p", 2), ("--help", 0)] {
        assert_eq!(ground.moveroot(words)?.status.code(), Some(code), "{words}");
    }
    // Without a kernel's modules there is nothing to look in.
    let output = ground.moveroot("pack --plan p --module virtio_net -o out")?;
    let errors = String::from_utf8(output.stderr)?;
    assert!(errors.starts_with("moveroot: --module needs --kernel-package"), "{errors}");
    Ok(())
}

#[test]
fn has_man_pages() -> Result<()> {
    apt::ensure_programs(&["mandoc"])?;
    let ground = Ground::new()?;
    said(ground.moveroot("man pages")?)?;
    let pages: Vec<_> = fs::read_dir(ground.path("pages"))?.collect::<Result<_, _>>()?;
    for name in ["moveroot.1", "moveroot-check.1", "moveroot-pack.1", "moveroot-try.1", "moveroot.plan.5"] {
        assert!(pages.iter().any(|page| page.file_name() == name), "no {name}");
    }
    for page in pages {
        let output = locale::command("mandoc").args(["-Tlint", "-Werror"]).arg(page.path()).output()?;
        assert!(output.status.success(), "{:?}: {}", page.path(), String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

#[test]
fn has_completions() -> Result<()> {
    let ground = Ground::new()?;
    for shell in ["bash", "zsh", "fish"] {
        let script = said(ground.moveroot(&format!("completions {shell}"))?)?;
        for word in ["check", "pack", "try", "initramfs"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        ground.file(shell, script, 0o644)?;
    }
    let output = locale::command("bash").arg("-n").arg(ground.path("bash")).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
