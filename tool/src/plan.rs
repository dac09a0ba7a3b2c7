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
use language::{Fault, Kind, MAX_LEN, MountFlags, Text, Verb};

use crate::initramfs::Initramfs;
use words::MOST_BYTES;
pub use words::{Line, Spot, nearest};

/// A plan's text, and what it is called in messages.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub name: String,
    text: Vec<u8>,
    lines: Vec<Line>,
    /// Of a plan as it was meant: a step is not known, so others can't be told from what is there.
    pub has_gaps: bool,
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
    /// What the flag words among mount options say.
    pub flags: MountFlags,
    /// What is left of mount options for the filesystem.
    pub data: String,
}

impl Step {
    /// A line that the parser takes.
    fn of(line: &Line) -> Option<Step> {
        let verb = line.verb()?;
        let mut words = line.words.clone();
        let may_fail = line.may_fail();
        if may_fail {
            words[0] = Spot { column: words[0].column + 1, text: line.name().to_string() };
        }
        let options = words::place_of(verb, Kind::Options).map_or("", |place| line.word(place));
        let (flags, data) = options::taken(options);
        Some(Step { line: line.number, verb, may_fail, words, flags, data })
    }

    /// A word's text; empty where there is none.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", |word| &word.text)
    }

    /// Its words, the verb first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|word| word.text.as_str())
    }

    /// Whether this `mount` changes what is mounted already: src/steps/furnish.rs.
    pub fn changes_a_mount(&self) -> bool {
        let MountFlags { set, propagation, .. } = self.flags;
        let is_propagation_alone = propagation != 0 && set == 0 && self.word(3) == "none" && self.data.is_empty();
        u64::from(set) & libc::MS_REMOUNT != 0 || is_propagation_alone
    }

    /// Where `copy` and `bind` carry to: the source, if nothing else is said.
    pub fn target(&self) -> &str {
        if self.words.len() > 2 { self.word(2) } else { self.word(1) }
    }

    /// The step as it stands in the plan, blanks made one.
    pub fn text(&self) -> String {
        format!("{}{}", if self.may_fail { "-" } else { "" }, self.texts().collect::<Vec<_>>().join(" "))
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
        let file = File::open(path).and_then(|file| file.take(MOST_BYTES as u64).read_to_end(&mut text));
        file.with_context(|| format!("cannot read the plan {}", path.display()))?;
        Ok(Plan::of(&path.display().to_string(), text))
    }

    /// The plan that init brings with it.
    pub fn built_in() -> Plan {
        Plan::of("default.plan", include_bytes!("../init/src/default.plan"))
    }

    /// The plan that an initramfs boots with: its own, else the one that is built into the init.
    pub fn of_tree(tree: &Initramfs) -> Result<Plan> {
        match tree.resolve("/boot.plan").and_then(|path| tree.at(&path)) {
            Some(content) => Ok(Plan::of("boot.plan", content.read()?)),
            None => Ok(Plan::built_in()),
        }
    }

    /// A plan in memory.
    pub fn of(name: &str, text: impl Into<Vec<u8>>) -> Plan {
        let text = text.into();
        let lines = words::lines(&text);
        Plan { name: name.to_string(), text, lines, has_gaps: false }
    }

    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// All there is to say of the plan by itself, in the order of its lines.
    pub fn findings(&self) -> Vec<Finding> {
        self.judged().0
    }

    /// The same, and the plan as it was probably meant, so that a slip is reported once and not with all its
    /// consequences.
    pub fn judged(&self) -> (Vec<Finding>, Plan) {
        let (mut findings, meant) = faults::find(self);
        findings.extend(meant.steps().iter().flat_map(options::findings));
        findings.sort();
        (findings, meant)
    }

    /// The lines that are no comment and not empty, right or wrong.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The steps up to the first that the parser does not take. A plan that does not begin with `root` gets one, in the
    /// line of its first step.
    pub fn steps(&self) -> Vec<Step> {
        let mut right = self.lines.len();
        // The text has a line for each of ours.
        language::check(&mut text_of(&words::text(&self.lines)), |line, fault| {
            let end = line.map_or(right, |line| usize::from(line.number) - 1);
            right = right.min(if fault == Fault::TooLong { 0 } else { end });
        });
        let mut steps: Vec<Step> = self.lines[..right].iter().filter_map(Step::of).collect();
        if let Some(first) = steps.first().filter(|first| first.verb != Verb::Root) {
            let root =
                Line { number: first.line, words: vec![Spot { column: 1, text: Verb::Root.name().to_string() }] };
            steps.splice(..0, Step::of(&root));
        }
        steps
    }

    /// The plan with more lines, before the first step that runs a program; and the number of that line.
    pub fn with_lines(&self, added: &[String]) -> (Plan, usize) {
        let first = self.lines.iter().find(|line| line.verb().is_some_and(runs_program));
        let line = first.map_or(1, |line| line.number);
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

/// Whether a step starts a program of the new root.
pub fn runs_program(verb: Verb) -> bool {
    verb == Verb::Run || verb.runs_service()
}

/// Every error of a plan of this machine, as `PLAN:LINE:COLUMN: what`.
pub fn faults(path: &Path) -> Result<Vec<String>> {
    let plan = Plan::read(path)?;
    let errors = plan.findings().into_iter().filter(|finding| !finding.is_warning);
    Ok(errors.map(|error| error.show(&plan.name)).collect())
}

/// The plan as the init reads it: one byte more than fits shows that it is too long.
fn text_of(bytes: &[u8]) -> Text {
    bytes.iter().copied().take(MAX_LEN + 1).collect()
}
