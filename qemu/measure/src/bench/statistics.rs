//! Medians and the spread around them.

use serde::{Deserialize, Serialize};

/// Microseconds of several runs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub p10: f64,
    pub p90: f64,
    pub runs: usize,
}

impl Spread {
    /// None of no runs.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |share: f64| sorted[(last as f64 * share).round() as usize];
        Some(Spread { median: at(0.5), p10: at(0.1), p90: at(0.9), runs: sorted.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_median() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!((spread.median, spread.p10, spread.p90, spread.runs), (3.0, 1.0, 5.0, 5));
        assert!(Spread::of(&[]).is_none());
    }
}
