//! Values that moved by a constant: any two are some distance apart, so that only several of one distance tell anything.

use std::collections::BTreeMap;

use super::{REPEATS, choice::named, substitution::Pair};
use crate::{
    canon::cell::Cell,
    model::{Cause, Redaction},
};

/// Distances that are told apart.
const KEPT: usize = 1024;

/// Values by how far they moved.
#[derive(Clone, Debug)]
pub(super) struct Distances<D> {
    moved: BTreeMap<D, Moved>,
}

#[derive(Clone, Debug)]
struct Moved {
    total: u64,
    /// The first value that moved so far.
    first: Pair,
    /// Whether all the others are that value too: then it is one value that stands for another.
    alone: bool,
}

/// What distances tell of values.
pub(super) struct Told<D> {
    /// Distances that several unlike values moved, and how many.
    pub moved: Vec<(D, u64)>,
    /// Values that became the same other one several times.
    pub alone: Vec<(Pair, u64)>,
    /// How many others there are.
    pub unexplained: u64,
}

impl<D> Default for Distances<D> {
    fn default() -> Self {
        Self { moved: BTreeMap::new() }
    }
}

impl<D: Ord> Distances<D> {
    /// Takes a value; `false` if there are too many different distances already to tell this one apart.
    pub fn add(&mut self, distance: D, source: &Cell<'_>, target: &Cell<'_>) -> bool {
        if self.moved.len() >= KEPT && !self.moved.contains_key(&distance) {
            return false;
        }
        let pair = Pair::of(source, target);
        let known = self.moved.entry(distance).or_insert_with(|| Moved { total: 0, first: pair.clone(), alone: true });
        known.total += 1;
        known.alone &= known.first == pair;
        true
    }

    /// What the distances tell.
    pub fn split(self) -> Told<D> {
        let (repeated, single): (Vec<_>, Vec<_>) =
            self.moved.into_iter().partition(|(_, moved)| moved.total >= REPEATS);
        let (alone, moved): (Vec<_>, Vec<_>) = repeated.into_iter().partition(|(_, moved)| moved.alone);
        Told {
            moved: moved.into_iter().map(|(distance, moved)| (distance, moved.total)).collect(),
            alone: alone.into_iter().map(|(_, moved)| (moved.first, moved.total)).collect(),
            unexplained: single.iter().map(|(_, moved)| moved.total).sum(),
        }
    }

    /// The causes, and how many values are unexplained.
    pub fn finish(self, redaction: &Redaction, cause: impl Fn(Option<D>) -> Cause) -> (Vec<(Cause, u64)>, u64) {
        let Told { moved, alone, unexplained } = self.split();
        let mut causes = named(moved, cause);
        causes.extend(substituted(alone, redaction));
        (causes, unexplained)
    }
}

/// One value in place of another.
pub(super) fn substituted(pairs: Vec<(Pair, u64)>, redaction: &Redaction) -> Vec<(Cause, u64)> {
    named(pairs, |pair| Cause::Substituted { pair: pair.map(|pair| pair.shown(redaction)) })
}
