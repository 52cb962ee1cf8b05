//! Times: lost zones, lost fractions, constant shifts.

use std::collections::BTreeMap;

use super::{
    choice::named,
    distance::{self, Distances, Told},
};
use crate::{
    canon::{bring, cell::Cell, temporal},
    model::{Cause, Redaction},
};

/// Shifts by whole quarters of an hour, up to what two zones can be apart, are each a cause at the first value.
const QUARTER: i64 = 15 * 60 * 1_000_000;
const ZONES_APART: i64 = 26 * 4 * QUARTER;
/// Digits of a fraction in microseconds.
const DIGITS: u32 = 6;

/// The local time that was written with a zone other than UTC, as if it were UTC.
pub(super) fn written(source: &Cell<'_>) -> Option<i64> {
    let (text, _) = bring::characters(source)?;
    let moment = temporal::moment(text).filter(|moment| moment.zoned)?;
    let zone = text.iter().rposition(|byte| matches!(byte, b'+' | b'-'))?;
    let local = temporal::moment(text[..zone].trim_ascii_end()).filter(|local| !local.zoned)?;
    (local.micros != moment.micros).then_some(local.micros)
}

/// The digits to which a fraction of a second may have been cut (from bit 0) or rounded (from bit 6).
pub(super) fn fractions(source: i64, target: i64) -> u64 {
    let mut options = 0;
    for digits in 0..DIGITS {
        let unit = 10_i64.pow(DIGITS - digits);
        let Some(cut) = source.checked_sub(source.rem_euclid(unit)) else { continue };
        if cut == target {
            options |= 1 << digits;
        }
        // Half a unit goes up here and to the even digit there.
        let over = source.rem_euclid(unit);
        let up = cut.checked_add(unit);
        let even = cut.div_euclid(unit) % 2 == 0;
        let rounded = match (over * 2).cmp(&unit) {
            std::cmp::Ordering::Less => cut == target,
            std::cmp::Ordering::Greater => up == Some(target),
            std::cmp::Ordering::Equal => up == Some(target) || (even && cut == target),
        };
        if rounded {
            options |= 1 << (DIGITS + digits);
        }
    }
    options
}

/// The cause of an option of [`fractions`].
pub(super) const fn cause(option: u32) -> Cause {
    if option < DIGITS {
        Cause::FractionCut { digits: option }
    } else {
        Cause::FractionRounded { digits: option - DIGITS }
    }
}

/// The shorter way round the clock.
pub(super) const fn around_midnight(shift: i64) -> i64 {
    let forward = shift.rem_euclid(temporal::DAY);
    if forward > temporal::DAY / 2 { forward - temporal::DAY } else { forward }
}

/// Values by how far they moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Shifts {
    zones: BTreeMap<i64, u64>,
    others: Distances<i64>,
}

impl Shifts {
    /// Takes a value; `false` if there are too many different shifts already to tell this one apart.
    pub fn add(&mut self, shift: i64, source: &Cell<'_>, target: &Cell<'_>) -> bool {
        if shift % QUARTER == 0 && (-ZONES_APART..=ZONES_APART).contains(&shift) {
            *self.zones.entry(shift).or_default() += 1;
            return true;
        }
        self.others.add(shift, source, target)
    }

    /// The causes, and how many values are unexplained.
    pub fn finish(self, redaction: &Redaction) -> (Vec<(Cause, u64)>, u64) {
        let Told { moved, alone, unexplained } = self.others.split();
        let shifts = self.zones.into_iter().chain(moved);
        let mut causes = named(shifts.collect(), |micros| Cause::Shifted { micros });
        causes.extend(distance::substituted(alone, redaction));
        (causes, unexplained)
    }
}
