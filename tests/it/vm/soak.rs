//! Boots in a row, each as good as the first.

use std::time::Duration;

use agent::Report;
use anyhow::{Context, Result};
use vm::bundle::Bundle;
use vm::demo::{demo_plan, verdict};
use vm::test::long;

use super::{boot, parts};

#[test]
fn boots_in_a_row() -> Result<()> {
    let boots = if long() { 30 } else { 2 };
    let tree = parts().initramfs(Some(&demo_plan()), &Bundle::default())?;
    let mut longest = Duration::ZERO;
    for number in 1..=boots {
        let outcome = boot(&tree, "", &[])?;
        let report = Report::find(&outcome.transcript);
        verdict(&outcome, report.as_ref()).with_context(|| format!("boot {number}: {}", outcome.evidence()))?;
        longest = longest.max(outcome.elapsed);
    }
    println!("{boots} boots in a row, the longest took {:.1} s", longest.as_secs_f64());
    Ok(())
}
