//! `cargo vm fuzz`: the plan parser, or the readers of foreign bytes, under libFuzzer, which follows the coverage of what it runs.
//! Built with the stable compiler: the coverage comes from LLVM's own pass, and libFuzzer from the crate that holds its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;
use fuzz::readers::{READERS, Reader};
use sources::{apt, workspace};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// For how long, in seconds; with --readers, each [default: 60]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..))]
    pub seconds: Option<u64>,
    /// How many texts or files instead
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: Option<u64>,
    /// Where to begin; the same texts follow from the same seed and the same texts found before
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u32,
    /// The readers of images, compressed segments, programs, kernels and modules instead of the parser, or one of them
    #[arg(long, value_name = "NAME", num_args = 0..=1, value_parser = PossibleValuesParser::new(READERS.iter().map(|it| it.name)))]
    pub readers: Option<Option<String>>,
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
    /// What it was wrong with, and what was said of it.
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
const LONGEST_PLAN: &str = "-max_len=4200";
/// Of what a reader is given: longer than the sound files.
const LONGEST_FILE: &str = "-max_len=65536";
/// The most that a reader may take: a dictionary of 128 MiB, a kernel of 256 MiB, and libFuzzer's own.
const MEMORY: &str = "-rss_limit_mb=1024";

/// The command: exits 1 if a text was found that the parser is wrong with, or a file that a reader fails at.
pub fn run(options: &Options) -> Result<ExitCode> {
    let limit = options.runs.map_or(Limit::Seconds(options.seconds.unwrap_or(60)), Limit::Runs);
    let Some(name) = &options.readers else {
        let outcome = parser(limit, options.seed, &workspace::cache("fuzz/corpus")?)?;
        return Ok(told(&outcome, "texts", "the parser"));
    };
    let mut code = ExitCode::SUCCESS;
    for reader in READERS.iter().filter(|reader| name.as_deref().is_none_or(|name| name == reader.name)) {
        let outcome = self::reader(reader, limit, options.seed, &workspace::cache(&format!("fuzz/{}", reader.name))?)?;
        if told(&outcome, "files", &format!("the reader of {}", reader.name)) != ExitCode::SUCCESS {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn told(outcome: &Outcome, inputs: &str, what: &str) -> ExitCode {
    println!("{} {inputs}, {} places of the program reached", outcome.runs, outcome.coverage);
    let Some((input, said)) = &outcome.crash else {
        println!("{what} was right with each");
        return ExitCode::SUCCESS;
    };
    eprintln!("{said}\nvm: {what} is wrong with {}: make a test of it", input.display());
    ExitCode::FAILURE
}

/// Fuzzes the parser. Texts that reach something new are kept in `corpus`, and go before all others the next time.
pub fn parser(limit: Limit, seed: u32, corpus: &Path) -> Result<Outcome> {
    let source = workspace::root().join("qemu/fuzz");
    let mut fuzzer = Command::new(build("plan")?);
    fuzzer.args([LONGEST_PLAN, &format!("-dict={}", source.join("plan.dict").display())]);
    under_libfuzzer(fuzzer.arg(corpus).arg(source.join("corpus")), limit, seed)
}

/// The same with a reader, and files.
pub fn reader(reader: &Reader, limit: Limit, seed: u32, corpus: &Path) -> Result<Outcome> {
    reader.write_corpus(corpus)?;
    let mut fuzzer = Command::new(build("reader")?);
    // Large memory goes back to the kernel when it is freed (mallopt(3)): the limit is for what is in use.
    fuzzer.env("READER", reader.name).env("MALLOC_MMAP_THRESHOLD_", "131072").args([LONGEST_FILE, MEMORY]);
    under_libfuzzer(fuzzer.arg(corpus), limit, seed)
}

fn under_libfuzzer(fuzzer: &mut Command, limit: Limit, seed: u32) -> Result<Outcome> {
    let crashes = workspace::cache("fuzz/crashes")?;
    fuzzer.arg(match limit {
        Limit::Seconds(seconds) => format!("-max_total_time={seconds}"),
        Limit::Runs(runs) => format!("-runs={runs}"),
    });
    fuzzer.args(["-timeout=10", "-print_final_stats=1", &format!("-seed={seed}")]);
    fuzzer.arg(format!("-artifact_prefix={}/", crashes.display()));
    let output = fuzzer.output().context("cannot run the fuzzer")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let crash = said.split_once("Test unit written to ").and_then(|(_, rest)| rest.lines().next());
    ensure!(output.status.success() || crash.is_some(), "the fuzzer ended with {}:\n{said}", output.status);
    Ok(Outcome {
        runs: number_behind(&said, "stat::number_of_executed_units:").context("the fuzzer tells no number of runs")?,
        coverage: number_behind(&said, " cov: ").unwrap_or_default(),
        crash: crash.map(|path| (PathBuf::from(path), said_of_crash(&said, path))),
    })
}

fn build(program: &str) -> Result<PathBuf> {
    apt::ensure_programs(&["g++"])?;
    let target = workspace::cache("fuzz/build")?;
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--profile", "fuzz", "--package", "fuzz", "--bin", program]);
    cargo.args(["--features", "libfuzzer", "--target", TARGET]).arg("--target-dir").arg(&target);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    let status = cargo.status().context("cannot run cargo to build the fuzzer")?;
    ensure!(status.success(), "cargo could not build the fuzzer: {status}");
    Ok(target.join(TARGET).join("fuzz").join(program))
}

/// The last number that follows these words.
fn number_behind(said: &str, words: &str) -> Option<u64> {
    let (_, rest) = said.rsplit_once(words)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// What libFuzzer calls it, the panic's lines, and the input itself if it is a text.
fn said_of_crash(said: &str, input: &str) -> String {
    let panic = said.lines().skip_while(|line| !line.contains("panicked at"));
    let panic = panic.take_while(|line| !line.starts_with("stack backtrace"));
    let name = said.lines().find(|line| line.contains("ERROR: libFuzzer"));
    let input = fs::read_to_string(input).map(|text| format!("{text:?}"));
    name.into_iter().chain(panic).map(String::from).chain(input).collect::<Vec<_>>().join("\n")
}
