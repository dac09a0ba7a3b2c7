//! Blocks of README.md and docs/, run word by word: with the test's own programs, mocks for the agents, and a kernel that is there.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use vm::{apt, build, kernel, vsock, workspace};

use super::blocks::{self, block};
use crate::pack::Ground;
use crate::vm::{beside_others, parts};

/// What a block's programs are here. Nothing is installed or fetched; QEMU runs where there is no KVM, as the pages say.
const PROGRAMS: &str = r#"exec 2>&1
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
cargo() { test "$1" = vm && timeout --foreground 100 "$VM" "${@:2}"; }
moveroot() { "$MOVEROOT" "$@"; }
sudo() { :; }
apt-get() { :; }
dpkg-deb() { mkdir -p mine/kernel/lib/modules; ln -s "${KERNEL%/*}" mine/kernel/boot; ln -s "$MODULES" mine/kernel/lib/modules; }
docker() { tar -C root -cf root.tar .; }
which() { case "$1" in busybox) echo "$BUSYBOX" ;; *) command -v "$1" ;; esac; }
qemu-system-x86_64() {
    local words=() word
    for word; do
        case "$word" in
        kvm) words+=(tcg -cpu max) ;;
        *tsc_early_khz=*) words+=("$word") ;;
        *console=*) words+=("tsc_early_khz=2400000 $word") ;;
        *) words+=("$word") ;;
        esac
    done
    timeout --foreground 100 qemu-system-x86_64 "${words[@]}" </dev/null
}
"#;

/// A directory with `agent`, `init` and a plan, and what was run there.
struct Shell(Ground);

impl Shell {
    fn new() -> Result<Shell> {
        Ok(Shell(Ground::new()?))
    }

    /// What a block prints.
    fn run(&self, block: &str) -> Result<String> {
        let mut bash = Command::new("bash");
        bash.args(["-euc", &format!("{PROGRAMS}{block}")]).current_dir(self.0.path("."));
        bash.env("VM", env!("CARGO_BIN_EXE_vm")).env("MOVEROOT", build::tool()?).env("BUSYBOX", &parts().busybox);
        bash.env("KERNEL", &parts().kernel).env("MODULES", kernel::modules(None)?);
        let output = bash.output().context("cannot run bash")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "{block}{said}");
        Ok(said)
    }

    /// The kernel as the pages call it.
    fn link_kernel(&self) -> Result<()> {
        Ok(std::os::unix::fs::symlink(&parts().kernel, self.0.path("vmlinuz"))?)
    }
}

const SHORT: &str =
    "root\nmount devtmpfs /dev devtmpfs\nmount proc /proc proc\nbind /sbin/agent\nexec /sbin/agent --report\n";
const REPORT: &str = "moveroot-report: ";

/// With README's own plan, but that the agent reports what it finds.
#[test]
fn readmes_three_steps() -> Result<()> {
    apt::ensure_programs(&["crun"])?;
    let shell = Shell::new()?;
    shell.link_kernel()?;
    let plan = block("README.md", "root size=128m")?;
    shell.0.file("my.plan", plan.replace("exec /sbin/agent", "exec /sbin/agent --report"), 0o644)?;
    assert_eq!(shell.run("moveroot check my.plan")?, "my.plan: no problems found\n");
    let said = shell.run(&block("README.md", "moveroot pack")?)?;
    assert!(said.contains("  program      /sbin/agent, pid 1"), "{said}");
    let _guest = beside_others();
    let said = shell.run(&block("README.md", "qemu-system")?)?;
    let arguments = r#""argv":["/sbin/agent","--report","--words","--for","--the","--agent"]"#;
    assert!(said.contains(arguments), "{said}");
    Ok(())
}

