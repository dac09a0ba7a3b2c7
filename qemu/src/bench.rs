//! `cargo vm bench`: moveroot, the floor under it and its peers side by side in one run. A boot that was wrong ends it.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

mod candidate;
mod finding;
mod floor;
mod launch;
mod native;
mod peers;
mod program;
mod statistics;

use candidate::Kind;

/// The parts of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// In namespaces of this machine: time
    Native,
    /// In a VM that counts instructions
    Icount,
    /// In a VM from QEMU's start on, with memory
    Vm,
}

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only this part [default: all]
    #[arg(long, value_enum)]
    pub only: Option<Part>,
    /// Native rounds
    #[arg(long, value_name = "N", default_value_t = 101)]
    pub rounds: usize,
    /// A few rounds of everything: to see that it works
    #[arg(long)]
    pub quick: bool,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    let has_go = peers::ensure_compilers()?;
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| has_go || *kind != Kind::Go).collect();
    let service = peers::probe()?;
    let lines = native::run(&kinds, &service, if options.quick { 5 } else { options.rounds })?;
    for line in lines {
        println!("{line:?}");
    }
    Ok(ExitCode::SUCCESS)
}
