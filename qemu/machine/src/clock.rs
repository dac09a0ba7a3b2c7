//! The speed of this machine's time stamp counter, which a guest under TCG sees as its own.
//!
//! A kernel measures the counter against a timer chip. Under TCG on a busy machine both stutter, and where the machine
//! type has nothing else to compare with, as microvm, the kernel gives up and hangs. So it is told.

use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for four digits.
const SPAN: Duration = Duration::from_millis(20);

/// Ticks in a millisecond, for the kernel's `tsc_early_khz=`.
pub fn tsc_khz() -> u64 {
    static KHZ: OnceLock<u64> = OnceLock::new();
    *KHZ.get_or_init(|| {
        let counter = quanta::Clock::new();
        let (ticks, started) = (counter.raw(), Instant::now());
        sleep(SPAN);
        let (ticks, nanoseconds) = (counter.raw() - ticks, started.elapsed().as_nanos());
        (u128::from(ticks) * 1_000_000 / nanoseconds) as u64
    })
}
