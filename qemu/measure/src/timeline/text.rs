//! A timeline for a terminal: one bar a phase, figures beside it.

use std::fmt;

use super::Timeline;
use tool::output;

/// Columns of a name that is not shortened, and of the longest bar, where nothing says how wide a line may be.
const NAME: usize = 64;
const BAR: usize = 40;

/// Of the two figures, with the blanks beside them.
const FIGURES: usize = 23;

/// The least that a bar needs, so that long ones are told from short ones.
const LEAST_BAR: usize = 12;

impl fmt::Display for Timeline {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.text(output::width()))
    }
}

impl Timeline {
    /// No line is longer than so many columns.
    fn text(&self, columns: Option<usize>) -> String {
        let unit = if self.counted { "Minstr" } else { "ms" };
        let divisor = if self.counted { 1e6 } else { 1e3 };
        let most = columns.map_or(NAME, |columns| columns.saturating_sub(FIGURES + LEAST_BAR)).min(NAME);
        let names: Vec<String> = self.phases.iter().map(|phase| output::shortened(&phase.name, most)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let bar_width = columns.map_or(BAR, |columns| columns.saturating_sub(width + FIGURES)).min(BAR) as f64;
        let longest = self.phases.iter().map(|phase| phase.length).fold(0.0, f64::max).max(1.0);
        let mut text = format!("{:<width$} {:>10} {:>10}\n", "", format!("at {unit}"), format!("for {unit}"));
        for (phase, name) in self.phases.iter().zip(&names) {
            let bar = "█".repeat((phase.length / longest * bar_width).round() as usize);
            let (at, length) = (phase.start / divisor, phase.length / divisor);
            let row = format!("{name:<width$} {at:>10.2} {length:>10.2} {bar}");
            text += &format!("{}\n", row.trim_end());
        }
        let [whole, sum] = [self.whole, self.sum()].map(|time| time / divisor);
        text + &format!("{:<width$} {whole:>10.2} {sum:>10.2}\n", "together")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Part, Phase};
    use super::*;

    #[test]
    fn no_line_is_too_long() {
        let phase = |name: &str, length| Phase { name: name.into(), part: Part::Init, start: 0.0, length };
        let long = "module /lib/modules/6.1.0-56-cloud-amd64/kernel/net/vmw_vsock/vmw_vsock_virtio_transport.ko";
        let phases = vec![phase("root", 1000.0), phase(long, 9000.0)];
        let timeline = Timeline { phases, whole: 10_000.0, counted: false, log: Vec::new() };
        for columns in [60, 80, 120] {
            let text = timeline.text(Some(columns));
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
            let row = text.lines().find(|line| line.starts_with("module /lib")).unwrap();
            assert!(row.contains('…') && row.contains(".ko ") && row.ends_with("██████"), "{text}");
        }
        assert!(timeline.text(None).lines().all(|line| line.chars().count() <= NAME + FIGURES + BAR));
    }
}
