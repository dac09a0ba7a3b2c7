//! The matrix of kernels and scenarios: `cargo vm matrix`.

use anyhow::Result;
use vm::arch::X86_64;
use vm::matrix::guest::Subject;
use vm::matrix::{self, record::Verdict};
use vm::test::long;

use super::parts;

/// What the other tests of this directory leave out, on this release's kernel.
const SHORT: [&str; 5] =
    ["2 CPUs", "console= names no device", "truncated in crun", "truncated in the agent", "truncated before the plan"];

#[test]
fn each_cell_is_right() -> Result<()> {
    let subjects = if long() { matrix::releases(&X86_64)? } else { vec![Subject::own(&X86_64, &parts().kernel)?] };
    let record = matrix::fill(&subjects, |what| long() || SHORT.contains(&what))?;
    let rows = if long() { matrix::scenarios::SCENARIOS.len() } else { SHORT.len() };
    assert_eq!(record.cells.len(), rows * subjects.len());
    let right = record.cells.iter().filter(|cell| cell.verdict == Verdict::Right).count();
    assert!(record.is_right() && right > 0, "{}", record.table());
    println!("{}", record.table());
    Ok(())
}
