//! `check`: a boot plan's errors, found by the init's own parser; against a tree or an image also what the plan
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

impl Options {
    /// What the tree is called.
    fn tree(&self) -> String {
        let tree = self.root.as_ref().or(self.initramfs.as_ref());
        tree.map_or(String::new(), |tree| tree.display().to_string())
    }
}

/// The command: exits 1 if there is an error.
pub fn run(options: &Options) -> Result<ExitCode> {
    let plan = Plan::read(&options.plan)?;
    let tree = Initramfs::told(options.root.as_deref(), options.initramfs.as_deref())?;
    let (mut findings, meant) = plan.judged();
    let mut advice = None;
    let mut obstacles = Vec::new();
    if let Some(tree) = &tree {
        let fit = fit::fit(&meant, tree)?;
        if !fit.uncarried.is_empty() {
            let lines = fit::lines(&fit.uncarried, tree, &meant);
            advice = Some(format!("add before line {}: {}", meant.with_lines(&[]).1, lines.join(", ")));
        }
        findings.extend(fit.findings);
        findings.extend(fit.needs);
        findings.sort();
        if tree.contains("/init") {
            obstacles = fit::obstacles_to_init(tree)?;
        }
    } else if !meant.has_gaps {
        findings.extend(fit::alone(&meant)?);
        findings.sort();
    }
    for finding in &findings {
        println!("{}", finding.show(&plan.name));
    }
    if let Some(advice) = advice {
        println!("{}: {advice}", plan.name);
    }
    for obstacle in &obstacles {
        println!("{}: the kernel could not start it: {obstacle}", options.tree());
    }
    let has_error = !obstacles.is_empty() || findings.iter().any(|finding| !finding.is_warning);
    Ok(if has_error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
