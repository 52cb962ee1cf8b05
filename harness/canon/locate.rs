//! Second pass: which rows differ, counted exactly.

use std::{cmp::Ordering, ops::ControlFlow};

use super::{
    cell::{Cell, RowSink},
    digest::{Form, TableDigest},
    row::{Row, bucket_of},
};
use crate::model::Sides;

/// A set of buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    chosen: Vec<bool>,
}

impl Buckets {
    /// The buckets in which the fingerprints of two sides differ.
    ///
    /// # Panics
    /// If the sides were digested with different numbers of buckets.
    pub fn differing(source: &TableDigest, target: &TableDigest) -> Self {
        assert_eq!(source.buckets.len(), target.buckets.len(), "both sides have the same number of buckets");
        let chosen = source.buckets.iter().zip(&target.buckets).map(|(source, target)| source != target).collect();
        Self { chosen }
    }

    /// How many buckets are in the set.
    pub fn len(&self) -> usize {
        self.chosen.iter().filter(|chosen| **chosen).count()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        !self.chosen.contains(&true)
    }

    /// Splits the set into sets that hold at most so many rows of both sides together (or one bucket), so that each
    /// can be gone over within a bound of memory.
    pub fn groups(&self, source: &TableDigest, target: &TableDigest, row_limit: u64) -> Vec<Self> {
        let none = vec![false; self.chosen.len()];
        let mut groups: Vec<Self> = Vec::new();
        let mut held = 0;
        for (bucket, _) in self.chosen.iter().enumerate().filter(|(_, chosen)| **chosen) {
            let rows = source.buckets[bucket].rows + target.buckets[bucket].rows;
            if groups.is_empty() || held + rows > row_limit {
                groups.push(Self { chosen: none.clone() });
                held = 0;
            }
            held += rows;
            groups.last_mut().expect("one was pushed").chosen[bucket] = true;
        }
        groups
    }

    fn holds(&self, key: &[u8; 32]) -> bool {
        self.chosen[bucket_of(key, self.chosen.len())]
    }
}

/// A row by the digests of its key and of all of it: enough to find it again in another scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// First half of the key's digest.
    pub key: [u8; 16],
    /// First half of the row's digest.
    pub row: [u8; 16],
}

impl Mark {
    pub(super) fn of(digests: &super::row::Digests) -> Self {
        let half = |digest: &[u8; 32]| *digest.first_chunk().expect("thirty-two bytes hold sixteen");
        Self { key: half(&digests.key), row: half(&digests.row) }
    }
}

/// Takes the rows of a table and keeps the marks of those that fall into some buckets, with one hash for each value: 32
/// bytes and 8 for each column, of a table with a key.
#[derive(Clone, Debug)]
pub struct Suspects {
    row: Row,
    buckets: Buckets,
    marks: Vec<Mark>,
    /// One hash for each value of the kept rows; none in a table without a key, whose rows cannot be changed, only
    /// missing or extraneous.
    hashes: Vec<u64>,
}

impl Suspects {
    /// Begins a table with the forms and key of the first pass, and the buckets to keep.
    ///
    /// # Panics
    /// If a key position is not that of a column.
    pub fn new(forms: Vec<Form>, key: Vec<usize>, buckets: Buckets) -> Self {
        Self { row: Row::new(forms, key), buckets, marks: Vec::new(), hashes: Vec::new() }
    }

    fn hashes_of(&self, suspect: usize) -> &[u64] {
        let width = self.row.width();
        &self.hashes[suspect * width..(suspect + 1) * width]
    }

    /// The kept rows in the order of their marks.
    fn ordered(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.marks.len()).collect();
        order.sort_unstable_by_key(|suspect| self.marks[*suspect]);
        order
    }
}

impl RowSink for Suspects {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.row.put(column, &cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let digests = self.row.digests();
        if self.buckets.holds(&digests.key) {
            self.marks.push(Mark::of(&digests));
            if self.row.has_key() {
                for column in 0..self.row.width() {
                    let hash = blake3::hash(self.row.column(column));
                    let hash = hash.as_bytes().first_chunk().expect("thirty-two bytes hold eight");
                    self.hashes.push(u64::from_le_bytes(*hash));
                }
            }
        }
        self.row.clear();
        ControlFlow::Continue(())
    }
}

/// Which rows differ between source and target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// Rows that only the source has.
    pub missing: u64,
    /// Rows that only the target has.
    pub extraneous: u64,
    /// Of the missing (source) and extraneous ones (target), those of which the other side has the very same row, but not
    /// as often: duplicates that were dropped, batches that were loaded twice.
    pub repeated: Sides<u64>,
    /// Rows with the same key and different values.
    pub changed: u64,
    /// Values that differ in changed rows, for each column.
    pub changed_values: Vec<u64>,
    /// Some of the rows, to show.
    pub wanted: Wanted,
}

/// Some of the rows of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// In the source.
    pub missing: Vec<Mark>,
    /// In the target.
    pub extraneous: Vec<Mark>,
    /// In both.
    pub changed: Vec<Changed>,
}

/// A row with the same key and different values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The row in the source.
    pub source: Mark,
    /// The row in the target.
    pub target: Mark,
    /// Positions of the columns whose values differ.
    pub columns: Vec<usize>,
}

