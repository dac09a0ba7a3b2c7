//! A timeline as a picture: the whole boot, and below it, by a scale of its own, what init does.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::{Part, Phase, Timeline};
use tool::output;

const WIDTH: u32 = 1000;
/// Of figures after the bars.
const MARGIN: i32 = 90;
/// Of names: as much as the longest needs, a letter being this wide on average, and no more than so many letters.
const LETTER: i32 = 7;
const MOST_LETTERS: usize = 64;
const ROW: i32 = 20;
const HEAD: i32 = 44;
const TEXT: (&str, i32) = ("sans-serif", 13);

/// Draws it, with a line that says what was measured.
pub fn draw(timeline: &Timeline, caption: &str, out: &Path) -> Result<()> {
    let boot = whole(&timeline.phases);
    let init: Vec<Phase> = timeline.phases.iter().filter(|phase| phase.part == Part::Init).cloned().collect();
    let panels = [("the boot", boot), ("init", init)];
    let panels: Vec<_> = panels.into_iter().filter(|(_, phases)| !phases.is_empty()).collect();
    let height: i32 = panels.iter().map(|(_, phases)| HEAD + ROW * phases.len() as i32).sum();
    let area = SVGBackend::new(out, (WIDTH, height as u32 + 30)).into_drawing_area();
    area.fill(&WHITE).map_err(text)?;
    area.draw(&Text::new(caption.to_string(), (10, 8), TEXT.into_font().color(&BLACK.mix(0.6)))).map_err(text)?;
    let mut top = 24;
    let left = margin(&timeline.phases);
    for (name, phases) in &panels {
        top = panel(&area, timeline, (name, phases), (left, top)).map_err(text)?;
    }
    area.present().map_err(text)
}

/// Where the bars begin, so that no name runs into them.
fn margin(phases: &[Phase]) -> i32 {
    let longest = phases.iter().map(|phase| name(phase).chars().count()).max().unwrap_or(0);
    20 + LETTER * longest as i32
}

fn name(phase: &Phase) -> String {
    output::shortened(&phase.name, MOST_LETTERS)
}

/// All phases, those of init as one.
fn whole(phases: &[Phase]) -> Vec<Phase> {
    let mut whole: Vec<Phase> = Vec::new();
    for phase in phases {
        match whole.last_mut() {
            Some(last) if last.part == Part::Init && phase.part == Part::Init => last.length += phase.length,
            _ if phase.part == Part::Init => whole.push(Phase { name: "init".to_string(), ..phase.clone() }),
            _ => whole.push(phase.clone()),
        }
    }
    whole
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// One row a phase, its bar where it was; gives where the next panel begins.
fn panel(
    area: &Area,
    timeline: &Timeline,
    (heading, phases): (&str, &[Phase]),
    (margin, top): (i32, i32),
) -> Drawn<i32> {
    let start = phases.iter().map(|phase| phase.start).fold(f64::INFINITY, f64::min);
    let length: f64 = phases.iter().map(|phase| phase.length).sum();
    let room = f64::from(WIDTH as i32 - margin - MARGIN);
    let heading = format!("{heading}: {}", figure(timeline, length));
    area.draw(&Text::new(heading, (10, top + 10), ("sans-serif", 15)))?;
    let mut y = top + HEAD - 10;
    for phase in phases {
        let x = |at: f64| margin + ((at - start) / length * room) as i32;
        let (left, right) = (x(phase.start), x(phase.start + phase.length).max(x(phase.start) + 1));
        area.draw(&Text::new(name(phase), (12, y + 3), TEXT))?;
        area.draw(&Rectangle::new([(left, y + 2), (right, y + ROW - 3)], color(phase.part).filled()))?;
        area.draw(&Text::new(figure(timeline, phase.length), (right + 5, y + 3), TEXT))?;
        y += ROW;
    }
    Ok(y + 10)
}

fn figure(timeline: &Timeline, length: f64) -> String {
    match timeline.counted {
        true if length < 1e6 => format!("{:.0} k", length / 1e3),
        true => format!("{:.1} M", length / 1e6),
        false => format!("{:.2} ms", length / 1e3),
    }
}

fn color(part: Part) -> RGBColor {
    match part {
        Part::Machine => RGBColor(150, 150, 150),
        Part::Kernel => RGBColor(20, 110, 190),
        Part::Init => RGBColor(200, 60, 20),
        Part::Service => RGBColor(40, 140, 70),
    }
}

fn text(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_runs_into_the_bars() {
        let phase = |name: &str| Phase { name: name.into(), part: Part::Init, start: 0.0, length: 1.0 };
        assert_eq!(margin(&[phase("root"), phase("init")]), 20 + 4 * LETTER);
        let long = phase(&"x".repeat(200));
        assert_eq!(name(&long).chars().count(), MOST_LETTERS);
        assert!(margin(&[long]) < WIDTH as i32 / 2);
    }
}
