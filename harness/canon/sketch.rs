//! Whether two tables differ widely: told by a few rows of each, while both are being read for the first time.
//!
//! The first pass spares the second one most rows, unless so many differ that hardly a bucket is without one. Then it is the
//! first pass that can be spared, and the sooner that is known the better. So both sides put aside the digests of the rows
//! whose keys have the smallest hashes: these are the same keys on both sides, in whatever order the rows come, and
//! never more than there is room for.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::model::{Side, Sides};

/// Keys that are put aside at most.
const KEPT: usize = 8192;
/// Keys that both sides have shown before anything is said of them.
const SEEN: usize = 64;
/// A table in which one row of so many differs has one in almost every bucket, however small its buckets are.
const ONE_IN: usize = 8;

/// What the first passes over both sides know of each other.
#[derive(Clone, Debug, Default)]
pub struct Sketch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Keys with smaller hashes are put aside.
    limit: AtomicU64,
    is_wide: AtomicBool,
    rows: Mutex<Rows>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { limit: AtomicU64::new(u64::MAX), is_wide: AtomicBool::new(false), rows: Mutex::default() }
    }
}

/// The rows that were put aside, by the hashes of their keys.
#[derive(Debug, Default)]
struct Rows {
    shown: BTreeMap<u64, Sides<Shown>>,
    tally: Tally,
}

/// What one side has under a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Nothing,
    /// A row, by a part of its digest.
    Row(u64),
    /// More than one row, of which nothing is told.
    Several,
}

/// Of the rows that both sides have shown.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    seen: usize,
    differing: usize,
}

impl Tally {
    fn of(shown: Sides<Shown>) -> Self {
        let Sides { source: Shown::Row(source), target: Shown::Row(target) } = shown else { return Self::default() };
        Self { seen: 1, differing: usize::from(source != target) }
    }

    const fn add(self, other: Self) -> Self {
        Self { seen: self.seen + other.seen, differing: self.differing + other.differing }
    }
}

impl Sketch {
    /// The view of one side.
    pub(super) fn of(&self, side: Side) -> Glimpse {
        Glimpse { shared: Arc::clone(&self.0), side }
    }

    /// Whether so many rows differ that the first pass tells nothing. Once it was told, it stays so.
    pub fn is_wide(&self) -> bool {
        self.0.is_wide.load(Ordering::Relaxed)
    }
}

/// One side's part in a sketch.
#[derive(Clone, Debug)]
pub(super) struct Glimpse {
    shared: Arc<Shared>,
    side: Side,
}

impl Glimpse {
    /// Takes a row: the hash of its key, and its digest.
    pub fn add(&self, group: u64, digest: &[u8; 32]) {
        if group < self.shared.limit.load(Ordering::Relaxed) {
            self.put_aside(group, u64::from_le_bytes(*digest.first_chunk().expect("thirty-two bytes hold eight")));
        }
    }

    /// Whether nothing more has to be seen.
    pub fn is_wide(&self) -> bool {
        self.shared.is_wide.load(Ordering::Relaxed)
    }

    #[cold]
    fn put_aside(&self, group: u64, digest: u64) {
        let Shared { limit, is_wide, rows } = &*self.shared;
        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
        let Rows { shown, tally } = &mut *rows;
        let both = shown.entry(group).or_default();
        let before = Tally::of(*both);
        let own = both.get_mut(self.side);
        *own = if *own == Shown::Nothing { Shown::Row(digest) } else { Shown::Several };
        let now = tally.add(Tally::of(*both));
        *tally = Tally { seen: now.seen - before.seen, differing: now.differing - before.differing };
        if tally.seen >= SEEN && tally.differing * ONE_IN >= tally.seen {
            is_wide.store(true, Ordering::Relaxed);
        }
        while shown.len() > KEPT {
            let lower = limit.load(Ordering::Relaxed) / 2;
            limit.store(lower, Ordering::Relaxed);
            shown.split_off(&lower);
            *tally = shown.values().map(|both| Tally::of(*both)).fold(Tally::default(), Tally::add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows both sides their rows in turn, and tells how many rows of both it took to see that they differ widely.
    fn shown(rows: u64, place: impl Fn(u64) -> u64, differs: impl Fn(u64) -> bool) -> Option<u64> {
        let sketch = Sketch::default();
        let (source, target) = (sketch.of(Side::Source), sketch.of(Side::Target));
        let show = |side: &Glimpse, row: u64, is_other: bool| {
            let key = *blake3::hash(&row.to_le_bytes()).as_bytes();
            side.add(u64::from_le_bytes(*key.first_chunk().unwrap()), &[u8::from(is_other); 32]);
        };
        (0..rows).find_map(|at| {
            show(&source, at, false);
            show(&target, place(at), differs(place(at)));
            assert!(sketch.0.rows.lock().unwrap().shown.len() <= KEPT);
            sketch.is_wide().then_some(2 * (at + 1))
        })
    }

    #[test]
    fn wide_differences_are_seen_early_in_any_order() {
        const ROWS: u64 = 200_003;
        // Each place once, because the number of rows is prime.
        let shuffled = |at: u64| at * 123_457 % ROWS;
        for part in [2, 3, 5] {
            let differs = |row: u64| row.is_multiple_of(part);
            assert!(shown(ROWS, |at| at, differs).is_some_and(|rows| rows < 1_000), "one in {part}");
            assert!(shown(ROWS, shuffled, differs).is_some_and(|rows| rows < ROWS / 10), "one in {part}");
        }
        assert_eq!(shown(ROWS, shuffled, |_| false), None);
        assert_eq!(shown(ROWS, shuffled, |row| row.is_multiple_of(50)), None);
        assert_eq!(shown(ROWS, shuffled, |row| row < 8), None);
    }

    #[test]
    fn keys_that_a_side_has_twice_say_nothing() {
        let sketch = Sketch::default();
        for group in 0..1_000 {
            for (side, digest) in [(Side::Source, 1), (Side::Target, 1), (Side::Target, 2), (Side::Source, 2)] {
                sketch.of(side).add(group * 99, &[digest; 32]);
            }
        }
        assert!(!sketch.is_wide());
        assert_eq!(sketch.0.rows.lock().unwrap().tally.seen, 0);
    }
}