impl Located {
    /// Adds what was found in another group of buckets, and keeps at most `cap` rows of each kind to show.
    pub fn add(&mut self, other: Self, cap: usize) {
        self.missing += other.missing;
        self.extraneous += other.extraneous;
        self.repeated.source += other.repeated.source;
        self.repeated.target += other.repeated.target;
        self.changed += other.changed;
        self.changed_values.resize(self.changed_values.len().max(other.changed_values.len()), 0);
        self.changed_values.iter_mut().zip(other.changed_values).for_each(|(total, more)| *total += more);
        self.wanted.missing.extend(other.wanted.missing);
        self.wanted.missing.truncate(cap);
        self.wanted.extraneous.extend(other.wanted.extraneous);
        self.wanted.extraneous.truncate(cap);
        self.wanted.changed.extend(other.wanted.changed);
        self.wanted.changed.truncate(cap);
    }
}

/// Compares the suspects of both sides as multisets, and marks at most `cap` rows of each kind to show.
///
/// Rows of one key are paired: equal ones first, the rest in the order of their digests as changed rows; what is left
/// on either side is missing or extraneous. Without a key a row is its own key, so that nothing is ever changed.
///
/// # Panics
/// If the sides do not have the same number of columns.
pub fn compare(source: &Suspects, target: &Suspects, cap: usize) -> Located {
    assert_eq!(source.row.width(), target.row.width(), "both sides have the same columns");
    let mut found = Located { changed_values: vec![0; source.row.width()], ..Located::default() };
    let (source_order, target_order) = (source.ordered(), target.ordered());
    let (mut source_rest, mut target_rest) = (&source_order[..], &target_order[..]);
    loop {
        let (source_key, target_key) = (first_key(source, source_rest), first_key(target, target_rest));
        let key = match (source_key, target_key) {
            (None, None) => return found,
            (Some(key), None) | (None, Some(key)) => key,
            (Some(source_key), Some(target_key)) => source_key.min(target_key),
        };
        let source_run = run(source, key, &mut source_rest);
        let target_run = run(target, key, &mut target_rest);
        compare_key(source, source_run, target, target_run, cap, &mut found);
    }
}

fn first_key(side: &Suspects, order: &[usize]) -> Option<[u8; 16]> {
    order.first().map(|suspect| side.marks[*suspect].key)
}

/// Takes the rows of this key off the front.
fn run<'o>(side: &Suspects, key: [u8; 16], order: &mut &'o [usize]) -> &'o [usize] {
    let end = order.partition_point(|suspect| side.marks[*suspect].key <= key);
    let (taken, rest) = order.split_at(end);
    *order = rest;
    taken
}

/// Compares the rows of one key, both sides in the order of their digests.
fn compare_key(
    source: &Suspects,
    source_run: &[usize],
    target: &Suspects,
    target_run: &[usize],
    cap: usize,
    found: &mut Located,
) {
    let (source_left, target_left) = unequal(source, source_run, target, target_run);
    let pairs = source_left.len().min(target_left.len());
    for (source_row, target_row) in source_left.iter().zip(&target_left) {
        found.changed += 1;
        let hashes = source.hashes_of(*source_row).iter().zip(target.hashes_of(*target_row));
        let columns: Vec<usize> =
            hashes.enumerate().filter(|(_, (source, target))| source != target).map(|(column, _)| column).collect();
        columns.iter().for_each(|column| found.changed_values[*column] += 1);
        if found.wanted.changed.len() < cap {
            let (source, target) = (source.marks[*source_row], target.marks[*target_row]);
            found.wanted.changed.push(Changed { source, target, columns });
        }
    }
    let rest = |side: &Suspects, rows: &[usize], total: &mut u64, wanted: &mut Vec<Mark>| {
        *total += rows.len() as u64;
        let room = cap.saturating_sub(wanted.len());
        wanted.extend(rows.iter().take(room).map(|suspect| side.marks[*suspect]));
    };
    found.repeated.source += repeated(source, &source_left[pairs..], target, target_run);
    found.repeated.target += repeated(target, &target_left[pairs..], source, source_run);
    rest(source, &source_left[pairs..], &mut found.missing, &mut found.wanted.missing);
    rest(target, &target_left[pairs..], &mut found.extraneous, &mut found.wanted.extraneous);
}

/// How many of one side's rows the other side has too, where both are in the order of their digests.
fn repeated(side: &Suspects, rows: &[usize], other: &Suspects, other_run: &[usize]) -> u64 {
    let has = |suspect: &&usize| {
        let row = side.marks[**suspect].row;
        other_run.binary_search_by(|other_row| other.marks[*other_row].row.cmp(&row)).is_ok()
    };
    rows.iter().filter(has).count() as u64
}

/// What is left of each side when equal rows are paired off, as often as they are there.
fn unequal(
    source: &Suspects,
    source_run: &[usize],
    target: &Suspects,
    target_run: &[usize],
) -> (Vec<usize>, Vec<usize>) {
    let (mut source_left, mut target_left) = (Vec::new(), Vec::new());
    let (mut source_at, mut target_at) = (0, 0);
    while let (Some(source_row), Some(target_row)) = (source_run.get(source_at), target_run.get(target_at)) {
        let order = source.marks[*source_row].row.cmp(&target.marks[*target_row].row);
        if order == Ordering::Less {
            source_left.push(*source_row);
        } else if order == Ordering::Greater {
            target_left.push(*target_row);
        }
        source_at += usize::from(order != Ordering::Greater);
        target_at += usize::from(order != Ordering::Less);
    }
    source_left.extend(&source_run[source_at..]);
    target_left.extend(&target_run[target_at..]);
    (source_left, target_left)
}
