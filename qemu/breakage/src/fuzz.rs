//! `cargo vm fuzz`: the plan parser under libFuzzer, which follows the coverage of what it runs. It is built with the
//! stable compiler: the coverage comes from LLVM's own pass, and libFuzzer from the crate that holds its source.

mod readers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;

pub use readers::{Corpus, read};
use sources::{apt, workspace};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// For how long, in seconds [default: 60]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
    /// How many texts instead
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// Where to begin; the same texts follow from the same seed and the same texts found before
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u32,
    /// The readers of images, compressed segments, programs and modules instead of the parser
    #[arg(long)]
    pub readers: bool,
}

/// When it is enough.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    Seconds(u64),
    Runs(u64),
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub runs: u64,
    /// Places in the program that were reached.
    pub coverage: u64,
    /// The text that the parser was wrong with, and what was said of it.
    pub crash: Option<(PathBuf, String)>,
}

/// SanitizerCoverage's counters, as cargo-fuzz and libFuzzer's documentation have them.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "--cfg=fuzzing",
];
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Longer than the longest plan, so that there are some that are too long.
const MAX_LEN: &str = "-max_len=4200";

/// The command: exits 1 if a text was found that the parser is wrong with.
pub fn run(options: &Options) -> Result<ExitCode> {
    let limit = options.runs.map_or(Limit::Seconds(options.seconds.unwrap_or(60)), Limit::Runs);
    if options.readers {
        println!("{} files, none made a reader panic", readers::run(limit, u64::from(options.seed))?);
        return Ok(ExitCode::SUCCESS);
    }
    let corpus = workspace::cache("fuzz/corpus")?;
    let outcome = parser(limit, options.seed, &corpus)?;
    println!("{} texts, {} places of the program reached", outcome.runs, outcome.coverage);
    let Some((text, said)) = outcome.crash else {
        println!("the parser was right with each");
        return Ok(ExitCode::SUCCESS);
    };
    eprintln!("{said}\nvm: the parser is wrong with {}: make a test of it", text.display());
    Ok(ExitCode::FAILURE)
}

/// Fuzzes. Texts that reach something new are kept in `corpus`, and go before all others the next time.
pub fn parser(limit: Limit, seed: u32, corpus: &Path) -> Result<Outcome> {
    apt::ensure_programs(&["g++"])?;
    let program = build()?;
    let source = workspace::root().join("qemu/fuzz");
    let crashes = workspace::cache("fuzz/crashes")?;
    let mut fuzzer = Command::new(&program);
    fuzzer.arg(match limit {
        Limit::Seconds(seconds) => format!("-max_total_time={seconds}"),
        Limit::Runs(runs) => format!("-runs={runs}"),
    });
    fuzzer.args([MAX_LEN, "-timeout=10", "-print_final_stats=1", &format!("-seed={seed}")]);
    fuzzer.arg(format!("-dict={}", source.join("plan.dict").display()));
    fuzzer.arg(format!("-artifact_prefix={}/", crashes.display()));
    fuzzer.arg(corpus).arg(source.join("corpus"));
    let output = fuzzer.output().with_context(|| format!("cannot run {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let crash = said.split_once("Test unit written to ").and_then(|(_, rest)| rest.lines().next());
    ensure!(output.status.success() || crash.is_some(), "the fuzzer ended with {}:\n{said}", output.status);
    Ok(Outcome {
        runs: number_behind(&said, "stat::number_of_executed_units:").context("the fuzzer tells no number of runs")?,
        coverage: number_behind(&said, " cov: ").unwrap_or_default(),
        crash: crash.map(|path| (PathBuf::from(path), said_of_crash(&said, path))),
    })
}

fn build() -> Result<PathBuf> {
    let target = workspace::cache("fuzz/build")?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--profile", "fuzz", "--package", "fuzz", "--bin", "plan"]);
    cargo.args(["--features", "libfuzzer", "--target", TARGET]).arg("--target-dir").arg(&target);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    let status = cargo.status().context("cannot run cargo to build the fuzzer")?;
    ensure!(status.success(), "cargo could not build the fuzzer: {status}");
    Ok(target.join(TARGET).join("fuzz/plan"))
}

/// The last number that follows these words.
fn number_behind(said: &str, words: &str) -> Option<u64> {
    let (_, rest) = said.rsplit_once(words)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The panic's lines and the text itself.
fn said_of_crash(said: &str, text: &str) -> String {
    let panic = said.lines().skip_while(|line| !line.contains("panicked at"));
    let panic: Vec<&str> = panic.take_while(|line| !line.starts_with("stack backtrace")).collect();
    let text = fs::read(text).unwrap_or_default();
    format!("{}\n{:?}", panic.join("\n"), String::from_utf8_lossy(&text))
}
