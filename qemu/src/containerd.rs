//! `cargo vm containerd`: a real containerd, whose runtime is the shim of qemu/shim, and a container by `ctr run`.

pub mod daemon;
mod image;
mod phases;
pub mod setup;

use std::io::{Read, Write};
use std::process::{ExitCode, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use clap::Args;

use machine::accel::{self, Choice};
use machine::demo::Parts;

use daemon::Daemon;
pub use image::NAME as IMAGE;
use sources::build;

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  the container's; 1 too if it could not be run: the last lines say why";

/// What runs if nothing else is said.
const GREETING: &str = "echo \"hello from a container on $(uname -s) $(uname -r), $(uname -m)\"; exit 42";

/// For ctr.
const TASK: &str = "demo";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// Who runs the guest's instructions
    #[arg(long, value_enum, default_value_t)]
    pub accel: Choice,
    /// The guest's memory, in MB
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: u32,
    /// Who keeps the container's root: native, which copies it, or overlayfs, where this machine lets containerd mount it
    #[arg(long, value_name = "NAME", default_value = "native")]
    pub snapshotter: String,
    /// Show containerd's log, with the shim's and the guest's console in it, when the container has ended
    #[arg(long, short)]
    pub verbose: bool,
    /// What to run in the container, a busybox [default: a greeting and exit code 42]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The command.
pub fn run(options: &Options) -> Result<ExitCode> {
    ensure!(rustix::process::geteuid().is_root(), "containerd mounts its containers' roots: run this as root");
    let parts = Parts::gather()?;
    let setup = setup::of(&parts, accel::choose(options.accel, &parts.kernel)?, options.memory)?;
    let daemon = Daemon::start(&build::shim()?, setup, &options.snapshotter)?;
    eprintln!("vm: {} has imported {IMAGE}", daemon.version()?);
    let ended = run_container(&daemon, options);
    if options.verbose {
        eprintln!("{}", daemon.log());
    }
    ended.with_context(|| format!("the last lines of containerd's log:\n{}", daemon.last_lines()))
}

fn run_container(daemon: &Daemon, options: &Options) -> Result<ExitCode> {
    let greeting = ["sh", "-c", GREETING].map(String::from);
    let command = if options.command.is_empty() { &greeting[..] } else { &options.command };
    let started = SystemTime::now();
    let mut ctr = daemon.run(&["--rm"], TASK, command);
    let mut ctr = ctr.stdin(Stdio::inherit()).stdout(Stdio::piped()).spawn().context("cannot run ctr")?;
    let first_line = pass_on(&mut ctr.stdout.take().context("ctr has no output")?)?;
    let status = ctr.wait().context("cannot wait for ctr")?;
    let code = status.code().with_context(|| format!("ctr: {status}"))?;
    let phases = daemon.phases()?;
    ensure!(code == 0 || phases.iter().any(|phase| phase.name == "started"), "ctr run failed: its words are above");
    phases::show(started, &phases, first_line, SystemTime::now());
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// The container's output, as it comes; when its first line was there.
fn pass_on(output: &mut impl Read) -> Result<Option<SystemTime>> {
    let (mut buffer, mut first_line) = ([0; 4096], None);
    loop {
        let length = output.read(&mut buffer).context("cannot read ctr's output")?;
        let bytes = &buffer[..length];
        if first_line.is_none() && bytes.contains(&b'\n') {
            first_line = Some(SystemTime::now());
        }
        if bytes.is_empty() {
            return Ok(first_line);
        }
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).context("cannot write the container's output")?;
    }
}
