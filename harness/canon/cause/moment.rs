//! Times: lost zones, lost fractions, constant shifts.

use std::collections::BTreeMap;

use super::{REPEATS, choice::named, substitution::Pair};
use crate::{
    canon::{bring, cell::Cell, temporal},
    model::{Cause, Redaction},
};

/// Shifts by whole quarters of an hour, up to what two zones can be apart, are each a cause at the first value.
const QUARTER: i64 = 15 * 60 * 1_000_000;
const ZONES_APART: i64 = 26 * 4 * QUARTER;
/// Other shifts that are told apart.
const KEPT: usize = 1024;
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
    others: BTreeMap<i64, Shift>,
}

#[derive(Clone, Debug)]
struct Shift {
    total: u64,
    /// The first value that moved so far.
    first: Pair,
    /// Whether all the others are that value too: then it is one value that stands for another.
    alone: bool,
}

impl Shifts {
    /// Takes a value; `false` if there are too many different shifts already to tell this one apart.
    pub fn add(&mut self, shift: i64, source: &Cell<'_>, target: &Cell<'_>) -> bool {
        if shift % QUARTER == 0 && (-ZONES_APART..=ZONES_APART).contains(&shift) {
            *self.zones.entry(shift).or_default() += 1;
            return true;
        }
        if self.others.len() >= KEPT && !self.others.contains_key(&shift) {
            return false;
        }
        let pair = Pair::of(source, target);
        let known = self.others.entry(shift).or_insert_with(|| Shift { total: 0, first: pair.clone(), alone: true });
        known.total += 1;
        known.alone &= known.first == pair;
        true
    }

    /// The causes, and how many values are unexplained.
    pub fn finish(self, redaction: &Redaction) -> (Vec<(Cause, u64)>, u64) {
        let (repeated, single): (Vec<_>, Vec<_>) =
            self.others.into_iter().partition(|(_, shift)| shift.total >= REPEATS);
        let (alone, moved): (Vec<_>, Vec<_>) = repeated.into_iter().partition(|(_, shift)| shift.alone);
        let shifts = self.zones.into_iter().chain(moved.into_iter().map(|(micros, shift)| (micros, shift.total)));
        let mut causes = named(shifts.collect(), |micros| Cause::Shifted { micros });
        let pairs = alone.into_iter().map(|(_, shift)| (shift.first, shift.total)).collect();
        causes.extend(named(pairs, |pair| Cause::Substituted { pair: pair.map(|pair| pair.shown(redaction)) }));
        (causes, single.iter().map(|(_, shift)| shift.total).sum())
    }
}
