//! Rows as their engine sends them: the cheapest way to see that they are the same.
//!
//! Rows of two tables whose bytes are the same hold the same values, where both are sent in one form, and same values are
//! equal under every rule. Only what differs has to be read and looked at under the rules.

use std::{fmt, ops::ControlFlow, sync::Arc};

use super::{
    cell::{Cell, RowSink},
    digest::{Form, TableDigest},
    keyed::KeyNumber,
    locate::Buckets,
    row::Row,
    rule::Fit,
    sketch::Sketch,
    sums::{Mark, Sums},
    suspect::{Keep, Record},
};
use crate::model::Side;

/// Reads rows that came as they were sent.
pub trait SentRow: fmt::Debug + Send + Sync {
    /// Gives the cells of a row, in order. `None` if the bytes are no row of this form.
    fn cells(&self, row: &[u8], take: &mut dyn FnMut(Cell<'_>)) -> Option<()>;
}

/// The columns of which the sinks of this module take cells: those of the key, in the order of the row.
pub fn key_cells(key: &[usize]) -> Vec<usize> {
    let mut cells = key.to_vec();
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// The cells of the key, which come one after the other.
#[derive(Clone, Debug)]
struct Key {
    row: Row,
    seen: usize,
}

impl Key {
    fn new(forms: &[Form], key: &[usize]) -> Self {
        assert!(!key.is_empty(), "rows without a key are grouped by their values, which are not read here");
        let cells = key_cells(key);
        let places = key.iter().filter_map(|column| cells.binary_search(column).ok()).collect();
        Self { row: Row::new(cells.iter().map(|column| forms[*column]).collect(), places), seen: 0 }
    }

    fn put(&mut self, cell: &Cell<'_>) -> Fit {
        self.seen += 1;
        self.row.put(self.seen - 1, cell)
    }

    fn clear(&mut self) {
        self.row.clear();
        self.seen = 0;
    }
}

/// First pass: takes the rows of a table with a key and sums up the digests of their bytes.
///
/// The digests are of no use but to compare two tables now: another version may send the same values as other bytes.
#[derive(Clone, Debug)]
pub struct SentDigester {
    key: Key,
    /// The key as a number, as long as every row's is one of the same shape.
    number: Option<KeyNumber>,
    has_numbers: bool,
    sums: Sums,
    digest: TableDigest,
}

impl SentDigester {
    /// Begins a table with a form for each of its columns, and the positions of those that name a row. Buckets are chosen
    /// as by a [`super::RowDigester`] of the same forms and key.
    ///
    /// # Panics
    /// If there is no key, or a position is not that of a column.
    pub fn new(forms: &[Form], key: &[usize]) -> Self {
        Self {
            key: Key::new(forms, key),
            number: None,
            has_numbers: key.len() == 1,
            sums: Sums::new(true),
            digest: TableDigest::of_columns(forms.len()),
        }
    }

    /// Shows one side's rows to a sketch, and wants no more when that says that the sides differ widely.
    #[must_use]
    pub fn with_sketch(mut self, sketch: &Sketch, side: Side) -> Self {
        self.sums = self.sums.with_glimpse(sketch.of(side));
        self
    }

    /// The fingerprints of all rows that came, and what the rules did to the key's values.
    pub fn finish(mut self) -> TableDigest {
        let (fingerprint, buckets) = self.sums.finish();
        (self.digest.fingerprint, self.digest.buckets) = (fingerprint, buckets.rows);
        if self.has_numbers {
            self.digest.keys = buckets.keys;
        }
        self.digest
    }
}

impl RowSink for SentDigester {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let fit = self.key.put(&cell);
        self.digest.fit(column, fit);
        if self.has_numbers {
            let number =
                KeyNumber::of(&cell).filter(|(shape, _)| self.digest.shape.is_none_or(|other| other == *shape));
            self.has_numbers = number.is_some();
            (self.digest.shape, self.number) = number.unzip();
        }
    }

    fn sent(&mut self, row: &[u8]) {
        self.digest.bytes += row.len() as u64;
        let mark = Mark { group: self.key.row.group(), number: self.number.unwrap_or_default() };
        self.sums.add(row, mark);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.key.clear();
        self.sums.flow()
    }
}

/// Second pass: takes the rows of a table with a key and has those kept, as they are, that fall into differing buckets.
#[derive(Debug)]
pub struct SentSuspects<K> {
    key: Key,
    buckets: Arc<Buckets>,
    record: Record,
    kept: K,
}

impl<K> SentSuspects<K> {
    /// Begins a table with the forms and key of the first pass.
    ///
    /// # Panics
    /// As [`SentDigester::new`].
    pub fn new(forms: &[Form], key: &[usize], buckets: Arc<Buckets>, kept: K) -> Self {
        Self { key: Key::new(forms, key), buckets, record: Record::default(), kept }
    }

    /// What keeps them.
    pub fn finish(self) -> K {
        self.kept
    }
}

impl<K: Keep> RowSink for SentSuspects<K> {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        self.key.put(&cell);
    }

    fn sent(&mut self, row: &[u8]) {
        self.record.values().extend_from_slice(row);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let group = self.key.row.group();
        self.key.clear();
        self.record.end(group, &self.buckets, &mut self.kept)
    }
}
