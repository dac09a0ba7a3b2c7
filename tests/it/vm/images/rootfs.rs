//! What a kernel made of an image, beside what the tool reads in it: file by file.

use std::collections::BTreeSet;

use agent::{File, Report};
use anyhow::{Context, Result, ensure};
use vm::initramfs::{Content, Initramfs};

/// Where a plan binds the initramfs's root, for the agent to look through.
pub const BOUND: &str = "/initramfs";

/// Of the kernel's own archive, and init's mount point for the new root.
const GIVEN: [&str; 4] = ["/.moveroot", "/dev", "/dev/console", "/root"];

pub fn ensure_same(image: &[u8], report: &Report) -> Result<()> {
    let read = read(&Initramfs::unpack(image)?)?;
    let is_given = |line: &String| GIVEN.iter().any(|path| line.split(' ').next() == Some(*path));
    let files = report.files.iter().filter(|file| file.path.starts_with(BOUND));
    let made: BTreeSet<String> = files.map(made).collect::<Result<_>>()?;
    let only_read: Vec<_> = read.difference(&made).collect();
    let only_made: Vec<_> = made.difference(&read).filter(|line| !is_given(line)).collect();
    ensure!(!read.is_empty(), "nothing is read");
    ensure!(only_read.is_empty() && only_made.is_empty(), "read: {only_read:#?}\nmade: {only_made:#?}");
    Ok(())
}

fn read(tree: &Initramfs) -> Result<BTreeSet<String>> {
    let mut lines = BTreeSet::new();
    for (path, rights, content) in tree.entries() {
        let holds = match content {
            Content::Symlink(target) => target.clone(),
            content if content.is_file() => agent::sha256(&content.read()?),
            _ => String::new(),
        };
        lines.insert(line(&path, content.kind(), [rights.mode, rights.uid, rights.gid], &holds));
    }
    Ok(lines)
}

fn made(file: &File) -> Result<String> {
    let path = file.path.strip_prefix(BOUND).with_context(|| file.path.clone())?;
    let kind = match file.kind.as_str() {
        "symlink" => "link",
        "character" | "block" => "device",
        "fifo" => "FIFO",
        kind => kind,
    };
    let holds = file.target.as_ref().or(file.sha256.as_ref()).map_or("", String::as_str);
    Ok(line(path, kind, [file.mode, file.uid, file.gid], holds))
}

fn line(path: &str, kind: &str, [mode, uid, gid]: [u32; 3], holds: &str) -> String {
    format!("{path} {kind} {mode:04o} {uid}:{gid} {holds}")
}
