//! What was packed, and what it means for the guest's memory.

use std::fmt::Display;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use super::Options;
use super::planned::Planned;
use crate::fit::Memory;
use crate::initramfs::{Content, Initramfs};
use crate::output;

const KIB: u64 = 1024;

/// Path in the guest, bytes, where it is from.
type Row = (String, u64, String);

/// All that is told.
pub struct Table {
    /// A file or directory that was asked for, or a library that came along.
    rows: Vec<Row>,
    entries: usize,
    /// Of all files, as an archive, compressed.
    bytes: [u64; 3],
    compression: String,
    out: String,
    decompressed: usize,
    /// None where an init was given that may have any plan built in.
    planned: Option<Planned>,
}

impl Table {
    pub fn of(
        options: &Options,
        tree: &Initramfs,
        brought: &[String],
        [archive, packed]: [usize; 2],
        decompressed: usize,
        planned: Option<Planned>,
    ) -> Result<Table> {
        let mut all = 0;
        for (_, _, content) in tree.entries() {
            all += content.size()?;
        }
        Ok(Table {
            rows: rows(options, tree, brought, planned.as_ref())?,
            entries: tree.entries().count(),
            bytes: [all, archive as u64, packed as u64],
            compression: options.compress.to_string(),
            out: options.out.display().to_string(),
            decompressed,
            planned,
        })
    }

    /// For a person.
    pub fn show(&self) {
        if self.decompressed > 0 {
            let count = self.decompressed;
            println!("packed decompressed, for kernels that cannot do it themselves: {count} modules");
        }
        self.planned.iter().for_each(Planned::show_numbers);
        self.show_rows();
        if let Some(planned) = &self.planned {
            show_memory(planned.fit.memory, self.bytes[2]);
            planned.fit.shares.iter().for_each(|share| println!("{}", output::folded(share, 4)));
        }
        println!("\npacked {}", self.out);
    }

    fn show_rows(&self) {
        let names = self.rows.iter().map(|(guest, ..)| guest.chars().count());
        let width = names.max().unwrap_or(0).max("in the guest".len());
        let row = |name: &str, bytes: &dyn Display, from: &str| {
            let row = format!("{name:width$}  {bytes:>11}  {from}");
            println!("{}", output::folded(row.trim_end(), width + 15));
        };
        row("in the guest", &"bytes", "from");
        self.rows.iter().for_each(|(guest, bytes, from)| row(guest, bytes, from));
        let [all, archive, packed] = self.bytes;
        row("together", &all, &format!("{} entries", self.entries));
        row("as an archive", &archive, "");
        let share = packed as f64 * 100.0 / archive.max(1) as f64;
        row("packed", &packed, &format!("compression: {}, {share:.0} %", self.compression));
    }

    /// For a script.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|(path, bytes, from)| json!({"path": path, "bytes": bytes, "from": from}));
        let [all, archive, packed] = self.bytes;
        json!({
            "out": self.out,
            "files": rows.collect::<Vec<_>>(),
            "entries": self.entries,
            "bytes": {"files": all, "archive": archive, "packed": packed},
            "compression": self.compression,
            "modules_decompressed": self.decompressed,
            "plan": self.planned.as_ref().map(Planned::json),
        })
    }
}

/// A row for each file or directory that was asked for, and for each library that came along.
fn rows(options: &Options, tree: &Initramfs, brought: &[String], planned: Option<&Planned>) -> Result<Vec<Row>> {
    let shown = |path: &PathBuf| path.display().to_string();
    let mut rows = vec![row(tree, "/init", options.init.as_ref().map_or("moveroot's own".into(), shown))?];
    if tree.contains("/boot.plan") {
        let from = options.plan.as_ref().map_or("the built-in plan".into(), shown);
        let added = match planned.map_or(0, |planned| planned.numbers.added.len()) {
            0 => String::new(),
            1 => " and 1 step".to_string(),
            added => format!(" and {added} steps"),
        };
        rows.push(row(tree, "/boot.plan", from + &added)?);
    }
    for (guest, host) in &options.files {
        rows.push(row(tree, guest, shown(host))?);
    }
    for library in brought {
        rows.push(row(tree, library, "a program needs it".into())?);
    }
    Ok(rows)
}

fn row(tree: &Initramfs, guest: &str, from: String) -> Result<Row> {
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
fn show_memory(memory: Memory, packed: u64) {
    let Memory { unpacked, copied, freed, largest } = memory;
    let packed = packed.next_multiple_of(4096);
    println!("\n{:34} {:>10} {:>10} {:>10}", "in the guest's memory, KiB", "initramfs", "new root", "together");
    for (when, initramfs, new_root) in [
        ("while the kernel unpacks, at most", unpacked + packed, 0),
        ("before the carry", unpacked, 0),
        ("during the largest copy, at most", unpacked, largest),
        ("after the carry", unpacked - copied - freed, copied),
    ] {
        let together = initramfs + new_root;
        println!("{when:34} {:>10} {:>10} {:>10}", initramfs / KIB, new_root / KIB, together / KIB);
    }
    println!(
        "The guest needs at least {} MiB and what the kernel takes for itself: it unpacks into a\n\
         tmpfs of half the memory that is left beside itself and the packed image; with root= on\n\
         its command line, into a ramfs, which has no limit.",
        least(unpacked, packed).div_ceil(KIB * KIB)
    );
}

/// With how much memory, less what the kernel takes for itself, a tmpfs holds what is unpacked: half of what is left when
/// it is mounted, shmem_default_max_blocks in mm/shmem.c, and the packed image is not in that.
fn least(unpacked: u64, packed: u64) -> u64 {
    2 * unpacked + packed
}
