//! `try`: the real init on a tree or an image, here and now, in namespaces of its own. It runs with no right
//! over this machine, so nothing outside can change: where only a VM's root may do something, something else stands in,
//! and that is said.

mod enclosure;
mod forbidden;
mod ledger;
mod memory;
mod stand_in;
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
use watch::{Ending, Watched};

#[derive(Args, Clone, Debug)]
#[command(group = ArgGroup::new("tree").required(true).args(["root", "initramfs"]))]
pub struct Options {
    /// The boot plan [default: the tree's /boot.plan, else the built-in one]
    #[arg(long, value_name = "PATH")]
    pub plan: Option<PathBuf>,
    /// A folder to try as the initramfs; it stays as it is. This or --initramfs is needed
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
    /// Words for the service
    #[arg(last = true, value_name = "WORDS")]
    pub words: Vec<String>,
}

/// The command: exits 1 if the boot comes to no service, else 0, or what the service exits with.
pub fn run(options: &Options, sources: &Sources) -> Result<ExitCode> {
    let (tree, plan) = gather(options, sources)?;
    let held = enclosure::start(&tree, &options.words)?;
    println!("trying {} as {}, in namespaces of its own\n", plan.name, held.whose());
    let watched = watch::watch(&held, &plan)?;
    show_steps(&watched);
    show_findings(&tree, &plan)?;
    let Ending::Service = watched.ending else {
        println!("\nno service runs: {}", watched.ending);
        return Ok(ExitCode::FAILURE);
    };
    println!("\n{}", view::of(held.pid)?);
    if !options.run {
        return Ok(ExitCode::SUCCESS);
    }
    println!("the service runs:");
    let code = held.let_go()?;
    println!("the service exited with {code}");
    Ok(ExitCode::from(code))
}

/// What is tried, with init, and nothing in it that still lies outside.
fn gather(options: &Options, sources: &Sources) -> Result<(Initramfs, Plan)> {
    let tree = Initramfs::told(options.root.as_deref(), options.initramfs.as_deref())?;
    let mut tree = tree.context("neither --root DIR nor --initramfs FILE")?;
    let plan = match &options.plan {
        Some(plan) => Plan::read(plan)?,
        None => Plan::of_tree(&tree)?,
    };
    let init = sources.init(options.init.as_deref())?;
    tree.remove("/init").bytes("/init", 0o755, init.read()?);
    tree.remove("/boot.plan").bytes("/boot.plan", 0o644, plan.text());
    Ok((tree.in_memory()?, plan))
}

/// What `check` has to say of the same plan and tree: why a step failed, or the service will.
fn show_findings(tree: &Initramfs, plan: &Plan) -> Result<()> {
    let mut fit = fit::fit(plan, tree)?;
    fit.findings.append(&mut fit.needs);
    fit.findings.sort();
    if !fit.findings.is_empty() {
        println!("\nwhat `check` finds:");
    }
    for finding in &fit.findings {
        println!("  {}", finding.show(&plan.name));
    }
    Ok(())
}

fn show_steps(watched: &Watched) {
    println!("{:>4} {:>8}  step", "line", "µs");
    for step in &watched.steps {
        let time = step.time.map_or(String::new(), |time| format!("{:.0}", time.as_secs_f64() * 1e6));
        println!("{:>4} {time:>8}  {}", step.line, step.text);
        for note in &step.notes {
            println!("{:15}{note}", "");
        }
        if matches!(watched.ending, Ending::Exit(code) if code as usize == step.line) {
            println!("{:15}init ended here, for the reason it gave", "");
        }
    }
    println!(
        "\nTimes are those of the steps' system calls while they are watched; `cargo vm bench` measures unwatched."
    );
}