#[test]
fn agents_that_are_packed() -> Result<()> {
    for (page, plan) in [("containerization", ""), ("kuasar", ""), ("nvrc", ""), ("libkrun", "my.plan")] {
        let shell = Shell::new()?;
        std::os::unix::fs::symlink(workspace::root().join("plans"), shell.0.path("plans"))?;
        if !plan.is_empty() {
            let text = fs::read_to_string(workspace::root().join(format!("plans/{page}.plan")))?;
            shell.0.file(plan, text.replace("exec ", "bind /bin/workload\nexec "), 0o644)?;
        }
        let block = block(&format!("docs/agents/{page}.md"), "cargo vm pack")?;
        for file in block.split_whitespace().filter_map(|word| word.split_once("=./")) {
            fs::copy(shell.0.path("agent"), shell.0.path(file.1))?;
        }
        shell.run(&block)?;
        assert!(shell.0.path("initramfs").is_file(), "{page}");
    }
    Ok(())
}

/// The whole page, in order.
#[test]
fn an_agent_of_your_own() -> Result<()> {
    apt::ensure_programs(&["gcc", "mkfs.erofs"])?;
    let shell = Shell::new()?;
    std::os::unix::fs::symlink(workspace::root().join("plans"), shell.0.path("plans"))?;
    let _guest = beside_others();
    let mut said = String::new();
    for block in blocks::of("docs/agents/own.md")? {
        match block.language.as_str() {
            "sh" => said += &shell.run(&block.text)?,
            "c" => drop(shell.0.file("mine/agent.c", block.text, 0o644)?),
            "indented" if block.text.starts_with("root ") => drop(shell.0.file("mine/my.plan", block.text, 0o644)?),
            "indented" => assert!(block.text.lines().take(2).all(|line| said.contains(line)), "{}: {said}", block.text),
            other => panic!("a block of {other}"),
        }
    }
    assert!(said.contains("no problems found\n") && said.contains("the agent made no report"), "{said}");
    assert_eq!(said.matches("agent: the container exited 0").count(), 2, "{said}");
    Ok(())
}

/// What embedding.md's examples have beside them.
fn embedded() -> Result<Shell> {
    let shell = Shell::new()?;
    shell.0.file("boot.plan", SHORT, 0o644)?;
    Ok(shell)
}

#[test]
fn an_initramfs_by_make() -> Result<()> {
    apt::ensure_programs(&["make", "cpio"])?;
    let shell = embedded()?;
    shell.link_kernel()?;
    shell.0.file("Makefile", block("docs/embedding.md", "initramfs: ")?, 0o644)?;
    shell.run("make")?;
    let _guest = beside_others();
    let said = shell.run(&block("docs/embedding.md", "qemu-system")?)?;
    assert!(said.contains(REPORT), "{said}");
    Ok(())
}

#[test]
fn an_initramfs_by_bsdtar() -> Result<()> {
    apt::ensure_programs(&["bsdcpio"])?;
    let shell = embedded()?;
    shell.run("install -D init root/init && install -D agent root/sbin/agent && cp boot.plan root")?;
    shell.run(&block("docs/embedding.md", "docker build")?)?;
    let said = shell.run("cargo vm check --strict --initramfs initramfs")?;
    assert!(said.contains("no problems found"), "{said}");
    Ok(())
}

/// The block that starts QEMU with vhost-user and a client, with the mock of the agent.
#[test]
fn nerdboxs_qemu() -> Result<()> {
    let (page, shell) = ("docs/agents/nerdbox.md", Shell::new()?);
    std::os::unix::fs::symlink(workspace::root().join("plans"), shell.0.path("plans"))?;
    fs::copy(build::guest("mocks", "nerdbox")?, shell.0.path("vminitd"))?;
    shell.link_kernel()?;
    for begins in ["mkdir -p rootfs", "cargo vm pack"] {
        shell.run(&block(page, begins)?.replace("cp /bin/busybox", "cp $BUSYBOX"))?;
    }
    let device = format!("vhost-device-vsock() {{ exec {} \"$@\"; }}\n", vsock::user::program()?.display());
    let block = block(page, "mkdir -p sockets")?.replace("-append \"", "-append \"mock_serves=1 ");
    let _guest = beside_others();
    let said = shell.run(&(device + &block))?;
    assert!(said.contains("container exited 42\n"), "{said}");
    Ok(())
}
