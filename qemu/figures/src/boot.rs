//! A whole boot in instructions, and init's share of it, step by step: from the newest profile.

use anyhow::{Context, Result, ensure};
use measure::profile::{Line, Record};
use measure::records;
use measure::timeline::Part;
use plotters::prelude::*;

use crate::theme::{self, Area, BLUE, Drawn, FAINT, GRAY, GREEN, INK, LINE, ORANGE, TEXT};

const SIZE: (u32, u32) = (1000, 280);
const LEFT: i32 = 20;
const LENGTH: f64 = 960.0;
const BOOT: i32 = 60;
const INIT: i32 = 190;
const HEIGHT: i32 = 34;
/// Steps that take less of init's share than this have no name in the picture.
const NAMED: f64 = 0.05;

/// Of the phases that a boot has, in order.
const PARTS: [(Part, &str, RGBColor); 4] = [
    (Part::Machine, "firmware, kernel unpacks itself", GRAY),
    (Part::Kernel, "kernel", BLUE),
    (Part::Init, "init", ORANGE),
    (Part::Service, "agent and container", GREEN),
];

/// A phase and its instructions.
type Phase<'a> = (&'a Line, f64);

pub fn draw() -> Result<String> {
    let newest = records::of("profile")?.pop().context("there is no record of a profile")?;
    let record = Record::read(&newest)?;
    let phases: Vec<Phase> =
        record.phases.iter().filter_map(|line| line.instructions.map(|count| (line, count))).collect();
    ensure!(!phases.is_empty(), "{} counts no instructions", newest.display());
    let caption = format!(
        "instructions of a boot on Linux {} in QEMU, from reset to the end of the container, {}",
        record.kernel, record.date
    );
    theme::picture(SIZE, "A boot, and init's share of it", |area| {
        theme::text(area, &caption, (LEFT, 12), TEXT - 2, FAINT)?;
        whole(area, &phases)?;
        init(area, &phases)
    })
}

fn sum(phases: &[Phase], part: Part) -> f64 {
    phases.iter().filter(|(line, _)| line.part == part).map(|(_, count)| count).sum()
}

/// The boot as one bar, and lines from init's part of it to its steps.
fn whole(area: &Area, phases: &[Phase]) -> Drawn<()> {
    let whole: f64 = phases.iter().map(|(_, count)| count).sum();
    let mut x = f64::from(LEFT);
    for (part, name, color) in PARTS {
        let count = sum(phases, part);
        let width = count / whole * LENGTH;
        theme::bar(area, (x as i32, BOOT), width, HEIGHT, color)?;
        let words = format!("{name}: {:.1} M, {:.2} %", count / 1e6, count / whole * 100.0);
        match part {
            Part::Machine => theme::text(area, &words, (LEFT, BOOT - 14), TEXT, INK)?,
            Part::Kernel => theme::centered(area, &words, (LEFT + LENGTH as i32 / 2, BOOT - 14), TEXT, INK)?,
            Part::Service => theme::text(area, &words, (LEFT + LENGTH as i32 - 235, BOOT - 14), TEXT, INK)?,
            Part::Init => {
                theme::text(area, &words, (LEFT, INIT - 16), TEXT, INK)?;
                for (from, to) in [(x as i32, LEFT), (x as i32 + 2, LEFT + LENGTH as i32)] {
                    area.draw(&PathElement::new([(from, BOOT + HEIGHT), (to, INIT)], LINE))?;
                }
            }
        }
        x += width;
    }
    Ok(())
}

/// The steps of init: names of the longer ones, one below the other.
fn init(area: &Area, phases: &[Phase]) -> Drawn<()> {
    let all = sum(phases, Part::Init);
    let (mut x, mut y) = (f64::from(LEFT), INIT + HEIGHT + 18);
    for (place, (line, count)) in phases.iter().filter(|(line, _)| line.part == Part::Init).enumerate() {
        let width = count / all * LENGTH;
        let color = if place % 2 == 0 { ORANGE.mix(1.0) } else { ORANGE.mix(0.6) };
        let corners = [(x as i32, INIT), ((x + width) as i32, INIT + HEIGHT)];
        area.draw(&Rectangle::new(corners, color.filled()))?;
        if count / all >= NAMED {
            let words = format!("{}: {:.0} k", line.phase, count / 1e3);
            theme::text(area, &words, (x as i32, y), TEXT, INK)?;
        }
        x += width;
    }
    y += 24;
    let others = phases.iter().filter(|(line, count)| line.part == Part::Init && count / all < NAMED).count();
    theme::text(area, &format!("and {others} steps of less than 5 % of init's"), (LEFT, y), TEXT - 1, FAINT)
}
