//! docs/agents: the blocks of a page, run word by word with the mock agent in the real one's place.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use vm::{build, workspace};

use super::super::{beside_others, parts};
use super::Booted;
use crate::pack::Ground;

/// `cargo vm` is this test's own program; its boots are those of mocks that serve, and end once these are ready. Kata's mock, unlike
/// the real one, needs a crun.
const CARGO: &str = r#"cargo() {
    test "$1" = vm
    if test "$2" = boot; then
        "$VM" boot --append mock_serves=1 --then-stop "${@:3}"
    elif test "$2" = pack; then
        "$VM" pack $MORE "${@:3}"
    else
        "$VM" "${@:2}"
    fi
}
"#;

struct Page {
    name: &'static str,
    text: String,
    ground: Ground,
}

impl Page {
    /// With a mock as the program that step 2 leaves.
    fn of(name: &'static str, program: &str) -> Result<Page> {
        let path = workspace::root().join(format!("docs/agents/{name}.md"));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let ground = Ground::new()?;
        symlink(workspace::root().join("plans"), ground.path("plans"))?;
        fs::remove_file(ground.path("agent"))?;
        fs::copy(build::guest("mocks", name)?, ground.path(program))?;
        Ok(Page { name, text, ground })
    }

    /// The blocks of a step, in order.
    fn blocks(&self, step: u32) -> Result<Vec<&str>> {
        let section = self.text.split("\n## ").find(|section| section.starts_with(&format!("{step}. ")));
        let section = section.with_context(|| format!("{} has no step {step}", self.name))?;
        let blocks = section.split("```sh\n").skip(1);
        Ok(blocks.filter_map(|block| Some(block.split_once("```")?.0)).collect())
    }

    /// What a block says, on both outputs.
    fn run(&self, block: &str) -> Result<String> {
        // A machine for tests has crun, and a busybox of the harness's own.
        let busybox = parts().busybox.display().to_string();
        let block = block.replace("which runc", "which crun").replace("cp /bin/busybox", &format!("cp {busybox}"));
        let mut bash = Command::new("bash");
        bash.args(["-euc", &format!("exec 2>&1\n{CARGO}{block}")]).env("VM", env!("CARGO_BIN_EXE_vm"));
        let crun =
            if self.name == "kata" { format!("--file /sbin/crun={}", parts().crun.display()) } else { String::new() };
        bash.env("MORE", crun);
        let output = bash.current_dir(self.ground.path(".")).output().context("cannot run bash")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{}: {block}{said}", self.name);
        Ok(said)
    }
}

/// Runs a page; its task's command has to be this one.
fn follow(name: &'static str, program: &str, ready: &str, task: &str, append: &str, words: &str) -> Result<()> {
    let page = Page::of(name, program)?;
    let _guest = beside_others();
    let boot = page.blocks(3)?;
    let [boot, told] = boot[..] else { panic!("{name}: {boot:?}") };
    assert_eq!(told, format!("cargo vm task {task}\n"));
    assert!(page.run(boot)?.contains("ready after "), "{boot}");
    page.blocks(4)?.into_iter().try_for_each(|block| page.run(block).map(drop))?;
    if name == "kata" {
        let plan = fs::read_to_string(page.ground.path("my.plan"))?;
        page.ground.file("my.plan", plan.replace("\nexec ", "\nbind /sbin/crun\nexec "), 0o644)?;
    }
    page.blocks(5)?.into_iter().try_for_each(|block| page.run(block).map(drop))?;
    let image = page.ground.path("initramfs");
    let booted = Booted::start(append, &format!("--initramfs {} --ready {ready} {words}", image.display()))?;
    let own_root = if name == "firecracker-containerd" { "" } else { " --rootfs /rootfs" };
    let said = booted.task(&format!("{task}{own_root}"))?;
    assert!(said.ends_with("container exited 42\n"), "{name}: {said}");
    Ok(())
}

#[test]
fn of_nerdbox_leads_to_a_container() -> Result<()> {
    let words = "-- -vsock-rpc-port=1025 -vsock-stream-port=1026 -vsock-cid=3";
    follow("nerdbox", "vminitd", "dial:1025", super::NERDBOX, "", words)
}

#[test]
fn of_kata_leads_to_a_container() -> Result<()> {
    follow("kata", "kata-agent", "listen:1024", super::KATA, "cgroup_no_v1=all", "")
}

#[test]
fn of_firecracker_containerd_leads_to_a_container() -> Result<()> {
    follow("firecracker-containerd", "agent", "listen:10789", super::FIRECRACKER, "", "")
}
