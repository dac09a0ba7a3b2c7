//! Boots in a VM whose clock counts instructions, one a nanosecond: a change of a percent shows. Every candidate
//! without controllers, and moveroot's built-in plan step by step, each step as the difference of two plans cut short.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, Carry, Kind};
use super::guest::{Guests, Image};
use super::peers;
use super::program::Program;
use super::progress::Progress;
use super::statistics::Spread;
use sources::build;
use tool::compression::Compression;
use tool::plan::{self, Plan};

/// Thousands of instructions from init to service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub what: String,
    pub kilo_instructions: Spread,
    /// To moveroot with `copy`.
    pub ratio: f64,
}

/// A step of the plan: thousands of instructions that it adds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    pub step: String,
    pub kilo_instructions: f64,
}

pub fn candidates(guests: &Guests, kinds: &[Kind], rounds: usize) -> Result<Vec<Line>> {
    let mut images = Vec::new();
    for who in Candidate::all().filter(|who| kinds.contains(&who.kind)) {
        let program = guests.program(who, false)?;
        let plan = peers::plan(who.carry, false)?;
        images.push((who, guests.pack(&program, plan, who.carry, Compression::None)?, Vec::new()));
    }
    let mut progress = Progress::of("icount", rounds * images.len());
    for _ in 0..rounds {
        for (who, image, times) in &mut images {
            let what = who.to_string();
            times.push(instructions(guests, image, &what, &mut progress).context(what)?);
        }
    }
    let spreads = images.iter().filter_map(|(who, _, times)| Some((*who, Spread::of(times)?)));
    let spreads: Vec<(Candidate, Spread)> = spreads.collect();
    let base = spreads.iter().find(|(who, _)| *who == Candidate::COPY).map_or(f64::NAN, |(_, spread)| spread.median);
    let line = |(who, spread): &(Candidate, Spread)| Line {
        what: who.to_string(),
        kilo_instructions: *spread,
        ratio: spread.median / base,
    };
    Ok(spreads.iter().map(line).collect())
}

/// The built-in plan, and at its end `bind` in the place of `copy`.
pub fn steps(guests: &Guests, rounds: usize) -> Result<Vec<Step>> {
    let init = Program::of(&build::init(None)?)?;
    let plan = Plan::of("plan", peers::plan(Carry::Copy, true)?);
    let lines: Vec<String> = plan.steps().iter().map(plan::Step::text).collect();
    let (last, body) = lines.split_last().context("the built-in plan is empty")?;
    let (agent, body) = body.split_last().context("the built-in plan has one line")?;
    let cuts: Vec<Image> = (1..=body.len())
        .map(|length| guests.pack_cut(&init, format!("{}\n{agent}\n{last}\n", body[..length].join("\n"))))
        .collect::<Result<_>>()?;
    let mut times = vec![Vec::new(); cuts.len()];
    let mut progress = Progress::of("icount, step by step", rounds * cuts.len());
    for _ in 0..rounds {
        for (place, (times, cut)) in times.iter_mut().zip(&cuts).enumerate() {
            let what = format!("up to {}", body[place]);
            times.push(instructions(guests, cut, &what, &mut progress).context(what)?);
        }
    }
    let medians: Vec<f64> = times.iter().filter_map(|times| Spread::of(times)).map(|spread| spread.median).collect();
    let name = |place: usize| match place {
        0 => format!("start, {}, {agent}, {last}", body[0]),
        _ => body[place].to_string(),
    };
    let cost = |place: usize| medians[place] - if place == 0 { 0.0 } else { medians[place - 1] };
    Ok((0..medians.len()).map(|place| Step { step: name(place), kilo_instructions: cost(place) }).collect())
}

fn instructions(guests: &Guests, image: &Image, what: &str, progress: &mut Progress) -> Result<f64> {
    progress.time(what, || guests.boot(image, true))?.init_to_service()
}
