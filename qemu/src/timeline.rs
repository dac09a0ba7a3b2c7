//! A boot's marks as a small table: when, and how long after the mark before.

use std::time::Duration;

use agent::Times;

/// The marks of a boot that the agent reported; `elapsed` is the whole run as this machine saw it, with QEMU's own
/// start and end.
pub fn table(times: &Times, elapsed: Duration) -> String {
    let marks = [
        ("kernel", Some(0)),
        ("init", times.init),
        ("service", Some(times.service)),
        ("container", times.container_start),
        ("container ended", times.container_end),
    ];
    let mut table = String::from("                    at ms     after ms\n");
    let mut before = 0;
    for (name, at) in marks {
        let Some(at) = at else { continue };
        table += &format!("{name:<16} {:>8.1} {:>12.1}\n", ms(at), ms(at) - ms(before));
        before = at;
    }
    table + &format!("from QEMU's start to its end: {:.1} s\n", elapsed.as_secs_f64())
}

fn ms(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}
