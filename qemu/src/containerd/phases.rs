//! Where the time goes from `ctr run` to the container's first line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use machine::task::setup::Phase;

/// taskd's line on the console.
const INIT: &str = "taskd: init took ";

/// How long the guest's init took, where its console has told.
pub fn of_init(phases: &[Phase]) -> Option<Duration> {
    let us = phases.iter().find_map(|phase| phase.name.strip_prefix(INIT))?.strip_suffix(" us")?.parse().ok()?;
    Some(Duration::from_micros(us))
}

/// Prints the table, to where messages go: standard output is the container's.
pub fn show(started: SystemTime, phases: &[Phase], first_line: Option<SystemTime>, ended: SystemTime) {
    let noted = phases.iter().filter(|phase| !phase.name.starts_with("taskd: "));
    let mut rows: Vec<(&str, SystemTime)> =
        noted.map(|phase| (phase.name.as_str(), UNIX_EPOCH + Duration::from_micros(phase.at_us))).collect();
    rows.extend(first_line.map(|at| ("first line", at)));
    rows.push(("ctr ended", ended));
    rows.sort_by_key(|(_, at)| *at);
    eprintln!("since ctr run        at ms     after ms");
    let mut before = Duration::ZERO;
    for (name, at) in rows {
        let at = at.duration_since(started).unwrap_or_default();
        eprintln!("{name:<16} {:>9.1} {:>12.1}", ms(at), ms(at.saturating_sub(before)));
        before = at;
    }
    if let Some(init) = of_init(phases) {
        eprintln!("init, from its execution to taskd's: {:.1} ms", ms(init));
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
