//! The least memory for a kernel and an initramfs, found by trying.

use agent::Report;
use anyhow::{Result, ensure};

use super::guest::{Guest, Subject};
use super::scenarios::Images;
use machine::demo::STRAIGHT;

/// In steps of this, between these: MB.
const STEP: u32 = 8;
const BOUNDS: (u32, u32) = (48, 160);

/// By halves: the least memory in which the agent as /init itself gets as far as having crun run, or refused.
pub fn least(subject: &Subject, images: &Images) -> Result<u32> {
    let (mut too_small, mut enough) = BOUNDS;
    ensure!(is_enough(subject, images, enough)?, "{} does not boot with {enough} MB", subject.name);
    while enough - too_small > STEP {
        let middle = too_small + (enough - too_small) / 2 / STEP * STEP;
        if is_enough(subject, images, middle)? {
            enough = middle;
        } else {
            too_small = middle;
        }
    }
    Ok(enough)
}

fn is_enough(subject: &Subject, images: &Images, memory_mb: u32) -> Result<bool> {
    let guest = Guest { append: STRAIGHT.to_string(), memory_mb, ..Guest::new(&images.straight) };
    let outcome = guest.run(subject)?;
    let report = Report::find(&outcome.transcript);
    Ok(report.is_some_and(|report| report.container.is_some()) && !outcome.timed_out)
}
