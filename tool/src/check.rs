//! `check`: a boot plan's errors, found by the init's own parser; against a tree or an image also what the plan
//! would miss there.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::fit;
use crate::initramfs::Initramfs;
use crate::plan::{Finding, Plan};
use report::{Format, Report, Severity};

const EXIT_CODES: &str = "Exit codes:
  0  no findings, or warnings only
  1  errors, with --strict warnings too, or something that cannot be read
  2  wrong usage";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Options {
    /// Boot plans; if none is named, /boot.plan of the tree or image, or the built-in plan if it has none
    #[arg(value_name = "PLAN", required_unless_present_any = ["root", "initramfs"])]
    pub plans: Vec<PathBuf>,
    /// A directory that is the initramfs, to check the plan against
    #[arg(long, value_name = "DIR", conflicts_with = "initramfs")]
    pub root: Option<PathBuf>,
    /// An initramfs to check the plan against, compressed or not
    #[arg(long, value_name = "FILE")]
    pub initramfs: Option<PathBuf>,
    /// How to print what is found
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Exit with 1 for warnings too
    #[arg(long)]
    pub strict: bool,
}

impl Options {
    fn plans(&self, tree: Option<&Initramfs>) -> Result<Vec<Plan>> {
        match tree {
            Some(tree) if self.plans.is_empty() => Ok(vec![Plan::of_tree(tree)?]),
            _ => self.plans.iter().map(|path| Plan::read(path)).collect(),
        }
    }

    /// What the kernel leaves out of the tree, and why it could not start its `/init`, if it has one.
    fn of_tree(&self, tree: Option<&Initramfs>) -> Result<Vec<Report>> {
        let Some(tree) = tree else { return Ok(Vec::new()) };
        let path = self.root.as_ref().or(self.initramfs.as_ref());
        let file = path.map_or(String::new(), |path| path.display().to_string());
        let report = |severity, text| Report::of_file(&file, severity, text);
        let left_out = tree.left_out().into_iter();
        let mut reports: Vec<Report> = left_out.map(|line| report(Severity::Warning, line)).collect();
        if self.initramfs.is_some() && tree.at("/init").is_none() {
            let text = "there is no /init for the kernel to start: put moveroot's there, with mode 0755";
            reports.push(report(Severity::Warning, text.into()));
        } else if tree.contains("/init") {
            let said = |obstacle| format!("the kernel could not start it: {obstacle}");
            let obstacles = fit::obstacles_to_init(tree)?.into_iter();
            reports.extend(obstacles.map(|obstacle| report(Severity::Error, said(obstacle))));
        }
        Ok(reports)
    }
}

/// The command: see [`EXIT_CODES`].
pub fn run(options: &Options) -> Result<ExitCode> {
    let tree = Initramfs::told(options.root.as_deref(), options.initramfs.as_deref())?;
    let plans = options.plans(tree.as_ref())?;
    let mut reports = Vec::new();
    for plan in &plans {
        reports.extend(judge(plan, tree.as_ref())?);
    }
    let of_tree = options.of_tree(tree.as_ref())?;
    let is_clean = |plan: &&Plan| of_tree.is_empty() && reports.iter().all(|report| report.file != plan.name);
    let clean: Vec<String> = plans.iter().filter(is_clean).map(|plan| plan.name.clone()).collect();
    reports.extend(of_tree);
    options.format.show(&reports, &clean)?;
    let fails = |report: &Report| report.severity == Severity::Error || options.strict;
    Ok(if reports.iter().any(fails) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What there is to say of a plan, in the order of its lines.
fn judge(plan: &Plan, tree: Option<&Initramfs>) -> Result<Vec<Report>> {
    let (mut findings, meant) = plan.judged();
    let mut advice = None;
    if let Some(tree) = tree {
        let fit = fit::fit(&meant, tree)?;
        if !fit.uncarried.is_empty() {
            let lines = fit::lines(&fit.uncarried, tree, &meant);
            advice = Some(format!("add before line {}: {}", meant.with_lines(&[]).1, lines.join(", ")));
        }
        findings.extend(fit.findings);
        findings.extend(fit.needs);
    } else if !meant.has_gaps {
        findings.extend(fit::alone(&meant)?);
    }
    findings.sort();
    let advice = advice.map(|text| Report::of_file(&plan.name, Severity::Note, text));
    let report = |finding: Finding| Report::of_finding(&plan.name, finding);
    Ok(findings.into_iter().map(report).chain(advice).collect())
}
