//! Texts that reach every corner of the parser: the small corpus in the tree, and what libFuzzer makes of it.

use anyhow::{Context, Result, ensure};
use vm::fuzz::{Limit, parser};
use vm::workspace;

use super::cases;

const MOST_FILES: usize = 30;
const MOST_BYTES: usize = 4200;

/// Each file of the corpus on its own, so that a fault is the file's.
#[test]
fn corpus() -> Result<()> {
    let directory = workspace::root().join("qemu/fuzz/corpus");
    let mut files = 0;
    for entry in directory.read_dir().with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        let text = std::fs::read(&path)?;
        assert!(text.len() <= MOST_BYTES, "{} is too long for the tree", path.display());
        let judged = std::panic::catch_unwind(|| fuzz::assert_right(&text));
        assert!(judged.is_ok(), "the parser is wrong with {}", path.display());
        files += 1;
    }
    assert!((10..=MOST_FILES).contains(&files), "{files} files");
    Ok(())
}

#[test]
fn guided_by_coverage() -> Result<()> {
    let runs = u64::from(cases(100_000, 5_000_000));
    let found = tempfile::tempdir()?;
    let outcome = parser(Limit::Runs(runs), 1, found.path())?;
    if let Some((text, said)) = outcome.crash {
        panic!("the parser is wrong with {}: {said}", text.display());
    }
    ensure!(outcome.runs >= runs, "only {} runs", outcome.runs);
    ensure!(outcome.coverage > 300, "only {} places reached: was it built for coverage?", outcome.coverage);
    println!("{} texts, {} places reached", outcome.runs, outcome.coverage);
    Ok(())
}
