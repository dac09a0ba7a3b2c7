//! The running kernel's symbols, proc(5).

use anyhow::{Context, Result, ensure};

/// The functions in /proc/kallsyms: data has no place in a profile.
pub fn of_kernel() -> Result<Vec<u8>> {
    let all = std::fs::read_to_string("/proc/kallsyms").context("cannot read the kernel's symbols")?;
    let is_function = |line: &&str| line.split(' ').nth(1).is_some_and(|kind| "tTwW".contains(kind));
    let functions: Vec<&str> = all.lines().filter(is_function).collect();
    ensure!(functions.iter().any(|line| !line.starts_with("0000000000000000")), "the kernel hides its addresses");
    Ok((functions.join("\n") + "\n").into_bytes())
}
