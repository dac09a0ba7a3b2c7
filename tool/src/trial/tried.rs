//! What a try has shown, for a person and for a script.

use serde_json::{Value, json};

use super::gone::{self, Gone};
use super::ledger::Taken;
use super::watch::Watched;
use crate::output;
use crate::plan::Plan;
use crate::tracer::End;

/// Where a step's text begins, behind its line and its time.
const INDENT: usize = 15;

pub struct Tried<'p> {
    pub plan: &'p Plan,
    /// Of `check`.
    pub findings: Vec<String>,
    pub watched: Watched,
    /// How the service ended that was run.
    pub gone: Option<Gone>,
}

impl Tried<'_> {
    /// The steps, what `check` finds, and the ending, unless a service is about to run.
    pub fn show(&self) {
        println!("{:>4} {:>8}  step", "line", "µs");
        self.watched.steps.iter().for_each(|step| self.show_step(step));
        println!("\nTimes are of the steps' system calls, while watched.");
        if !self.findings.is_empty() {
            println!("\nwhat `check` finds:");
        }
        self.findings.iter().for_each(|finding| println!("{}", output::folded(&format!("  {finding}"), 4)));
        if let Some(end) = self.watched.ending {
            println!("\nno service runs: {}", gone::told("init", end));
        }
    }

    fn show_step(&self, step: &Taken) {
        let time = step.microseconds().map_or(String::new(), |time| time.to_string());
        let row = format!("{:>4} {time:>8}  {}", step.line, step.text);
        println!("{}", output::folded(&row, INDENT + 2));
        step.notes.iter().for_each(|note| println!("{:INDENT$}{note}", ""));
        if self.is_last(step) {
            println!("{:INDENT$}init ended here, for the reason it gave", "");
        }
    }

    fn is_last(&self, step: &Taken) -> bool {
        matches!(self.watched.ending, Some(End::Exited(code)) if code as usize == step.line)
    }

    /// For this program to exit with.
    pub fn code(&self) -> u8 {
        self.gone.as_ref().map_or(u8::from(self.watched.ending.is_some()), Gone::code)
    }

    /// All of it, `null` where there is nothing to tell.
    pub fn json(&self) -> Value {
        let steps = self.watched.steps.iter().map(|step| {
            json!({
                "line": step.line,
                "step": step.text,
                "microseconds": step.microseconds(),
                "failed": self.is_last(step),
                "notes": step.notes,
            })
        });
        json!({
            "plan": self.plan.name,
            "steps": steps.collect::<Vec<_>>(),
            "findings": self.findings,
            "ending": self.watched.ending.map_or(json!({"kind": "service"}), gone::json),
            "service": self.gone.as_ref().map(Gone::json),
        })
    }
}
