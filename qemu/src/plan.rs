//! A boot plan as a file of this machine, read with the init's own parser: its steps, each word with its column, and
//! its findings.

mod faults;
mod habits;
mod known;
mod options;
pub mod size;
mod words;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use moveroot::plan::{self, Pass, Text};
use moveroot::verb::Verb;

use words::Line;
pub use words::{Spot, nearest};

/// What is longer is not read to its end: it may have none.
const FAR_TOO_LONG: u64 = 1 << 20;

/// A plan's text, and what it is called in messages.
#[derive(Clone, Debug)]
pub struct Plan {
    pub name: String,
    text: Vec<u8>,
    lines: Vec<Line>,
}

/// A step that the parser takes.
#[derive(Clone, Debug)]
pub struct Step {
    pub line: usize,
    pub verb: Verb,
    /// A failure is a warning.
    pub may_fail: bool,
    /// The verb first, without its `-`; as they are in the file.
    pub words: Vec<Spot>,
    /// What is left of mount options for the filesystem.
    pub data: String,
}

impl Step {
    /// A word's text; empty where there is none.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", |word| &word.text)
    }

    /// Where `copy` and `bind` carry to: the source, if nothing else is said.
    pub fn target(&self) -> &str {
        if self.words.len() > 2 { self.word(2) } else { self.word(1) }
    }

    /// The step as it stands in the plan, blanks made one.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        format!("{}{}", if self.may_fail { "-" } else { "" }, words.join(" "))
    }

    /// A finding at one of its words. What may fail is no error.
    pub fn finding(&self, place: usize, text: impl fmt::Display) -> Finding {
        let column = self.words.get(place).or(self.words.first()).map_or(1, |word| word.column);
        Finding { place: Some((self.line, column)), text: text.to_string(), is_warning: self.may_fail }
    }
}

/// Something to say of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Line and column, both from 1; none where it is the plan's as a whole.
    pub place: Option<(usize, usize)>,
    pub text: String,
    pub is_warning: bool,
}

impl Finding {
    /// `PLAN:LINE:COLUMN: what`.
    pub fn show(&self, plan: &str) -> String {
        let place = self.place.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
        format!("{plan}{place}: {}{}", if self.is_warning { "warning: " } else { "" }, self.text)
    }
}

impl Plan {
    /// A plan of this machine; its path is its name.
    pub fn read(path: &Path) -> Result<Plan> {
        let mut text = Vec::new();
        let file = File::open(path).and_then(|file| file.take(FAR_TOO_LONG).read_to_end(&mut text));
        file.with_context(|| format!("cannot read the plan {}", path.display()))?;
        Ok(Plan::of(&path.display().to_string(), text))
    }

    /// A plan in memory.
    pub fn of(name: &str, text: impl Into<Vec<u8>>) -> Plan {
        let text = text.into();
        let lines = words::lines(&text);
        Plan { name: name.to_string(), text, lines }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// All there is to say of the plan by itself, in the order of its lines.
    pub fn findings(&self) -> Vec<Finding> {
        self.judged().0
    }

    /// The same, and the plan as it was probably meant, so that a slip is told of once and not with all its
    /// consequences.
    pub fn judged(&self) -> (Vec<Finding>, Plan) {
        let (mut findings, meant) = faults::find(self);
        findings.extend(meant.steps().iter().flat_map(options::findings));
        findings.sort();
        (findings, meant)
    }

    /// The steps up to the first that the parser does not take.
    pub fn steps(&self) -> Vec<Step> {
        let mut text = text_of(&words::text(&self.lines));
        plan::blank_out(&mut text);
        let mut put_together = plan::Text::new();
        let mut step = plan::Step::before(&mut text, &mut put_together, Pass::Run);
        let mut steps = Vec::new();
        while step.read().is_ok() {
            let Some(line) = self.lines.get(step.line as usize - 1) else { break };
            let mut words = line.words.clone();
            if let (true, Some(verb)) = (step.may_fail, words.first_mut()) {
                verb.text.remove(0);
                verb.column += 1;
            }
            let place = if step.verb == Verb::ROOT { 1 } else { 4 };
            // Words behind a step's own are those of an earlier one.
            let word = step.frame.words[..step.count.into()].get(place);
            let data: Vec<u8> = word.into_iter().flat_map(|word| word.bytes()).collect();
            let data = String::from_utf8_lossy(&data).into_owned();
            steps.push(Step { line: line.number, verb: step.verb, may_fail: step.may_fail, words, data });
        }
        steps
    }

    /// The plan with more lines, before its first `exec`; and the number of that line.
    pub fn with_lines(&self, added: &[String]) -> (Plan, usize) {
        let steps = self.steps();
        let exec = steps.iter().find(|step| step.verb == Verb::EXEC);
        let line = exec.map_or(1, |step| step.line);
        let mut text: Vec<u8> = Vec::new();
        for (number, old) in self.text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if number + 1 == line {
                text.extend(added.iter().flat_map(|line| line.bytes().chain([b'\n'])));
            }
            text.extend(old);
        }
        (Plan::of(&self.name, text), line)
    }
}

/// Line and words of each step, as the plan has them.
pub fn steps(text: &str) -> Vec<(u16, String)> {
    let numbered = (1..).zip(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Every error of a plan of this machine, as `PLAN:LINE:COLUMN: what`.
pub fn faults(path: &Path) -> Result<Vec<String>> {
    let plan = Plan::read(path)?;
    let errors = plan.findings().into_iter().filter(|finding| !finding.is_warning);
    Ok(errors.map(|error| error.show(&plan.name)).collect())
}

/// The plan as the init reads it: one byte more than fits shows that it is too long.
fn text_of(bytes: &[u8]) -> Text {
    bytes.iter().copied().take(plan::MAX_LEN + 1).collect()
}
