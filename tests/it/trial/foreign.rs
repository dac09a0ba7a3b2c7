//! Images for another processor: by an emulator that binfmt_misc has for it, which a user namespace may have to itself from
//! Linux 6.7 on, so that nothing is registered on this machine.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vm::arch::{AARCH64, Arch, RISCV64};
use vm::{build, kernel};

use super::{has_line, texts};
use crate::pack::Ground;

const PLAN: &str =
    "root\nmount proc /proc proc\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\nlimit nofile 100 200\n";

/// Registers an emulator with these flags, then runs the command.
const SCRIPT: &str = "read go && mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
printf %s \"$1\" >/proc/sys/fs/binfmt_misc/register && shift && exec \"$@\"";

/// The first bytes of an ELF program of a processor, and which of them count, as binfmt_misc is told them.
fn registration(arch: &Arch, flags: &str) -> Result<String> {
    let magic = format!(r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x{:02x}\x00", arch.machine);
    let mask = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
    Ok(format!(":foreign:M::{magic}:{mask}:{}:{flags}", kernel::qemu_user(arch)?.display()))
}

/// An image of a processor whose plan ends with `last`.
fn image(arch: &'static Arch, last: &str) -> Result<Ground> {
    let ground = Ground::new()?;
    ground.plan(format!("{PLAN}{last} /sbin/agent --report\n"))?;
    fs::copy(build::init_for(arch)?, ground.path("init"))?;
    fs::copy(build::guest_for(arch, "agent", "agent")?, ground.path("agent"))?;
    ground.pack("--file /sbin/agent=agent")?;
    Ok(ground)
}

/// `try` beside such an emulator: exit code, output, errors.
fn tried(ground: &Ground, entry: &str, words: &str) -> Result<(Option<i32>, String, String)> {
    let mut command = Command::new("unshare");
    command.args(["--user", "--mount", "sh", "-c", SCRIPT, "sh", entry, env!("CARGO_BIN_EXE_vm"), "try"]);
    command.args(["--init", "init", "--initramfs", "out"]).args(words.split_whitespace()).current_dir(ground.path(""));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mapped = Instant::now() + Duration::from_secs(10);
    for file in ["uid_map", "gid_map"] {
        let path = format!("/proc/{}/{file}", child.id());
        // Before it is in a namespace of its own nobody may write it.
        while fs::write(&path, "0 0 100000\n").is_err() {
            ensure!(Instant::now() < mapped, "cannot write {path}");
            sleep(Duration::from_millis(10));
        }
    }
    child.stdin.take().context("it has an input")?.write_all(b"go\n")?;
    texts(child.wait_with_output()?)
}

fn is_tried(arch: &'static Arch) -> Result<()> {
    let ground = image(arch, "exec")?;
    for flags in ["F", "PF"] {
        let (code, said, errors) = tried(&ground, &registration(arch, flags)?, "--run -- word")?;
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
        for line in ["root", "bind /sbin/agent", "limit nofile 100 200", "program /sbin/agent, pid 1"] {
            assert!(has_line(&said, line), "{line}: {said}");
        }
        assert!(has_line(&said, "arguments /sbin/agent --report word"), "{said}");
        let (_, after) = said.split_once("devtmpfs /dev devtmpfs\n").context("the step is there")?;
        assert!(after.trim_start().starts_with("substitute: a directory with the devices"), "{said}");
        let report = agent::Report::find(&said).with_context(|| said.clone())?;
        assert_eq!(report.argv, ["/sbin/agent", "--report", "word"]);
        assert!(report.problems.is_empty(), "{:?}", report.problems);
    }
    Ok(())
}

#[test]
fn an_image_for_aarch64_is_tried_by_an_emulator() -> Result<()> {
    is_tried(&AARCH64)
}

#[test]
fn an_image_for_riscv64_is_tried_by_an_emulator() -> Result<()> {
    is_tried(&RISCV64)
}

#[test]
fn what_an_emulator_cannot_do_is_said() -> Result<()> {
    let ground = image(&AARCH64, "spawn")?;
    let (code, said, errors) = tried(&ground, &registration(&AARCH64, "PF")?, "")?;
    assert_eq!((code, errors.as_str()), (Some(1), "moveroot: boot.plan:6: spawn /sbin/agent: EINVAL (22)\n"), "{said}");
    assert!(has_line(
        &said,
        "qemu-user starts no child without a signal for its end, which init's have not: boot it in QEMU instead"
    ));

    let (code, _, errors) = tried(&ground, &registration(&AARCH64, "P")?, "")?;
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("since its entry has no flag F"), "{errors}");

    let (code, _, errors) = tried(&ground, &registration(&RISCV64, "PF")?, "")?;
    let expected = "vm: the image is for aarch64, and this machine is x86-64: binfmt_misc has no emulator of it; the package \
                    qemu-user-binfmt has, before Debian 13 qemu-user-static\n";
    assert_eq!((code, errors.as_str()), (Some(1), expected));
    Ok(())
}
