//! `cargo vm size`: where init's bytes go, and what changed since the last record. The program itself has no symbols,
//! so the linker is asked for a map of a second build of the same code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use sources::arch::{self, Arch, X86_64};
use sources::toolchain::{self, Needs};
use sources::{build, host, workspace};
use tool::output;

const PAGE: u64 = 4096;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where the bytes of the init for this processor go, instead: aarch64, riscv64
    #[arg(long, value_name = "NAME", default_value = "x86_64", value_parser = Arch::named)]
    pub arch: &'static Arch,
    /// Where the bytes of the init go that runs the built-in plan alone, instead: the feature fixed-plan
    #[arg(long, conflicts_with = "arch")]
    pub fixed: bool,
    /// Keep the figures in qemu/records
    #[arg(long, conflicts_with_all = ["arch", "fixed"])]
    pub record: bool,
    /// Compare with this record [default: the newest in qemu/records]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["arch", "fixed"])]
    pub against: Option<PathBuf>,
}

/// Bytes of an init.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    date: String,
    toolchain: String,
    bytes: u64,
    /// Of the inits for other processors, and of the one with a fixed plan.
    #[serde(default)]
    others: BTreeMap<String, u64>,
    /// The file's header, code, constants, and what lies between them.
    parts: BTreeMap<String, u64>,
    symbols: BTreeMap<String, u64>,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    let mut now = measure(options.arch, options.fixed)?;
    if *options.arch != X86_64 || options.fixed {
        print!("{}", table(&now, None));
        return Ok(ExitCode::SUCCESS);
    }
    now.others = others();
    let directory = workspace::root().join("qemu/records");
    let before = options.against.clone().or(newest(&directory)?).map(|path| read(&path)).transpose()?;
    print!("{}", table(&now, before.as_ref()));
    if options.record {
        let path = free(&directory, &now.date)?;
        let json = serde_json::to_string_pretty(&now)? + "\n";
        fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
        eprintln!("vm: wrote {}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Sizes of the inits for those processors that a compiler is there for, or can be fetched, and of those that run the built-in
/// plan alone.
fn others() -> BTreeMap<String, u64> {
    let mut sizes = BTreeMap::new();
    for arch in arch::ALL {
        let fixed = (format!("{arch}, the built-in plan alone"), build::fixed_init_for(arch));
        let reading = (*arch != X86_64).then(|| (arch.to_string(), build::init_for(arch)));
        for (name, init) in reading.into_iter().chain([fixed]) {
            match init.and_then(|init| length(&init)) {
                Ok(bytes) => drop(sizes.insert(name, bytes)),
                Err(error) => eprintln!("{}", output::message(&format!("vm: no size for {name}: {error:#}"))),
            }
        }
    }
    sizes
}

fn length(init: &Path) -> Result<u64> {
    Ok(fs::metadata(init).with_context(|| format!("cannot find {}", init.display()))?.len())
}

fn measure(arch: &Arch, fixed: bool) -> Result<Record> {
    let init = if fixed { build::fixed_init(None)? } else { build::init_for(arch)? };
    let bytes = length(&init)?;
    let mut record = Record { date: host::date()?, toolchain: host::toolchain()?, bytes, ..Record::default() };
    let map = link_map(arch, fixed)?;
    let sections: Vec<(u64, u64, &str)> = map.lines().filter_map(section).collect();
    let header = header(&sections).context("the linker's map has no entry")?;
    record.parts.insert("header".into(), header);
    for (_, size, name) in &sections {
        let part = if name.starts_with(".text") { "code" } else { "constants" };
        *record.parts.entry(part.into()).or_default() += size;
        *record.symbols.entry(symbol(name)).or_default() += size;
    }
    let used: u64 = record.parts.values().sum();
    let padding = bytes.checked_sub(used).filter(|padding| *padding < PAGE);
    let padding = padding.context("the map is of another init than the one that was built")?;
    record.parts.insert("padding".into(), padding);
    Ok(record)
}

/// The file's beginning, up to the code, of which the entry is a part: linker/init.ld.
fn header(sections: &[(u64, u64, &str)]) -> Option<u64> {
    let is_entry = |(.., name): &&(u64, u64, &str)| *name == ".text._start";
    sections.iter().find(is_entry)?;
    Some(sections.iter().map(|(address, ..)| address).min()? % PAGE)
}

/// Links init once more, and has the linker write down what went where.
fn link_map(arch: &Arch, fixed: bool) -> Result<String> {
    let directory = workspace::cache("size")?;
    // A file for each: cargo does not link again what it has linked, and so writes no map again.
    let path = directory.join(format!("{}{arch}.map", if fixed { "fixed-" } else { "" }));
    let mut cargo = build::cargo_for_init("rustc");
    if !arch.is_native() {
        toolchain::target(&mut cargo, arch, Needs::Core)?;
    }
    cargo.args(fixed.then_some("--features=fixed-plan")).arg("--target-dir").arg(&directory);
    cargo.arg("--").arg(format!("-Clink-arg=-Wl,-Map={}", path.display()));
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo could not link init with a map: {status}");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// (address, bytes, name) of a line for an input section: `address address size alignment file:(name)`, in
/// hexadecimal.
fn section(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split_whitespace();
    let address = u64::from_str_radix(words.next()?, 16).ok()?;
    let size = u64::from_str_radix(words.nth(1)?, 16).ok()?;
    let name = line.strip_suffix(')')?.rsplit_once(":(")?.1;
    (size > 0 && (name.starts_with(".text") || name.starts_with(".rodata"))).then_some((address, size, name))
}

/// A section's name as a symbol: rustc gives each function and each constant a section of its own.
fn symbol(section: &str) -> String {
    let name = section.trim_start_matches(".text").trim_start_matches(".rodata").trim_start_matches('.');
    match name {
        name if name.contains("Lanon") => "constants without a name".to_string(),
        name if name.starts_with("str") => "strings".to_string(),
        name => format!("{:#}", rustc_demangle::demangle(name)),
    }
}

fn table(now: &Record, before: Option<&Record>) -> String {
    let mut text = format!("init: {} bytes{}\n", now.bytes, change(now.bytes, before.map(|record| record.bytes)));
    if let Some(before) = before {
        text += &format!("compared with {}, {}\n", before.date, before.toolchain);
    }
    for (name, bytes) in &now.others {
        let before = before.and_then(|record| record.others.get(name)).copied();
        text += &format!("init for {name}: {bytes} bytes{}\n", change(*bytes, before));
    }
    text += "\n";
    text += &rows(&now.parts, before.map(|record| &record.parts));
    text += "\n";
    text + &rows(&now.symbols, before.map(|record| &record.symbols))
}

/// The largest first; what is gone at the end.
fn rows(now: &BTreeMap<String, u64>, before: Option<&BTreeMap<String, u64>>) -> String {
    let gone = before.into_iter().flatten().filter(|(name, _)| !now.contains_key(*name)).map(|(name, _)| (name, &0));
    let mut sorted: Vec<(&String, &u64)> = now.iter().chain(gone).collect();
    sorted.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
    let line = |(name, size): (&String, &u64)| {
        let before = before.map(|before| before.get(name).copied().unwrap_or_default());
        format!("{size:>6}{:>8}  {name}\n", change(*size, before))
    };
    sorted.into_iter().map(line).collect()
}

fn change(now: u64, before: Option<u64>) -> String {
    match before {
        Some(before) if before != now => format!(" {:+}", now as i64 - before as i64),
        _ => String::new(),
    }
}

/// The name of a new record: from the second of a day on with a letter behind the date.
fn free(directory: &Path, date: &str) -> Result<PathBuf> {
    let letters = ('b'..='z').map(String::from);
    let mut names = std::iter::once(String::new()).chain(letters).map(|letter| format!("size-{date}{letter}.json"));
    names
        .find_map(|name| Some(directory.join(name)).filter(|path| !path.exists()))
        .context("so many records of one day")
}

/// Names carry their dates, so the last in order is the newest.
fn newest(directory: &Path) -> Result<Option<PathBuf>> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(None) };
    let mut found: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    found.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("size-")));
    Ok(found.into_iter().max())
}

