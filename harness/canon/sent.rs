//! First pass over rows as their engine sends them: the cheapest way to see that they are the same.

use std::ops::ControlFlow;

use super::{
    cell::{Cell, RowSink},
    digest::{Form, TableDigest},
    row::Row,
    sums::Sums,
};

/// Takes the rows of a table with a key, as they are sent, and sums up the digests of their bytes.
///
/// Rows of two tables whose bytes are the same hold the same values, where both are sent in one form, and same values are
/// equal under every rule. Only what differs has to be looked at under the rules. The digests are of no use but to
/// compare two tables now: another version may send the same values as other bytes.
#[derive(Clone, Debug)]
pub struct SentDigester {
    /// Of the key's columns, in the order in which they come.
    key: Row,
    /// How many of the key's cells came.
    cells: usize,
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
        assert!(!key.is_empty(), "rows without a key are grouped by their values, which are not read here");
        let cells = Self::cells(key);
        let places = key.iter().filter_map(|column| cells.binary_search(column).ok()).collect();
        Self {
            key: Row::new(cells.iter().map(|column| forms[*column]).collect(), places),
            cells: 0,
            sums: Sums::new(true),
            digest: TableDigest::of_columns(forms.len()),
        }
    }

    /// The columns of which it takes cells: those of the key, in order.
    pub fn cells(key: &[usize]) -> Vec<usize> {
        let mut cells = key.to_vec();
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    /// The fingerprints of all rows that came, and what the rules did to the key's values.
    pub fn finish(mut self) -> TableDigest {
        (self.digest.fingerprint, self.digest.buckets) = self.sums.finish();
        self.digest
    }
}

impl RowSink for SentDigester {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let fit = self.key.put(self.cells, &cell);
        self.digest.fit(column, fit);
        self.cells += 1;
    }

    fn sent(&mut self, row: &[u8]) {
        self.digest.bytes += row.len() as u64;
        self.sums.add(row, self.key.group());
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.key.clear();
        self.cells = 0;
        ControlFlow::Continue(())
    }
}
