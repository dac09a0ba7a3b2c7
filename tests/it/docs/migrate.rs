//! docs/migrate.md: each plan is checked and run, and a script that can be run here leaves the same mounts as its plan.

use std::fs;

use anyhow::{Context, Result, ensure};
use vm::kernel;
use vm::sandbox::Sandbox;

use super::read;
use crate::namespaces::{initramfs, mountinfo};
use crate::pack::Ground;

/// The page's sections: what one comes from.
pub const BUSYBOX: &str = "busybox switch_root";
pub const KLIBC: &str = "klibc run-init";
const DRACUT: &str = "dracut";
const SHELL: &str = "A shell script that stays PID 1";
const GO: &str = "An init in Go";
/// The programs that the script of [`BUSYBOX`] calls.
const PROGRAMS: [&str; 6] = ["sh", "mkdir", "mount", "cp", "touch", "switch_root"];

/// A section's script, in this language, and plan.
pub fn sample(title: &str, language: &str) -> Result<[String; 2]> {
    let page = read("docs/migrate.md")?;
    let section = page.split("\n## ").find(|section| section.lines().next() == Some(title));
    let section = section.with_context(|| format!("the page has no {title}"))?;
    let block =
        |language: &str| Some(section.split_once(&format!("```{language}\n"))?.1.split_once("```")?.0.to_string());
    let blocks = [block(language), block("text")].map(|block| block.with_context(|| format!("{title}: no block")));
    let [script, plan] = blocks;
    Ok([script?, plan?])
}

/// What the plans carry.
fn ground(plan: &str) -> Result<Ground> {
    let ground = Ground::new()?;
    for file in ["tree/sbin/agent", "tree/sbin/crun", "tree/sbin/setup", "tree/bin/sh"] {
        ground.file(file, fs::read(ground.path("agent"))?, 0o755)?;
    }
    ground.plan(plan)?;
    Ok(ground)
}

#[test]
fn has_no_section_without_a_test() -> Result<()> {
    let page = read("docs/migrate.md")?;
    let titles: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(titles, [BUSYBOX, KLIBC, DRACUT, SHELL, GO]);
    Ok(())
}

#[test]
fn each_plan_is_good_on_a_tree_with_its_files() -> Result<()> {
    for (title, language) in [(BUSYBOX, "sh"), (KLIBC, "sh"), (DRACUT, "sh"), (SHELL, "sh"), (GO, "go")] {
        let [_, plan] = sample(title, language)?;
        let ground = ground(&plan)?;
        let output = ground.vm("check --strict --root tree p")?;
        let said = String::from_utf8(output.stdout)?;
        assert!(output.status.success() && said.ends_with("p: no problems found\n"), "{title}: {said}");
    }
    Ok(())
}

/// But for the one with a disk, which boots in `vm::migrate`.
#[test]
fn each_plan_comes_to_its_agent() -> Result<()> {
    for (title, language) in [(BUSYBOX, "sh"), (DRACUT, "sh"), (SHELL, "sh"), (GO, "go")] {
        let [_, plan] = sample(title, language)?;
        let ground = ground(&plan.replace("run /sbin/setup\n", "run /sbin/setup --report\n"))?;
        let output = ground.vm("try --init init --root tree --plan p")?;
        let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        assert!(output.status.success() && said.contains("  program      /sbin/agent, pid "), "{title}: {said}");
    }
    Ok(())
}

/// Where each mount is, what and how; not the tmpfs's size of pages, which only moveroot asks for.
fn mounts(sandbox: Sandbox) -> Result<Vec<String>> {
    let outcome = sandbox.program("/sbin/crun", &kernel::busybox()?)?.args(["--report"]).run()?;
    ensure!(outcome.code == Some(0), "{outcome:#?}");
    let mounts = mountinfo::mounts(&outcome.report()?)?.into_iter().map(|mut mount| {
        mount.super_options.retain(|option| !option.starts_with("huge="));
        let [options, of_filesystem] = [mount.options, mount.super_options].map(|options| options.join(","));
        format!("{} {} {options} {of_filesystem}", mount.target, mount.fstype)
    });
    Ok(mounts.collect())
}

#[test]
fn busyboxs_script_and_its_plan_leave_the_same_mounts() -> Result<()> {
    let [script, plan] = sample(BUSYBOX, "sh")?;
    let by_plan = mounts(initramfs()?.plan(plan)?)?;
    let scripted = initramfs()?.file("/init", script, 0o755)?.program("/bin/busybox", &kernel::busybox()?)?;
    let scripted = PROGRAMS.iter().try_fold(scripted, |tree, name| tree.symlink("busybox", &format!("/bin/{name}")))?;
    assert_eq!(by_plan, mounts(scripted)?);
    assert_eq!(by_plan.len(), 6, "{by_plan:?}");
    Ok(())
}
