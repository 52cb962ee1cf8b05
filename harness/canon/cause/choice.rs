//! Counting rules that have a parameter.

use std::collections::BTreeMap;

use crate::model::Cause;

/// Amounts that a finding names one by one; the rest are told together.
pub(super) const NAMED: usize = 8;
/// Different amounts that are told apart at all.
const KEPT: usize = 256;

/// Values by the options of one family that explain them, as the bits of a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    sets: BTreeMap<u64, u64>,
}

impl Choice {
    /// Takes a value; `false` if no option explains it.
    pub fn add(&mut self, options: u64) -> bool {
        if options != 0 {
            *self.sets.entry(options).or_default() += 1;
        }
        options != 0
    }

    /// Gives each value to one option: the one that explains most has all that it can, then the next.
    pub fn resolve(mut self) -> Vec<(u32, u64)> {
        let mut resolved = Vec::new();
        while !self.sets.is_empty() {
            let explains = |option: u32| -> u64 {
                self.sets.iter().filter(|(set, _)| *set >> option & 1 == 1).map(|(_, total)| total).sum()
            };
            let best = (0..u64::BITS).rev().max_by_key(|option| explains(*option)).expect("there are options");
            resolved.push((best, explains(best)));
            self.sets.retain(|set, _| set >> best & 1 == 0);
        }
        resolved
    }
}

/// Values by an amount.
#[derive(Clone, Debug, Default)]
pub(super) struct Amounts {
    totals: BTreeMap<u64, u64>,
}

impl Amounts {
    /// Takes a value; `false` if there are too many different amounts already to tell this one apart.
    pub fn add(&mut self, amount: u64) -> bool {
        let known = self.totals.len() < KEPT || self.totals.contains_key(&amount);
        if known {
            *self.totals.entry(amount).or_default() += 1;
        }
        known
    }

    /// The causes; the amount is none where several are told together.
    pub fn finish(self, cause: impl Fn(Option<u64>) -> Cause) -> Vec<(Cause, u64)> {
        named(self.totals.into_iter().collect(), cause)
    }
}

/// Names the most frequent, and tells the rest together.
pub(super) fn named<T: Ord>(mut totals: Vec<(T, u64)>, cause: impl Fn(Option<T>) -> Cause) -> Vec<(Cause, u64)> {
    totals.sort_by(|(amount, total), (other, other_total)| other_total.cmp(total).then_with(|| amount.cmp(other)));
    let rest = totals.split_off(totals.len().min(NAMED));
    let mut causes: Vec<(Cause, u64)> =
        totals.into_iter().map(|(amount, total)| (cause(Some(amount)), total)).collect();
    if !rest.is_empty() {
        causes.push((cause(None), rest.iter().map(|(_, total)| total).sum()));
    }
    causes
}
