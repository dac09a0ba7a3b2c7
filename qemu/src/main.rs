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
use vm::{boot, client, containerd, docs, test};

/// Packs, boots and tests moveroot.
#[derive(Parser)]
#[command(bin_name = "cargo vm", version)]
enum Command {
    /// Boot a real kernel with moveroot as its init and run a container there.
    Boot(boot::Options),
    /// Run a container by a real containerd, in a VM that moveroot boots.
    Containerd(containerd::Options),
    /// Run a container through an agent that runs already, as its own shim does.
    Task(client::Options),
    /// Run everything CI runs.
    Test(test::Options),
    /// Make a reproducible initramfs.
    Pack(pack::Options),
    /// Name the errors of a boot plan, by itself or against a tree or an image.
    Check(check::Options),
    /// Run init on a tree or an image here, without a VM, and show what its service finds.
    Try(trial::Options),
    /// Measure time, size and memory against peers.
    Bench(bench::Options),
    /// Show where init's bytes go.
    Size(size::Options),
    /// Look for a text that the plan parser is wrong with.
    Fuzz(fuzz::Options),
    /// See where a boot goes: perf in a guest, a timeline, instructions by step.
    Profile(profile::Options),
    /// Boot on each kernel in use, in each scenario that kernels make a difference in.
    Matrix(matrix::Options),
    /// Make docs/ a site that opens without a server or a network.
    Docs(docs::Options),
}

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
    }
}
