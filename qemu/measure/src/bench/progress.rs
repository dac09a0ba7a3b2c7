//! A line for each boot of a benchmark, so that one that hangs is seen while it does.

use std::time::Instant;

/// How far a part of the benchmark is.
pub struct Progress {
    part: &'static str,
    done: usize,
    all: usize,
}

impl Progress {
    pub fn of(part: &'static str, all: usize) -> Progress {
        Progress { part, done: 0, all }
    }

    /// Runs the next boot and tells how long it took, by this machine's clock, with all that QEMU does.
    pub fn time<T>(&mut self, what: &str, boot: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = boot();
        self.done += 1;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("vm: {} {}/{}: {what}: {seconds:.1} s", self.part, self.done, self.all);
        result
    }
}
