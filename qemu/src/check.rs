//! `cargo vm check`: a boot plan's errors, found by the init's own parser; against a tree or an image also what the plan
//! would miss there.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::fit;
use crate::initramfs::Initramfs;
use crate::plan::Plan;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The boot plan
    pub plan: PathBuf,
    /// A folder that is the initramfs, to check the plan against
    #[arg(long, value_name = "DIR", conflicts_with = "initramfs")]
    pub root: Option<PathBuf>,
    /// An initramfs to check the plan against, compressed or not
    #[arg(long, value_name = "FILE")]
    pub initramfs: Option<PathBuf>,
}

/// The command: exits 1 if there is an error.
pub fn run(options: &Options) -> Result<ExitCode> {
    let plan = Plan::read(&options.plan)?;
    let tree = match (&options.root, &options.initramfs) {
        (Some(folder), _) => Some(Initramfs::of_folder(folder)?),
        (None, Some(image)) => Some(Initramfs::of_image(image)?),
        (None, None) => None,
    };
    let (mut findings, meant) = plan.judged();
    let mut advice = None;
    if let Some(tree) = &tree {
        let fit = fit::fit(&meant, tree)?;
        if !fit.uncarried.is_empty() {
            let lines = fit::lines(&fit.uncarried, tree, &meant);
            advice = Some(format!("add before line {}: {}", meant.with_lines(&[]).1, lines.join(", ")));
        }
        findings.extend(fit.findings);
        findings.extend(fit.needs);
        findings.sort();
    }
    for finding in &findings {
        println!("{}", finding.show(&plan.name));
    }
    if let Some(advice) = advice {
        println!("{}: {advice}", plan.name);
    }
    let has_error = findings.iter().any(|finding| !finding.is_warning);
    Ok(if has_error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
