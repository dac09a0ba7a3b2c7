//! Images for other processors: told from their programs, with the libraries of a system for them.

use std::fs;

use anyhow::Result;
use goblin::elf::header::EM_AARCH64;
use vm::arch::AARCH64;
use vm::initramfs::Initramfs;
use vm::kernel::Debian;
use vm::{build, elf};

use super::Ground;

const PLAN: &str = "root\nbind /lib\nbind /sbin/crun\nbind /sbin/agent\nexec /sbin/agent\n";

fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    ground.plan(PLAN)?;
    fs::copy(build::guest_for(&AARCH64, "agent", "agent")?, ground.path("foreign"))?;
    Ok(ground)
}

/// What it says, with its exit code.
fn said(ground: &Ground, words: &str) -> Result<(Option<i32>, String)> {
    let output = ground.vm(words)?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[test]
fn two_in_one_image_are_refused() -> Result<()> {
    let ground = ground()?;
    let found = said(&ground, "pack --plan p -o out --file /sbin/agent=agent --file /sbin/crun=foreign")?;
    let message = "vm: agent is for x86-64, and foreign for aarch64: an image is for one processor\n";
    assert_eq!((found.0, found.1.as_str()), (Some(1), message));
    assert!(!ground.path("out").exists());
    Ok(())
}

#[test]
fn an_image_gets_the_init_of_its_programs_and_libraries_of_a_sysroot() -> Result<()> {
    let ground = ground()?;
    let root = Debian { arch: &AARCH64, release: None }.crun()?;
    std::os::unix::fs::symlink(&root, ground.path("root"))?;
    let files = "--file /sbin/agent=foreign --file /sbin/crun=root/usr/bin/crun";
    let (code, message) = said(&ground, &format!("pack --plan p -o out {files}"))?;
    assert_eq!(code, Some(1), "{message}");
    let expected = "vm: a program of another processor: --sysroot names a system with its libraries: /sbin/crun needs it: \
                    cannot find /lib/ld-linux-aarch64.so.1";
    assert!(message.contains(expected), "{message}");

    let (code, message) = said(&ground, &format!("pack --plan p -o out {files} --sysroot root"))?;
    assert_eq!(code, Some(0), "{message}");
    let image = Initramfs::of_image(&ground.path("out"))?;
    for path in ["/init", "/sbin/crun", "/lib/ld-linux-aarch64.so.1", "/lib/aarch64-linux-gnu/libc.so.6"] {
        let content = image.at(path).map(|content| content.read()).transpose()?;
        assert_eq!(content.and_then(|bytes| elf::machine_of(&bytes)), Some(EM_AARCH64), "{path}");
    }
    let (code, message) = said(&ground, "check p --initramfs out")?;
    assert_eq!(code, Some(0), "{message}");
    let (code, message) = said(&ground, "try --initramfs out")?;
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("vm: the image is for aarch64, and this machine is x86-64: "), "{message}");
    Ok(())
}
