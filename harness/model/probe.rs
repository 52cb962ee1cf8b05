//! What was asked of a system before and after its migration, and what it answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Side, Stage};

/// What a probe saw at one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Probed {
    /// Its name in the scenario.
    pub name: String,
    /// The stage.
    pub stage: Stage,
    /// The side that was asked.
    pub side: Side,
    /// The answer without a row's value: `3 rows`, `exit code 0`, `status 200, 512 bytes`; what went wrong, where there was
    /// none.
    pub told: String,
    /// BLAKE3 of the answer, in hexadecimal; `None` where there was none.
    pub digest: Option<String>,
    /// How often it was asked until that was the answer.
    pub attempts: u32,
    /// How long each run took, in milliseconds, in their order.
    pub times_ms: Vec<f64>,
    /// How the server goes about it, in its own words, where it tells that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

impl Probed {
    /// The median of its times, in milliseconds; `None` where it was not timed.
    pub fn median_ms(&self) -> Option<f64> {
        let mut times = self.times_ms.clone();
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        match times.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(times[middle]),
            _ => Some(f64::midpoint(times[middle - 1], times[middle])),
        }
    }
}

/// Adds what was seen, in place of what an earlier process of the run saw of the same.
pub fn renew(known: &mut Vec<Probed>, seen: &[Probed]) {
    known.retain(|one| seen.iter().all(|fresh| (fresh.stage, &fresh.name) != (one.stage, &one.name)));
    known.extend(seen.iter().cloned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let probed = |times: &[f64]| Probed {
            name: "one".to_owned(),
            stage: Stage::Migrated,
            side: Side::Target,
            told: "1 row".to_owned(),
            digest: None,
            attempts: 1,
            times_ms: times.to_vec(),
            plan: None,
        };
        assert_eq!(probed(&[]).median_ms(), None);
        assert_eq!(probed(&[9.0, 1.0, 2.0]).median_ms(), Some(2.0));
        assert_eq!(probed(&[4.0, 1.0, 2.0, 9.0]).median_ms(), Some(3.0));
    }
}
