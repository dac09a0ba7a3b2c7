//! A profile's figures: printed as tables, kept as JSON, which [`super::compare`] reads.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::calls::StepCalls;
use crate::timeline::{Part, Timeline};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub date: String,
    /// This machine's kernel, its processor and how many.
    pub machine: String,
    pub kernel: String,
    /// Who ran the guest's instructions where they were not counted.
    pub accel: String,
    /// Words on the kernel's command line besides the harness's own.
    pub append: String,
    pub memory_mb: u32,
    pub cpus: u32,
    pub initramfs: String,
    /// In order; a phase that only one of the two clocks tells apart has one figure.
    pub phases: Vec<Line>,
    /// Where perf recorded.
    pub calls: Option<Calls>,
}

/// A phase of the boot: medians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub phase: String,
    pub part: Part,
    pub instructions: Option<f64>,
    pub microseconds: Option<f64>,
}

/// PID 1's system calls, from the init's entry to its service's, with perf's own weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    /// The guest's clock counted instructions, a thousand to a microsecond.
    pub counted: bool,
    pub entry_to_exec_us: f64,
    pub in_calls_us: f64,
    pub steps: Vec<StepCalls>,
}

/// Boots by either clock as one list of phases.
pub fn lines(timed: &[Timeline], counted: &[Timeline]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for timelines in [timed, counted] {
        let phases = timelines.first().map(|first| first.phases.as_slice()).unwrap_or_default();
        for (number, phase) in phases.iter().enumerate() {
            let place_of = |name: &str| lines.iter().position(|line| line.phase == name);
            if place_of(&phase.name).is_some() {
                continue;
            }
            // One that the other clock doesn't know stands before the next that it does.
            let place = phases[number..].iter().find_map(|next| place_of(&next.name)).unwrap_or(lines.len());
            let (phase, part) = (phase.name.clone(), phase.part);
            lines.insert(place, Line { phase, part, instructions: None, microseconds: None });
        }
    }
    for line in &mut lines {
        line.microseconds = median(timed, &line.phase);
        line.instructions = median(counted, &line.phase);
    }
    lines
}

fn median(timelines: &[Timeline], name: &str) -> Option<f64> {
    let all = timelines.iter().flat_map(|timeline| &timeline.phases);
    let mut lengths: Vec<f64> = all.filter(|phase| phase.name == name).map(|phase| phase.length).collect();
    lengths.sort_by(f64::total_cmp);
    lengths.get(lengths.len() / 2).copied()
}

impl Record {
    pub fn write(&self, out: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        fs::write(out, json).with_context(|| format!("cannot write {}", out.display()))
    }

    pub fn read(path: &Path) -> Result<Record> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no profile's record", path.display()))
    }

    /// All tables.
    pub fn tables(&self) -> String {
        let mut text = format!("{:<60} {:>14} {:>12}\n", "phase", "instructions", "µs");
        for line in &self.phases {
            let figure = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.0}"));
            let (instructions, microseconds) = (figure(line.instructions), figure(line.microseconds));
            text += &format!("{:<60} {instructions:>14} {microseconds:>12}\n", line.phase);
        }
        text + &self.calls.as_ref().map(Calls::table).unwrap_or_default()
    }
}

impl Calls {
    /// By step, each with its calls, the longest first.
    pub fn table(&self) -> String {
        let unit = if self.counted { "kinstr" } else { "µs" };
        let (heading, in_calls) = ("PID 1's system calls, by step", format!("in them, {unit}"));
        let mut text = format!("\n{heading:<60} {:>6} {in_calls:>16} {:>12}\n", "count", format!("step, {unit}"));
        for step in &self.steps {
            let count: u32 = step.calls.values().map(|(count, _)| count).sum();
            let time: f64 = step.calls.values().map(|(_, time)| time).sum();
            text += &format!("{:<60} {count:>6} {time:>16.1} {:>12.1}\n", step.step, step.microseconds);
            let mut calls: Vec<_> = step.calls.iter().collect();
            calls.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
            for (name, (count, time)) in calls {
                text += &format!("    {name:<56} {count:>6} {time:>16.1}\n");
            }
        }
        let (whole, calls) = (self.entry_to_exec_us, self.in_calls_us);
        let (rest, percent) = (whole - calls, (1.0 - calls / whole) * 100.0);
        text + &format!(
            "from init's entry to its service's {whole:.0} {unit}: {calls:.0} in system calls; {rest:.0} ({percent:.1} %) \
             outside of them, in init's own code, page faults and interrupts\n"
        )
    }
}
