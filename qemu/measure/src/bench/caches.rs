//! One processor for all boots of a run, and what makes a boot on it a cold one.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and what it starts from now on, on one processor, until it is dropped.
pub struct Pinned(CpuSet);

impl Pinned {
    pub fn new() -> Result<Pinned> {
        let before = sched_getaffinity(None).context("cannot tell the processors: sched_getaffinity(2)")?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| before.is_set(*cpu)).context("there is no processor")?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).context("cannot stay on one processor: sched_setaffinity(2)")?;
        Ok(Pinned(before))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _ = sched_setaffinity(None, &self.0);
    }
}

/// More than any cache has, written twice.
const BYTES: usize = 64 << 20;

/// What takes the caches of the processor that it stays on.
pub struct CacheTaker(Vec<u8>);

impl CacheTaker {
    pub fn new() -> CacheTaker {
        CacheTaker(vec![0; BYTES])
    }

    /// Waits until somebody asks there, takes the caches, and answers.
    pub fn serve(&mut self, mut asked: &UnixStream) -> io::Result<()> {
        let mut number = [0];
        asked.read_exact(&mut number)?;
        for round in 1..=2 {
            self.0.fill(std::hint::black_box(round));
        }
        asked.write_all(&number)
    }
}
