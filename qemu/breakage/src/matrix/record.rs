//! The matrix as a table for people and as a record.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

use super::guest::Subject;
use super::scenarios::{Images, Scenario, Tried};
use machine::accel::{self, Choice};
use sources::host;

#[derive(Debug, Serialize)]
pub struct Record {
    pub date: String,
    pub machine: String,
    pub toolchain: String,
    /// Who ran the guests' instructions.
    pub accel: String,
    pub init_bytes: u64,
    pub kernels: Vec<Kernel>,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub struct Kernel {
    pub name: String,
    pub version: String,
    pub least_memory_mb: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub kernel: String,
    pub scenario: &'static str,
    pub verdict: Verdict,
    /// How it ended; of a wrong one all there is to see.
    pub how: String,
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Right,
    Wrong,
    /// The kernel lacks what it takes.
    Cannot,
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Verdict::Right => "right",
            Verdict::Wrong => "WRONG",
            Verdict::Cannot => "cannot be",
        })
    }
}

impl Cell {
    pub fn of(subject: &Subject, what: &Scenario, tried: Tried) -> Cell {
        let (verdict, how, seconds) = match tried {
            Tried::Right(how, time) => (Verdict::Right, how, time.as_secs_f64()),
            Tried::Wrong(how) => (Verdict::Wrong, how, 0.0),
            Tried::Cannot(option) => (Verdict::Cannot, format!("the kernel has no {option}"), 0.0),
        };
        let seconds = (seconds * 10.0).round() / 10.0;
        Cell { kernel: subject.name.clone(), scenario: what.name, verdict, how, seconds }
    }
}

impl Record {
    /// In the order of the rows, whatever order they were done in.
    pub fn new(subjects: &[Subject], mut cells: Vec<Cell>, date: String, images: &Images) -> Result<Record> {
        let rows = super::SCENARIOS.each_ref().map(|row| row.name);
        let column = |cell: &Cell| subjects.iter().position(|subject| subject.name == cell.kernel);
        cells.sort_by_key(|cell| (rows.iter().position(|name| *name == cell.scenario), column(cell)));
        let kernel = |subject: &Subject| Kernel {
            name: subject.name.clone(),
            version: subject.version.clone(),
            least_memory_mb: subject.known_least_memory(),
        };
        Ok(Record {
            date,
            machine: host::description()?,
            toolchain: host::toolchain()?,
            accel: accel::choose_for(images.parts.arch, Choice::Auto, &images.parts.kernel)?.to_string(),
            init_bytes: images.init_bytes,
            kernels: subjects.iter().map(kernel).collect(),
            cells,
        })
    }

    /// No cell is wrong, and there is one.
    pub fn is_right(&self) -> bool {
        !self.cells.is_empty() && self.cells.iter().all(|cell| cell.verdict != Verdict::Wrong)
    }

    /// In Markdown: a row for each scenario, a column for each kernel.
    pub fn table(&self) -> String {
        let names: Vec<&str> = self.kernels.iter().map(|kernel| kernel.name.as_str()).collect();
        let mut text = format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
        for row in self.cells.chunk_by(|one, other| one.scenario == other.scenario) {
            let verdicts: Vec<String> = row.iter().map(|cell| self.shown(cell)).collect();
            text += &format!("| {} | {} |\n", row[0].scenario, verdicts.join(" | "));
        }
        text
    }

    fn shown(&self, cell: &Cell) -> String {
        let kernel = self.kernels.iter().find(|kernel| kernel.name == cell.kernel);
        match kernel.and_then(|kernel| kernel.least_memory_mb) {
            Some(mb) if cell.scenario == "least memory" => format!("{}: {mb} MB", cell.verdict),
            _ => cell.verdict.to_string(),
        }
    }
}
