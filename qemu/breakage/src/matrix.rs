//! `cargo vm matrix`: the same boot on each kernel in use and in each scenario that kernels make a difference in.
//! Each cell says how its guest ended, not how long it took.

pub mod guest;
mod memory;
pub mod record;
pub mod scenarios;
mod truncated;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use clap::Args;

use guest::Subject;
use record::{Cell, Record, Verdict};
use scenarios::{Images, SCENARIOS};
use sources::arch::{Arch, X86_64};
use sources::host;
use tool::output;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The guests' processor: x86_64, aarch64, riscv64
    #[arg(long, value_name = "NAME", default_value = "x86_64", value_parser = Arch::named)]
    pub arch: &'static Arch,
    /// A Debian release whose newest cloud kernel to boot, more than one if given again; trixie:16k names a flavour of kernels
    /// [default: bullseye (5.10), bookworm (6.1), trixie (6.12), sid (the newest), of those that the processor has]
    #[arg(long, value_name = "NAME")]
    pub release: Vec<String>,
    /// A kernel of one's own to boot, more than one if given again
    #[arg(long, value_name = "PATH")]
    pub kernel: Vec<PathBuf>,
    /// Only the scenarios whose name contains this
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub only: String,
    /// Where to write a record
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
}

/// More would slow each other, and a guest that is slow enough looks like one that hangs.
const AT_A_TIME: usize = 2;

/// The command: exits 1 if a cell is wrong.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure_wanted(&options.only)?;
    options.json.as_deref().map(output::ensure_writable).transpose()?;
    let subjects = subjects(options)?;
    let record = fill(&subjects, |what| what.contains(&options.only))?;
    print!("{}", record.table());
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&record)?;
        std::fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if record.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Before anything is fetched: that there is a scenario of that name.
fn ensure_wanted(words: &str) -> Result<()> {
    let names: Vec<&str> = SCENARIOS.iter().map(|what| what.name).collect();
    let is_there = names.iter().any(|name| name.contains(words));
    ensure!(is_there, "no scenario's name contains {words:?}; they are: {}", names.join("; "));
    Ok(())
}

/// The kernels that moveroot has to boot on.
pub fn releases(arch: &'static Arch) -> Result<Vec<Subject>> {
    arch.kernels.iter().map(|name| Subject::of_release(arch, name)).collect()
}

fn subjects(options: &Options) -> Result<Vec<Subject>> {
    let own = options.kernel.iter().map(|path| Subject::own(options.arch, path));
    let releases = options.release.iter().map(|name| Subject::of_release(options.arch, name));
    let chosen = own.chain(releases).collect::<Result<Vec<_>>>()?;
    if chosen.is_empty() { self::releases(options.arch) } else { Ok(chosen) }
}

/// Boots each kernel, all of one processor, in each scenario that is wanted by its name.
pub fn fill(subjects: &[Subject], wanted: impl Fn(&str) -> bool) -> Result<Record> {
    let images = Images::gather(subjects.first().map_or(&X86_64, |subject| subject.arch))?;
    let wanted = SCENARIOS.iter().filter(|what| wanted(what.name));
    let cells: Vec<_> = wanted.flat_map(|what| subjects.iter().map(move |subject| (subject, what))).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some((subject, what)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cell = Cell::of(subject, what, what.try_on(subject, &images));
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push(cell);
                    tell(done.last(), done.len(), cells.len());
                }
            });
        }
    });
    let cells = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Record::new(subjects, cells, host::date()?, &images)
}

fn tell(cell: Option<&Cell>, done: usize, all: usize) {
    let Some(cell) = cell else { return };
    eprintln!("vm: {done}/{all} {}: {}: {}", cell.kernel, cell.scenario, cell.verdict);
    if cell.verdict == Verdict::Wrong {
        eprintln!("{}", cell.how);
    }
}
