//! `moveroot`: the command line.

mod pages;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use nix::sys::signal::{SigHandler, Signal, signal};
use tool::init::{Init, Sources};
use tool::{check, elf, output, pack, trial};

/// Checks boot plans, tries and packs initramfs images with moveroot as their init.
#[derive(Parser)]
#[command(name = "moveroot", version, after_help = EXIT_CODES)]
enum Command {
    /// Make a reproducible initramfs.
    Pack(pack::Options),
    /// Name the errors of a boot plan, by itself or against a tree or an image.
    Check(check::Options),
    /// Run init on a tree or an image here, without a VM, and show what its service finds.
    Try(trial::Options),
    /// Write the init to a file.
    Init {
        /// The file to write
        #[arg(value_name = "PATH")]
        out: PathBuf,
        /// The processor it is for [default: x86_64]
        #[arg(long, value_name = "NAME", value_parser = machine)]
        arch: Option<u16>,
    },
    /// Write the man pages: of each command and of boot plans.
    Man {
        /// The directory to write them to
        #[arg(value_name = "DIR")]
        out: PathBuf,
    },
    /// Print a shell's completions.
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

const EXIT_CODES: &str = "Exit codes: 0, nothing is wrong; 1, something is, as the output says; 2, the command line is wrong.\n\
`moveroot try --run` exits with the service's own code.";

/// One for each processor that was built.
const INITS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/inits.rs"));

const SOURCES: Sources = Sources {
    init,
    modules: || bail!("--module needs --kernel-package: a kernel's package, or a directory with lib/modules/VERSION"),
};

fn init(machine: u16) -> Result<Init> {
    let name = elf::machine_name(machine);
    let found = INITS.iter().find(|(processor, _)| Some(*processor) == elf::processor(machine));
    let (processor, bytes) =
        found.with_context(|| format!("no init for {name} was built into this program: give --init"))?;
    Ok(Init::BuiltIn { processor, bytes })
}

/// The machine of a processor that there is an init for.
fn machine(processor: &str) -> Result<u16, String> {
    let names: Vec<&str> = INITS.iter().map(|(name, _)| *name).collect();
    let machine = names.contains(&processor).then(|| elf::machine_named(processor)).flatten();
    machine.ok_or(format!("this program has the init for {}", names.join(", ")))
}

fn main() -> ExitCode {
    // Whoever reads our output may have enough: then end as other programs do, without a word.
    // SAFETY: SIG_DFL is no handler, and no thread has been started.
    let _ = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) };
    run(Command::parse()).unwrap_or_else(|error| {
        eprintln!("{}", output::message(&format!("moveroot: {error:#}")));
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Pack(options) => pack::run(&options, &SOURCES),
        Command::Check(options) => check::run(&options),
        Command::Try(options) => trial::run(&options, &SOURCES),
        Command::Init { out, arch } => {
            let init = init(arch.unwrap_or(elf::DEFAULT_MACHINE))?;
            pages::write_init(&out, &init.read()?).map(|()| ExitCode::SUCCESS)
        }
        Command::Man { out } => pages::write(&Command::command(), &out).map(|()| ExitCode::SUCCESS),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Command::command(), "moveroot", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}
