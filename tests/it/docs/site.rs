//! `cargo vm docs`: the site is built with every page of docs/, and the command itself follows every link of it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

#[test]
fn is_built_and_all_its_links_lead_somewhere() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let out = directory.path().join("site");
    let mut vm = Command::new(env!("CARGO_BIN_EXE_vm"));
    let output = vm.args(["docs", "--out"]).arg(&out).output().context("cannot run vm docs")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    assert!(said.ends_with(&format!(" pages: {}\n", out.join("index.html").display())), "{said}");
    for (page, part) in [
        ("index.html", "MS_MOVE"),
        ("docs/agents/own.html", "docs/check.html"),
        ("docs/moveroot.plan.5.html", "MOUNT OPTIONS"),
        ("src/boot.rs.html", "pub fn run"),
        ("plans/index.html", "nerdbox.plan.html"),
    ] {
        let html = fs::read_to_string(out.join(page)).with_context(|| format!("there is no {page}"))?;
        assert!(html.contains(part), "{page} has no {part}");
    }
    Ok(())
}

#[test]
fn takes_no_directory_that_has_something_else_in_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("mine"), "")?;
    let mut vm = Command::new(env!("CARGO_BIN_EXE_vm"));
    let output = vm.args(["docs", "--out"]).arg(directory.path()).output().context("cannot run vm docs")?;
    let errors = String::from_utf8(output.stderr)?;
    assert!(output.status.code() == Some(1) && errors.contains("has something in it that is no site"), "{errors}");
    assert!(directory.path().join("mine").exists());
    Ok(())
}
