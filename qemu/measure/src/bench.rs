//! `cargo vm bench`: moveroot, the floor under it and its peers side by side in one run. A boot that was wrong ends it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

mod caches;
pub mod candidate;
mod counted;
mod finding;
mod floor;
mod guest;
mod launch;
pub mod native;
mod peers;
mod program;
mod progress;
pub mod record;
mod statistics;
pub mod whole;

use crate::records;
use candidate::Kind;
use guest::Guests;
use machine::accel::{self, Choice};
pub use record::Record;
use sources::arch::X86_64;
use sources::{apt, build, host, kernel};
use tool::output;

/// The parts of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// In namespaces of this machine: time
    Native,
    /// In a VM that counts instructions
    Icount,
    /// In a VM from QEMU's start on: time and memory
    Vm,
}

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only this part [default: all]
    #[arg(long, value_enum)]
    pub only: Option<Part>,
    /// Rounds of the native part
    #[arg(long, value_name = "N", default_value_t = 101)]
    pub rounds: usize,
    /// Boots of each candidate in a VM
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub boots: usize,
    /// A few rounds: to see that it works
    #[arg(long)]
    pub quick: bool,
    /// A kernel for the guests [default: the newest cloud kernel of this Debian release]
    #[arg(long, value_name = "PATH")]
    pub kernel: Option<PathBuf>,
    /// Keep the figures in qemu/records; `cargo vm docs --update` draws them
    #[arg(long)]
    pub record: bool,
    /// Compare with the init of another checkout of this repository, natively and with nobody else
    #[arg(long, value_name = "DIR", conflicts_with_all = ["only", "record"])]
    pub against: Option<PathBuf>,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    if let Some(checkout) = &options.against {
        return compare(options, checkout);
    }
    let directory = if options.record { records::directory() } else { peers::directory()? };
    let part = options.only.map(|part| format!("-{part:?}").to_lowercase()).unwrap_or_default();
    let json = directory.join(format!("bench-{}{part}.json", host::date()?));
    output::ensure_writable(&json)?;
    let (kinds, left_out) = takers()?;
    let service = peers::probe()?;
    let (rounds, boots) = if options.quick { (5, 1) } else { (options.rounds, options.boots) };
    let mut record = blank(left_out)?;
    if options.wants(Part::Native) {
        eprintln!("vm: native boots, {rounds} rounds");
        record.native = native::run(&kinds, None, &service, rounds).context("native")?;
    }
    if options.only != Some(Part::Native) {
        let guests = guests(options, &service)?;
        record.guest_kernel = kernel::name(&guests.kernel);
        record.accel = guests.accel.to_string();
        if options.wants(Part::Icount) {
            eprintln!("vm: boots that count instructions, {boots} rounds");
            record.icount = counted::candidates(&guests, &kinds, boots).context("icount")?;
            record.icount_steps = counted::steps(&guests, boots).context("icount, step by step")?;
        }
        if options.wants(Part::Vm) {
            eprintln!("vm: whole boots, {boots} rounds");
            record.vm = whole::run(&guests, &kinds, boots).context("vm")?;
        }
    }
    print!("{}", record.tables());
    record.write(&json)?;
    eprintln!("vm: wrote {}", json.display());
    Ok(ExitCode::SUCCESS)
}

/// Before and after a change, in one interleaved run.
fn compare(options: &Options, checkout: &Path) -> Result<ExitCode> {
    let checkout = checkout.canonicalize().with_context(|| format!("cannot find {}", checkout.display()))?;
    apt::ensure_programs(&["gcc", "musl-gcc"])?;
    let rounds = if options.quick { 5 } else { options.rounds };
    let mut record = blank(Vec::new())?;
    record.native = native::run(&[Kind::Moveroot, Kind::Other], Some(&checkout), &peers::probe()?, rounds)?;
    print!("{}", record.tables());
    Ok(ExitCode::SUCCESS)
}

/// Who takes part, and who can't.
fn takers() -> Result<(Vec<Kind>, Vec<String>)> {
    let mut kinds = Kind::ALL.to_vec();
    kinds.retain(|kind| *kind != Kind::Other);
    let mut left_out = Vec::new();
    if let Some(reason) = peers::ensure_compilers()? {
        kinds.retain(|kind| *kind != Kind::Go);
        left_out.push(reason);
    }
    Ok((kinds, left_out))
}

fn blank(left_out: Vec<String>) -> Result<Record> {
    let init = build::init(None)?;
    Ok(Record {
        date: host::date()?,
        machine: host::description()?,
        toolchain: host::toolchain()?,
        guest_kernel: String::new(),
        accel: String::new(),
        init_bytes: init.metadata().with_context(|| format!("cannot find {}", init.display()))?.len(),
        left_out,
        native: Vec::new(),
        icount: Vec::new(),
        icount_steps: Vec::new(),
        vm: Vec::new(),
    })
}

fn guests(options: &Options, service: &Path) -> Result<Guests> {
    apt::ensure_programs(&[X86_64.qemu.program])?;
    let kernel = match &options.kernel {
        Some(kernel) => kernel.canonicalize().with_context(|| format!("cannot find {}", kernel.display()))?,
        None => kernel::newest()?,
    };
    let accel = accel::choose(Choice::Auto, &kernel)?;
    Ok(Guests::new(kernel, accel, service))
}
