//! Plans that nobody would write: random, mutated, and found by a fuzzer.

mod coverage;
mod properties;
mod texts;
mod whole;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A runner whose texts are the same in every run; what fails is made small before it is shown.
fn runner(cases: u32, seed: u8) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

/// So many of a test's cases: few in the default form, many in the long one.
fn cases(few: u32, many: u32) -> u32 {
    if vm::test::long() { many } else { few }
}
