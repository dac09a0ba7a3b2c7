//! Two records side by side: which phase and which step became slower, in instructions and in time.

use super::record::{Line, Record};
use crate::timeline::Part;

/// A table of both, phase by phase, then init's steps, then all together.
pub fn table(a: &Record, b: &Record) -> String {
    let mut text = format!("A: {}\nB: {}\n\n", description(a), description(b));
    text += &heading();
    for name in names(a, b) {
        let (before, after) = (line(a, &name), line(b, &name));
        text += &row(&name, Figures::of(before), Figures::of(after));
    }
    text += "\n";
    for (name, part) in [("init, all steps", Some(Part::Init)), ("kernel", Some(Part::Kernel)), ("the boot", None)] {
        text += &row(name, Figures::sum(a, part), Figures::sum(b, part));
    }
    text
}

fn description(record: &Record) -> String {
    let Record { date, kernel, accel, append, memory_mb, cpus, initramfs, .. } = record;
    let append = if append.is_empty() { "nothing added".to_string() } else { format!("with {append}") };
    format!("{date}, {kernel}, {accel}, {append}, {memory_mb} MB, {cpus} CPU, initramfs {initramfs}")
}

#[derive(Clone, Copy, Default)]
struct Figures {
    instructions: Option<f64>,
    microseconds: Option<f64>,
}

impl Figures {
    fn of(line: Option<&Line>) -> Figures {
        line.map_or(Figures::default(), |line| Figures {
            instructions: line.instructions,
            microseconds: line.microseconds,
        })
    }

    fn sum(record: &Record, part: Option<Part>) -> Figures {
        let lines = || record.phases.iter().filter(|line| part.is_none_or(|part| line.part == part));
        let sum = |field: fn(&Line) -> Option<f64>| lines().filter_map(field).reduce(|sum, value| sum + value);
        Figures { instructions: sum(|line| line.instructions), microseconds: sum(|line| line.microseconds) }
    }
}

/// Those of A, and where only B has one, it stands behind the one before it there.
fn names(a: &Record, b: &Record) -> Vec<String> {
    let mut names: Vec<String> = a.phases.iter().map(|line| line.phase.clone()).collect();
    let mut place = 0;
    for line in &b.phases {
        match names.iter().position(|name| *name == line.phase) {
            Some(there) => place = there + 1,
            None => {
                names.insert(place, line.phase.clone());
                place += 1;
            }
        }
    }
    names
}

fn line<'r>(record: &'r Record, name: &str) -> Option<&'r Line> {
    record.phases.iter().find(|line| line.phase == name)
}

fn heading() -> String {
    let figures = |unit: &str| format!("{:>12} {:>12} {:>8}", format!("A, {unit}"), format!("B, {unit}"), "B to A");
    format!("{:<60} {} {}\n", "", figures("kinstr"), figures("µs"))
}

fn row(name: &str, a: Figures, b: Figures) -> String {
    let instructions = pair(a.instructions, b.instructions, 1000.0);
    format!("{name:<60} {instructions} {}\n", pair(a.microseconds, b.microseconds, 1.0))
}

/// Both values and how the second stands to the first.
fn pair(a: Option<f64>, b: Option<f64>, divisor: f64) -> String {
    let figure = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{:.0}", value / divisor));
    let change = match (a, b) {
        (Some(a), Some(b)) if a > 0.0 => format!("{:+.1} %", (b / a - 1.0) * 100.0),
        (None, Some(_)) => "new".to_string(),
        (Some(_), None) => "gone".to_string(),
        _ => "-".to_string(),
    };
    format!("{:>12} {:>12} {change:>8}", figure(a), figure(b))
}
