//! What `cargo vm pack` makes, booted by QEMU as the README says, without the harness.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agent::Report;
use anyhow::{Context, Result, ensure};
use vm::qemu::Accel;
use vm::{accel, clock, workspace};

use super::{LIMIT, parts};
use crate::pack::Ground;

/// The README's command, with what it says of a machine without KVM.
fn documented(ground: &Ground, words: &str) -> Result<Command> {
    let readme = std::fs::read_to_string(workspace::root().join("README.md"))?;
    let from = readme.find("qemu-system-x86_64 -M").context("the README has no command line")?;
    let text = readme[from..].split("\n```").next().unwrap_or_default().replace("\\\n", " ");
    for part in ["-accel kvm", "-kernel vmlinuz", "-initrd initramfs"] {
        ensure!(text.contains(part), "no {part} in {text}");
    }
    // The path that it is at may need quotes.
    symlink(&parts().kernel, ground.path("vmlinuz"))?;
    let text = text.replace("-initrd initramfs", "-initrd out").replace("--words --for --the --agent", words);
    let text = match accel::best(&parts().kernel)? {
        Accel::Kvm => text,
        Accel::Tcg => {
            let hint = format!("tsc_early_khz={} panic=-1", clock::tsc_khz());
            text.replace("-accel kvm", "-cpu max").replace("panic=-1", &hint)
        }
    };
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {text}")]).current_dir(ground.path(""));
    Ok(command)
}

/// All that came out of the console.
fn boot(ground: &Ground, words: &str) -> Result<String> {
    let mut command = documented(ground, words)?;
    let transcript = ground.path("transcript");
    let file = std::fs::File::create(&transcript)?;
    let started = Instant::now();
    let mut qemu = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    while qemu.try_wait()?.is_none() {
        if started.elapsed() > LIMIT {
            qemu.kill()?;
            qemu.wait()?;
            let said = String::from_utf8_lossy(&std::fs::read(&transcript)?).into_owned();
            anyhow::bail!("{command:?} did not end: {said}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(transcript)?).into_owned())
}

#[test]
fn a_static_program_is_the_service() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    ground.pack("--file /sbin/agent=agent --compress gzip")?;
    let transcript = boot(&ground, "--word")?;
    let report = Report::find(&transcript).with_context(|| transcript.clone())?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "--word"], "{transcript}");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    Ok(())
}

/// With the program that people have.
#[test]
fn what_moveroot_packs_boots() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\nexec /sbin/agent --report\n")?;
    let output = ground.moveroot("pack --plan p --file /sbin/agent=agent -o out")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let transcript = boot(&ground, "--word")?;
    let report = Report::find(&transcript).with_context(|| transcript.clone())?;
    assert_eq!(report.argv, ["/sbin/agent", "--report", "--word"], "{transcript}");
    Ok(())
}

/// A script, its interpreter, and the libraries of that.
#[test]
fn a_dynamic_program_is_the_service() -> Result<()> {
    let ground = Ground::new()?;
    ground.plan("root\nmount devtmpfs /dev devtmpfs\nbind /sbin/agent\ncopy /bin/sh\nexec /sbin/agent\n")?;
    ground.file("script", "#!/bin/sh\necho service $$ has \"$@\"\nexit 7\n", 0o755)?;
    ground.pack("--file /sbin/agent=script --file /bin/sh=/bin/sh --carry-libs --compress zstd")?;
    let transcript = boot(&ground, "--word")?;
    assert!(transcript.contains("service 1 has --word"), "{transcript}");
    assert!(transcript.contains("exitcode=0x00000700"), "{transcript}");
    Ok(())
}
