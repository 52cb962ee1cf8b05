//! Third pass: the values of a few rows, to show.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use super::{
    cell::{Cell, RowSink},
    digest::Form,
    encode::{decode_own, encode_own},
    locate::Mark,
    row::Row,
    show::text_of,
};

/// Takes the rows of a table, keeps the values of wanted ones as text, and ends the scan when it has them all.
#[derive(Clone, Debug)]
pub struct Samples {
    row: Row,
    wanted: BTreeSet<Mark>,
    /// The cells of the current row, which are only lent until the next: most rows are not wanted, and copying bytes
    /// into a buffer that is there costs less than text would.
    cells: Vec<u8>,
    found: BTreeMap<Mark, Vec<Option<String>>>,
}

impl Samples {
    /// Begins a table with the forms and key of the first pass, and the rows wanted from this side.
    ///
    /// # Panics
    /// If a key position is not that of a column.
    pub fn new(forms: Vec<Form>, key: Vec<usize>, wanted: impl IntoIterator<Item = Mark>) -> Self {
        Self {
            row: Row::new(forms, key),
            wanted: wanted.into_iter().collect(),
            cells: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// The values of the rows that were found, column by column as text (`None` is NULL); of rows that are there more
    /// than once, once.
    pub fn finish(self) -> BTreeMap<Mark, Vec<Option<String>>> {
        self.found
    }
}

impl RowSink for Samples {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.row.put(column, &cell);
        encode_own(&cell, &mut self.cells);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let mark = Mark::of(&self.row.digests());
        if self.wanted.remove(&mark) {
            let mut texts = Vec::with_capacity(self.row.width());
            let mut rest = &self.cells[..];
            while let Some((cell, after)) = decode_own(rest) {
                texts.push(text_of(&cell));
                rest = after;
            }
            self.found.insert(mark, texts);
        }
        self.row.clear();
        self.cells.clear();
        if self.wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
