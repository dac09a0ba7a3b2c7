//! `cargo vm`: the command line.

use std::process::ExitCode;

use anyhow::{Context, Result};
use breakage::{fuzz, matrix};
use clap::Parser;
use machine::cleanup;
use measure::{bench, profile, size};
use sources::{arch, build, kernel};
use tool::init::{Init, Sources};
use tool::{check, elf, output, pack, trial};
use vm::command::Command;
use vm::{boot, client, containerd, dist, docs, test};

/// The init of this workspace, the newest kernel's modules.
const SOURCES: Sources = Sources { init, modules: || kernel::modules(None) };

fn init(machine: u16) -> Result<Init> {
    let arch = arch::ALL.into_iter().find(|arch| arch.machine == machine);
    let arch = arch.with_context(|| format!("there is no init for {}: give --init", elf::machine_name(machine)))?;
    build::init_for(arch).map(Init::File)
}

fn main() -> ExitCode {
    let command = Command::parse();
    // Until the end of this function.
    let _cleanup = match cleanup::of_this_run() {
        Ok(cleanup) => cleanup,
        Err(error) => {
            eprintln!("{}", output::message(&format!("vm: {error:#}")));
            return ExitCode::FAILURE;
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", output::message(&format!("vm: {error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Boot(options) => boot::run(&options),
        Command::Containerd(options) => containerd::run(&options),
        Command::Task(options) => client::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Pack(options) => pack::run(&options, &SOURCES),
        Command::Check(options) => check::run(&options),
        Command::Try(options) => trial::run(&options, &SOURCES),
        Command::Bench(options) => bench::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Profile(options) => profile::run(&options),
        Command::Matrix(options) => matrix::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Dist(options) => dist::run(&options),
    }
}
