//! One value in place of another, as a map of statuses does it.

use std::collections::BTreeMap;

use super::{REPEATS, choice::named};
use crate::{
    canon::{cell::Cell, show::text_of},
    model::{Cause, Redaction, Substitution},
};

/// Different values of the source that are followed.
const KEPT: usize = 256;
/// Bytes of the longest form that is followed: a status is a word, not a text.
const LONGEST: usize = 100;

/// The texts of a value and of what stands in its place (`None` is NULL).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    source: Option<String>,
    target: Option<String>,
}

impl Pair {
    pub fn of(source: &Cell<'_>, target: &Cell<'_>) -> Self {
        Self { source: text_of(source), target: text_of(target) }
    }

    pub fn shown(&self, redaction: &Redaction) -> Substitution {
        let show = |text: &Option<String>| redaction.show(text.as_deref());
        Substitution { source: show(&self.source), target: show(&self.target) }
    }
}

/// Values by the source's, and what the target has for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Substitutions {
    by_source: BTreeMap<Vec<u8>, Replaced>,
}

#[derive(Clone, Debug)]
struct Replaced {
    target: Vec<u8>,
    pair: Pair,
    total: u64,
    /// Whether the target has the same for all of them.
    throughout: bool,
}

impl Substitutions {
    /// Takes a value with its forms; `false` if it cannot be followed.
    pub fn add(&mut self, source: &Cell<'_>, target: &Cell<'_>, from: Vec<u8>, to: Vec<u8>) -> bool {
        if let Some(known) = self.by_source.get_mut(&from) {
            known.total += 1;
            known.throughout &= known.target == to;
            return true;
        }
        if self.by_source.len() >= KEPT || from.len() > LONGEST || to.len() > LONGEST {
            return false;
        }
        let pair = Pair::of(source, target);
        self.by_source.insert(from, Replaced { target: to, pair, total: 1, throughout: true });
        true
    }

    /// The causes, and how many values are unexplained.
    pub fn finish(self, redaction: &Redaction) -> (Vec<(Cause, u64)>, u64) {
        let (maps, rest): (Vec<_>, Vec<_>) =
            self.by_source.into_values().partition(|replaced| replaced.throughout && replaced.total >= REPEATS);
        let pairs = maps.into_iter().map(|replaced| (replaced.pair, replaced.total)).collect();
        let causes = named(pairs, |pair| Cause::Substituted { pair: pair.map(|pair| pair.shown(redaction)) });
        (causes, rest.iter().map(|replaced| replaced.total).sum())
    }
}
