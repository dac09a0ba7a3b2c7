//! `try`: the real init on a tree or an image, here and now, in namespaces of its own. It runs with no right
//! over this machine, so nothing outside can change: where only a VM's root may do something, something else stands in,
//! and that is said.

mod emulator;
mod gone;
mod ledger;
mod sandbox;
mod substitute;
mod tried;
mod view;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgGroup, Args};

use crate::fit;
use crate::init::Sources;
use crate::initramfs::Initramfs;
use crate::plan::Plan;
use crate::tracer::Tracer;
use emulator::Emulator;
use gone::Gone;
use tried::Tried;

/// Of this command, at the end of its help.
const EXIT_CODES: &str = "\
Exit codes:
  0      init became the service, or spawned it; with --run, it ended by
         reboot(2), the service's own or init's after it
  1      init ended before, or nothing could be tried: a message says which
  2      the command line is wrong
  other  with --run: what the service exited with; 128 and the signal's number
         if a signal ended it";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
#[command(group = ArgGroup::new("tree").required(true).args(["root", "initramfs"]))]
pub struct Options {
    /// The boot plan [default: the tree's /boot.plan, else the built-in one]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// A directory to try as the initramfs; it stays as it is. This or --initramfs is needed
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// An image to try as the initramfs, compressed or not. This or --root is needed
    #[arg(long, value_name = "FILE")]
    pub initramfs: Option<PathBuf>,
    /// A built init [default: build one]
    #[arg(long, value_name = "PATH")]
    pub init: Option<PathBuf>,
    /// Run the service, too, instead of ending it before its first instruction
    #[arg(long)]
    pub run: bool,
    /// Print steps and ending as one line of JSON instead, after all that the service prints
    #[arg(long)]
    pub json: bool,
    /// Words for the service
    #[arg(last = true, value_name = "WORDS")]
    pub words: Vec<String>,
}

/// The command: exits 1 if the boot comes to no service, else 0, or what the service exits with.
pub fn run(options: &Options, sources: &Sources) -> Result<ExitCode> {
    let (tree, plan, emulator) = gather(options, sources)?;
    let mut tracer = sandbox::start(&tree, &options.words)?;
    if !options.json {
        let by = emulator.as_ref().map_or(String::new(), |emulator| format!(", by {}", emulator.interpreter));
        println!("trying {} as {}, in namespaces of its own{by}\n", plan.name, sandbox::whose());
        tree.left_out().iter().for_each(|line| println!("{line}"));
    }
    let watched = watch::watch(&mut tracer, &plan, emulator.as_ref())?;
    let mut tried = Tried { plan: &plan, findings: findings(&tree, &plan)?, watched, gone: None };
    if !options.json {
        tried.show();
    }
    if tried.watched.ending.is_none() {
        go_on(options, tracer, &mut tried, emulator.as_ref())?;
    }
    if options.json {
        println!("{}", tried.json());
    }
    Ok(ExitCode::from(tried.code()))
}

/// From the service's first instruction on.
fn go_on(options: &Options, tracer: Tracer, tried: &mut Tried, emulator: Option<&Emulator>) -> Result<()> {
    if !options.json {
        println!("\n{}", view::of(tracer.service, emulator)?);
    }
    if !options.run {
        return Ok(());
    }
    if !options.json {
        println!("the service runs:");
    }
    let is_spawned = tracer.service != tracer.pid;
    let end = tracer.let_go()?;
    let gone = if is_spawned { Gone::of_init(end) } else { Gone::of(end) };
    if !options.json {
        println!("{gone}");
    }
    tried.gone = Some(gone);
    Ok(())
}

/// What is tried, with init, and nothing in it that still lies outside; who runs it.
fn gather(options: &Options, sources: &Sources) -> Result<(Initramfs, Plan, Option<Emulator>)> {
    let tree = Initramfs::told(options.root.as_deref(), options.initramfs.as_deref())?;
    let mut tree = tree.context("neither --root DIR nor --initramfs FILE")?;
    let plan = match &options.plan {
        Some(plan) => Plan::read(plan)?,
        None => Plan::of_tree(&tree)?,
    };
    let machine = fit::machine_of_init(&tree)?;
    let init = sources.init(options.init.as_deref(), || Ok(machine))?.read()?;
    let emulator = Emulator::of(&init, machine)?;
    tree.remove("/init").bytes("/init", 0o755, init);
    tree.remove("/boot.plan").bytes("/boot.plan", 0o644, plan.text());
    Ok((tree.in_memory()?, plan, emulator))
}

/// What `check` has to say of the same plan and tree: why a step failed, or the service will.
fn findings(tree: &Initramfs, plan: &Plan) -> Result<Vec<String>> {
    let mut fit = fit::fit(plan, tree)?;
    fit.findings.append(&mut fit.needs);
    fit.findings.sort();
    Ok(fit.findings.iter().map(|finding| finding.show(&plan.name)).collect())
}
