//! A user's mistakes in what is packed: programs, libraries, links, mounts, archives. Each is found by `check` or `pack` in
//! one line, with what to write or do instead; those in a plan's words alone are in the table of `mistakes`.

mod table;

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};
use vm::compression::Compression;
use vm::cpio::{Archive, Kind, Rights};

use crate::pack::Ground;
use table::MISTAKES;

/// What there is to pack, and what is packed already.
fn ground() -> Result<Ground> {
    let ground = Ground::new()?;
    let agent = fs::read(ground.path("agent"))?;
    let mut foreign = agent.clone();
    // e_machine: 183 is EM_AARCH64.
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    ground.file("foreign", foreign, 0o755)?.file("plain", "plain text", 0o755)?.file("empty", "", 0o755)?;
    ground.file("closed", &agent, 0o644)?.file("page", "<html>404", 0o755)?.file("agent.exe", "MZ", 0o755)?;
    ground.file("script", "#!/bin/sh\nexit\n", 0o755)?.file("crlf", "#!/bin/sh\r\nexit\r\n", 0o755)?;
    ground.file("big", vec![1; 300_000], 0o644)?.file("agent.gz", b"\x1f\x8b\x08", 0o755)?;
    ground.file("directory/a", "a", 0o644)?;
    fs::copy("/bin/ls", ground.path("dynamic"))?;
    for tree in ["linked", "dangling"] {
        ground.file(&format!("{tree}/usr/bin/agent"), &agent, 0o755)?.file(&format!("{tree}/sbin/a"), "", 0o644)?;
    }
    symlink("../usr/bin/agent", ground.path("linked/sbin/agent"))?;
    symlink("../usr/bin/agnet", ground.path("dangling/sbin/agent"))?;
    for (tree, init, mode) in
        [("closed-init", fs::read(ground.path("init"))?, 0o644), ("script-init", b"#!/bin/sh\n".into(), 0o755)]
    {
        ground.file(&format!("{tree}/init"), init, mode)?.file(&format!("{tree}/sbin/agent"), &agent, 0o755)?;
    }
    let mut late = Archive::new(Vec::new());
    late.add("sbin/agent", Rights::root(0o755), Kind::File(&agent))?;
    late.add("sbin", Rights::root(0o755), Kind::Directory)?;
    let late = late.finish()?;
    let mut odd = Compression::Gzip.apply(&late)?;
    odd.resize(odd.len().next_multiple_of(4) + 1, 0);
    ground.file("odd", [odd.as_slice(), &late].concat(), 0o644)?.file("late", late, 0o644)?;
    ground.file("crc64", b"\xfd7zXZ\0\0\x04", 0o644)?.file("frame", b"\x04\"M\x18f", 0o644)?;
    ground.file("comment", b"\x1f\x8b\x08\x10", 0o644)?.file("odc", "070707000", 0o644)?;
    Ok(ground)
}

/// Whether a line is the one expected, in which `…` stands for what is this machine's.
fn is_like(line: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || expected.ends_with('…')
}

#[test]
fn is_found_before_a_boot_with_what_to_do() -> Result<()> {
    let ground = ground()?;
    for (steps, command, expected) in MISTAKES {
        ground.plan(format!("root size=256k\n{steps}\nexec /sbin/agent\n"))?;
        let is_pack = command.starts_with("pack");
        let output =
            ground.vm(&if is_pack { format!("{command} --init init --plan p -o out") } else { command.into() })?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        let found = said.lines().filter(|line| is_like(line, expected)).count();
        ensure!(found == 1, "{steps:?} {command}: no {expected:?} in {said}");
        let fails = !expected.contains(": warning: ") || said.lines().any(|line| line.starts_with("p:"));
        ensure!(output.status.code() == Some(i32::from(fails)), "{steps:?} {command}: {:?} {said}", output.status);
        ensure!(!ground.path("out").exists(), "{steps:?} {command}: it has written something");
    }
    Ok(())
}
