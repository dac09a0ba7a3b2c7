//! `cargo vm check`: a boot plan's errors, found by the init's own parser.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::plan;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The boot plan
    pub plan: PathBuf,
}

/// The command: exits 1 if there is an error.
pub fn run(options: &Options) -> Result<ExitCode> {
    let faults = plan::faults(&options.plan)?;
    for fault in &faults {
        println!("{fault}");
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
