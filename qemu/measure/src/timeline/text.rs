//! A timeline for a terminal: one bar a phase, figures beside it.

use std::fmt;

use super::Timeline;

/// Characters of the longest bar.
const WIDTH: f64 = 40.0;

impl fmt::Display for Timeline {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let unit = if self.counted { "Minstr" } else { "ms" };
        let divisor = if self.counted { 1e6 } else { 1e3 };
        let width = self.phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0);
        let longest = self.phases.iter().map(|phase| phase.length).fold(0.0, f64::max).max(1.0);
        writeln!(out, "{:<width$} {:>10} {:>10}", "", format!("at {unit}"), format!("for {unit}"))?;
        for phase in &self.phases {
            let bar = "█".repeat((phase.length / longest * WIDTH).round() as usize);
            let (at, length) = (phase.start / divisor, phase.length / divisor);
            writeln!(out, "{:<width$} {at:>10.2} {length:>10.2} {bar}", phase.name)?;
        }
        writeln!(out, "{:<width$} {:>10.2} {:>10.2}", "together", self.whole / divisor, self.sum() / divisor)
    }
}