fn read(path: &Path) -> Result<Record> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no record of sizes", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_of_a_day_takes_anothers_place() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let mut written = Vec::new();
        for _ in 0..3 {
            let path = free(directory.path(), "2026-11-22")?;
            assert!(!path.exists());
            fs::write(&path, "")?;
            assert_eq!(newest(directory.path())?, Some(path.clone()));
            written.push(path);
        }
        assert!(free(directory.path(), "2026-11-23")? > written[2]);
        Ok(())
    }

    #[test]
    fn the_header_ends_where_the_code_begins() {
        let entry = (0x40_00b0, 20, ".text._start");
        assert_eq!(header(&[entry, (0x40_00c4, 5, ".text.begin")]), Some(176));
        assert_eq!(header(&[(0x40_00b5, 20, ".text._start"), (0x40_00b0, 5, ".text.begin")]), Some(176));
        assert_eq!(header(&[(0x40_00b0, 5, ".text.begin")]), None);
    }

    #[test]
    fn a_maps_lines_are_read() {
        let line = "   400118    400118    2f    1    /deps/init.o:(.text._ZN8moveroot3sys4exit17h26e21a88933617fcE)";
        let (address, size, name) = section(line).unwrap();
        assert_eq!((address, size, symbol(name)), (0x40_0118, 0x2f, "moveroot::sys::exit".to_string()));
        assert_eq!(symbol(".rodata.str1.1"), "strings");
        assert!(section("   400000   400000   1d85   4 .init").is_none());
        assert!(section("   400118   400118   2f   1         moveroot::sys::exit").is_none());
    }
}
