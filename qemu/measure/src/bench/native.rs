//! Boots without a VM: each candidate as PID 1 of new namespaces on this machine's kernel, from its first instruction
//! to its service's. A breakpoint's time stamp tells the first, the service's own look at the same clock the second.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::caches::{CacheTaker, Pinned};
use super::candidate::{Candidate, Carry, Kind};
use super::finding::{Expected, Finding};
use super::launch::{self, EntryClock, Held};
use super::program::{Program, crun_of};
use super::statistics::Spread;
use super::{floor, peers};
use machine::sandbox::tree::Tree;

/// Half a megabyte, the unit of [`SIZES`].
const HALF_MB: usize = 1 << 19;
/// What is carried, in half megabytes.
const SIZES: [usize; 5] = [0, 1, 4, 8, 32];
/// Of crun, in a record.
pub const CRUN_MB: f64 = 2.0;
/// The two with which everybody takes part: crun's size, and twice that.
const SHAPES: [usize; 2] = [4, 8];
/// How a candidate's time grows is of interest for these.
const GROWING: [Kind; 2] = [Kind::Moveroot, Kind::C];

/// A candidate carrying a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    #[serde(rename = "candidate")]
    pub who: Candidate,
    pub carried_mb: f64,
    /// From init's first instruction to the service's.
    pub microseconds: Spread,
    /// From execve(2) of init, so that the kernel's work on init is in it: warm, and after another process has taken the caches.
    /// None of those who only show how time grows.
    pub from_execve: Option<Spread>,
    pub cold_from_execve: Option<Spread>,
    /// Of its median to that of moveroot with `copy` and the same file.
    pub ratio: f64,
    /// Bytes of the candidate's programs.
    pub program_bytes: usize,
}

struct Entrant {
    who: Candidate,
    half_mbs: usize,
    program: Program,
    crun: Rc<[u8]>,
    expected: Expected,
    times: Vec<f64>,
    from_execve: Vec<f64>,
    cold_from_execve: Vec<f64>,
}

/// Runs everybody in turn, `rounds` times; `against` is the checkout of the other moveroot, if that takes part.
pub fn run(kinds: &[Kind], against: Option<&Path>, service: &Path, rounds: usize) -> Result<Vec<Line>> {
    ensure!(rustix::process::geteuid().is_root(), "new namespaces need root: run this as root or by sudo");
    let mut entrants = entrants(kinds, against, service)?;
    let _pinned = Pinned::new()?;
    let (mut caches, launcher) = (CacheTaker::new(), std::fs::read(peers::launcher()?)?);
    // The first round fills caches and is not counted.
    for round in 0..=rounds {
        for place in shuffled(entrants.len(), round) {
            let entrant = &mut entrants[place];
            let size = entrant.half_mbs as f64 / 2.0;
            let time = boot(entrant, service).with_context(|| format!("{} of {size} MB", entrant.who))?;
            entrant.times.extend((round > 0).then_some(time));
            if !SHAPES.contains(&entrant.half_mbs) {
                continue;
            }
            for is_cold in [false, true] {
                let caches = Some(&mut caches).filter(|_| is_cold);
                let time = free_boot(entrant, service, &launcher, caches);
                let time = time.with_context(|| format!("{} of {size} MB", entrant.who))?;
                let times = if is_cold { &mut entrant.cold_from_execve } else { &mut entrant.from_execve };
                times.extend((round > 0).then_some(time));
            }
        }
    }
    Ok(lines(&entrants))
}

/// Another order in each round, the same in each run: what ran just before leaves its traces in the caches.
fn shuffled(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    fastrand::Rng::with_seed(round as u64).shuffle(&mut order);
    order
}

/// Every candidate with every file it takes part with.
fn entrants(kinds: &[Kind], against: Option<&Path>, service: &Path) -> Result<Vec<Entrant>> {
    let mut entrants = Vec::new();
    let mut programs: HashMap<Candidate, Program> = HashMap::new();
    for half_mbs in SIZES {
        let crun: Rc<[u8]> = crun_of(half_mbs * HALF_MB).into();
        let expected = Expected::new(peers::plan(Carry::Copy, false)?, Carry::Copy, &crun);
        for who in Candidate::all().filter(|who| kinds.contains(&who.kind)) {
            let grows = GROWING.contains(&who.kind) && (who.kind == Kind::Moveroot || who.carry == Carry::Copy);
            if !grows && !SHAPES.contains(&half_mbs) {
                continue;
            }
            let mut program = match (programs.get(&who), against) {
                (Some(program), _) => program.clone(),
                (None, Some(checkout)) if who.kind == Kind::Other => peers::other(checkout, who.carry)?,
                (None, _) => peers::build(who, false)?,
            };
            programs.insert(who, program.clone());
            if who.kind == Kind::Floor {
                program = floor::build(&program, service, &crun, &format!("{}-{half_mbs}", who.carry))?;
            }
            let expected = Expected { carry: who.carry, ..expected.clone() };
            entrants.push(Entrant {
                who,
                half_mbs,
                program,
                crun: crun.clone(),
                expected,
                times: Vec::new(),
                from_execve: Vec::new(),
                cold_from_execve: Vec::new(),
            });
        }
    }
    Ok(entrants)
}

/// One boot, checked; microseconds from init to service.
fn boot(entrant: &Entrant, service: &Path) -> Result<f64> {
    let held = Held::start(&entrant.program, service, &entrant.crun)?;
    let clock = EntryClock::set(&held)?;
    let (output, tree) = held.finish()?;
    since(entrant, &output, &tree, clock.read()?)
}

/// The same from execve(2) on, of an init that nobody holds.
fn free_boot(entrant: &Entrant, service: &Path, launcher: &[u8], caches: Option<&mut CacheTaker>) -> Result<f64> {
    let (output, tree, executed) = launch::run(&entrant.program, service, &entrant.crun, launcher, caches)?;
    since(entrant, &output, &tree, executed)
}

/// Microseconds from then to the service, if the boot was right.
fn since(entrant: &Entrant, output: &str, tree: &Tree, begun: u64) -> Result<f64> {
    let found = Finding::read(output)?;
    entrant.expected.check(&found)?;
    if entrant.who.carry == Carry::Copy {
        ensure!(!tree.path("/sbin/crun").exists(), "the original is still there");
    }
    let after = found.service_ns.checked_sub(begun).context("the service ran before init")?;
    Ok(after as f64 / 1000.0)
}

fn lines(entrants: &[Entrant]) -> Vec<Line> {
    let median = |half_mbs, who| {
        let mine = entrants.iter().find(|entrant| entrant.half_mbs == half_mbs && entrant.who == who);
        mine.and_then(|entrant| Spread::of(&entrant.times)).map_or(f64::NAN, |spread| spread.median)
    };
    let line = |entrant: &Entrant| {
        let microseconds = Spread::of(&entrant.times)?;
        Some(Line {
            who: entrant.who,
            carried_mb: entrant.half_mbs as f64 / 2.0,
            microseconds,
            from_execve: Spread::of(&entrant.from_execve),
            cold_from_execve: Spread::of(&entrant.cold_from_execve),
            ratio: microseconds.median / median(entrant.half_mbs, Candidate::COPY),
            program_bytes: entrant.program.size(),
        })
    };
    entrants.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_runs_once_a_round() {
        for round in 0..4 {
            let mut order = shuffled(33, round);
            assert_ne!(order, shuffled(33, round + 1));
            order.sort_unstable();
            assert!(order.into_iter().eq(0..33));
        }
    }
}
