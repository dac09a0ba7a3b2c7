//! The plan that is packed: the one given, with the lines for modules and libraries where these are asked for.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Options, refuse, warn};
use crate::fit::{self, Fit, Memory};
use crate::initramfs::Initramfs;
use crate::insertion::{self, Numbers};
use crate::modules::{self, Module};
use crate::output;
use crate::plan::{Finding, Plan};

/// The plan and what is known of it.
pub struct Planned {
    pub own: Plan,
    /// Of the plan that is packed, beside the person's own.
    pub numbers: Numbers,
    pub fit: Fit,
}

impl Planned {
    /// The steps that were added, and which lines have other numbers by that.
    pub fn show_numbers(&self) {
        if self.numbers.added.is_empty() {
            return;
        }
        println!("added to the packed plan, /boot.plan:");
        for (line, step) in &self.numbers.added {
            println!("{}", output::folded(&format!("{line:>6}  {step}"), 10));
        }
        match self.numbers.show(&self.own.name, "/boot.plan").as_slice() {
            [] => println!("in the place of comments and blank lines: your lines keep their numbers\n"),
            moved => println!(
                "messages and exit codes name lines of /boot.plan, where some numbers differ:\n  {}\n",
                moved.join("\n  ")
            ),
        }
    }

    pub fn json(&self) -> Value {
        let Numbers { added, moved } = &self.numbers;
        let added = added.iter().map(|(line, step)| json!({"line": line, "step": step}));
        let moved = moved.iter().map(|(first, last, by)| json!({"first": first, "last": last, "moved_by": by}));
        let Memory { unpacked, copied, freed, largest } = self.fit.memory;
        json!({
            "name": self.own.name,
            "added": added.collect::<Vec<_>>(),
            "moved": moved.collect::<Vec<_>>(),
            "memory": {"unpacked": unpacked, "copied": copied, "freed": freed, "largest_copy": largest},
        })
    }
}

/// Puts the plan with its added lines into the tree. Refuses what would not boot.
pub fn pack(options: &Options, tree: &mut Initramfs, own: Plan, modules: &[Module]) -> Result<Planned> {
    let loading = with_modules(&own, modules)?;
    let (packed, fit) = fitted(options, tree, &own, loading)?;
    let numbers = Numbers::of(&own, &packed);
    if !numbers.added.is_empty() {
        tree.bytes("/boot.plan", 0o644, packed.text());
    }
    Ok(Planned { own, numbers, fit })
}

/// The plan with the lines that load these modules.
fn with_modules(own: &Plan, modules: &[Module]) -> Result<Plan> {
    refuse(&own.name, &own.findings())?;
    if modules.is_empty() {
        return Ok(own.clone());
    }
    let text = String::from_utf8_lossy(own.text());
    let longer = modules::planned(&text, modules).with_context(|| format!("{}: this would not boot", own.name))?;
    let longer = Plan::of(&own.name, longer);
    if Numbers::of(own, &longer).added.is_empty() {
        return Ok(own.clone());
    }
    refuse(&format!("{} with the modules' lines", own.name), &longer.findings())?;
    Ok(longer)
}

/// The plan with the lines that carry libraries, where these are asked for, and what it makes of the tree.
fn fitted(options: &Options, tree: &mut Initramfs, own: &Plan, plan: Plan) -> Result<(Plan, Fit)> {
    let faults = own.findings();
    let fit = fit::fit(&plan, tree)?;
    let told = |findings: &[Finding], plan: &Plan| numbered(findings, &Numbers::of(own, plan));
    refuse(&own.name, &told(&fit.findings, &plan))?;
    let needs = told(&fit.needs, &plan);
    let warn_all = |fit: &Fit, plan: &Plan| warn(&own.name, faults.iter().chain(&told(&fit.findings, plan)));
    if needs.is_empty() {
        warn_all(&fit, &plan);
        return Ok((plan, fit));
    }
    let lines = fit::lines(&fit.uncarried, tree, &plan);
    if !options.carry_libs {
        let is_error = needs.iter().any(|need| !need.is_warning);
        let line = own.with_lines(&[]).1;
        let advice = format!("add before line {line}, or let --carry-libs do it:\n    {}", lines.join("\n    "));
        let shown: Vec<String> = needs.iter().map(|need| need.show(&own.name)).collect();
        ensure!(!is_error, "this would not boot:\n{}\n{advice}", shown.join("\n"));
        warn_all(&fit, &plan);
        warn(&own.name, needs.iter());
        return Ok((plan, fit));
    }
    let longer = Plan::of(&own.name, insertion::carried(&plan, &lines));
    let name = format!("{} with the libraries' lines", own.name);
    refuse(&name, &longer.findings())?;
    tree.bytes("/boot.plan", 0o644, longer.text());
    let fit = fit::fit(&longer, tree)?;
    refuse(&name, fit.findings.iter().chain(&fit.needs))?;
    warn_all(&fit, &longer);
    Ok((longer, fit))
}

/// Findings by the person's own lines. Those of added lines have none.
fn numbered(findings: &[Finding], numbers: &Numbers) -> Vec<Finding> {
    let own = |finding: &Finding| {
        let place = finding.place.and_then(|(line, column)| Some((numbers.own_line(line)?, column)));
        Finding { place, ..finding.clone() }
    };
    findings.iter().map(own).collect()
}
