//! What was packed, and what it means for the guest's memory.

use anyhow::Result;

use super::Options;
use crate::fit::Memory;
use crate::initramfs::{Content, Initramfs};

const KIB: u64 = 1024;

/// What is in it: a line for each file or folder that was asked for, and for each library that came along.
pub fn show(options: &Options, tree: &Initramfs, brought: &[String], [archive, packed]: [usize; 2]) -> Result<()> {
    let mut rows =
        vec![row(tree, "/init", options.init.as_ref().map_or("built here".into(), |init| init.display().to_string()))?];
    if tree.contains("/boot.plan") {
        let from = options.plan.as_ref().map_or("the built-in plan".into(), |plan| plan.display().to_string());
        let added = if options.carry_libs { " and lines for libraries" } else { "" };
        rows.push(row(tree, "/boot.plan", from + added)?);
    }
    for (guest, host) in &options.files {
        rows.push(row(tree, guest, host.display().to_string())?);
    }
    for library in brought {
        rows.push(row(tree, library, "a program needs it".into())?);
    }
    let width = rows.iter().map(|(guest, ..)| guest.chars().count()).max().unwrap_or(0).max("in the guest".len());
    println!("{:width$}  {:>11}  from", "in the guest", "bytes");
    for (guest, bytes, from) in &rows {
        println!("{guest:width$}  {bytes:>11}  {from}");
    }
    let mut all = 0;
    for (_, _, content) in tree.entries() {
        all += content.size()?;
    }
    println!("{:width$}  {all:>11}  {} entries", "together", tree.entries().count());
    println!("{:width$}  {archive:>11}", "as an archive");
    let share = packed as f64 * 100.0 / archive.max(1) as f64;
    println!("{:width$}  {packed:>11}  compression: {}, {share:.0} %", "packed", options.compress);
    Ok(())
}

fn row(tree: &Initramfs, guest: &str, from: String) -> Result<(String, u64, String)> {
    let real = tree.resolve(guest).unwrap_or_else(|| guest.to_string());
    let Some(content) = tree.at(&real).filter(|content| **content == Content::Directory) else {
        let bytes = tree.at(&real).map(Content::size).transpose()?.unwrap_or(0);
        return Ok((guest.to_string(), bytes, from));
    };
    let (mut bytes, mut files) = (content.size()?, 0);
    for (_, content) in tree.below(&real).filter(|(_, content)| content.is_file()) {
        bytes += content.size()?;
        files += 1;
    }
    Ok((guest.to_string(), bytes, format!("{from}, {files} files")))
}

/// What the guest's memory holds of it, in whole pages, as tmpfs keeps files.
pub fn show_memory(memory: Memory, packed: usize) {
    let Memory { unpacked, copied, largest } = memory;
    let packed = (packed as u64).next_multiple_of(4096);
    println!("\n{:34} {:>10} {:>10} {:>10}", "in the guest's memory, KiB", "initramfs", "new root", "together");
    for (when, initramfs, new_root) in [
        ("while the kernel unpacks, at most", unpacked + packed, 0),
        ("before the carry", unpacked, 0),
        ("during the largest copy, at most", unpacked, largest),
        ("after the carry", unpacked - copied, copied),
    ] {
        let together = initramfs + new_root;
        println!("{when:34} {:>10} {:>10} {:>10}", initramfs / KIB, new_root / KIB, together / KIB);
    }
}
