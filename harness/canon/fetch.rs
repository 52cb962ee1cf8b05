//! Third pass: the values of wanted rows, to show and to find out why they differ.

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

/// What a kept row takes in memory besides its values.
const ENTRY: usize = 96;

/// Takes the rows of a table, keeps the values of wanted ones, and ends the scan when it has seen them all.
///
/// It keeps no more than some bytes: rows of the highest marks give way, and another scan has to fetch them. Rows of the
/// lowest wanted key never do, so that every scan gets further.
#[derive(Clone, Debug)]
pub struct Fetch {
    row: Row,
    wanted: BTreeSet<Mark>,
    lowest: Option<[u8; 16]>,
    /// The cells of the current row, which are only lent until the next: most rows are not wanted, and copying bytes
    /// into a buffer that is there costs less than text would.
    cells: Vec<u8>,
    limit: usize,
    held: usize,
    fetched: Fetched,
}

/// The rows that a scan fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The own forms of the cells of each row, one after the other; of rows that are there more than once, of one.
    pub rows: BTreeMap<Mark, Vec<u8>>,
    /// The lowest key of which a row had to give way; none if all are here.
    pub incomplete_from: Option<[u8; 16]>,
}

impl Fetched {
    /// Whether nothing of this key had to give way.
    pub fn is_complete(&self, key: &[u8; 16]) -> bool {
        self.incomplete_from.is_none_or(|from| *key < from)
    }

    /// The values of a row, column by column as text (`None` is NULL).
    pub fn texts(&self, mark: &Mark) -> Option<Vec<Option<String>>> {
        self.rows.get(mark).map(|own| cells(own).map(|cell| text_of(&cell)).collect())
    }
}

/// The cells whose own forms these are.
pub fn cells(own: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    let mut rest = own;
    std::iter::from_fn(move || {
        let (cell, after) = decode_own(rest)?;
        rest = after;
        Some(cell)
    })
}

impl Fetch {
    /// Begins a table with the forms and key of the first pass, the rows wanted from this side, and how many bytes of
    /// values to keep. The lowest key is that of both sides' wanted rows together.
    ///
    /// # Panics
    /// If a key position is not that of a column.
    pub fn new(
        forms: Vec<Form>,
        key: Vec<usize>,
        wanted: impl IntoIterator<Item = Mark>,
        lowest: Option<[u8; 16]>,
        limit: usize,
    ) -> Self {
        let wanted = wanted.into_iter().collect();
        let row = Row::new(forms, key);
        Self { row, wanted, lowest, cells: Vec::new(), limit, held: 0, fetched: Fetched::default() }
    }

    /// What was fetched.
    pub fn finish(self) -> Fetched {
        self.fetched
    }

    fn keep(&mut self, mark: Mark) {
        if !self.fetched.is_complete(&mark.key) {
            return;
        }
        self.held += self.cells.len() + ENTRY;
        self.fetched.rows.insert(mark, self.cells.clone());
        while self.held > self.limit {
            let Some(last) = self.fetched.rows.last_entry() else { return };
            let key = last.key().key;
            if Some(key) == self.lowest {
                return;
            }
            self.held -= last.remove().len() + ENTRY;
            self.fetched.incomplete_from = Some(key);
        }
    }
}

impl RowSink for Fetch {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        self.row.put(column, &cell);
        encode_own(&cell, &mut self.cells);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let mark = Mark::of(&self.row.digests());
        if self.wanted.remove(&mark) {
            self.keep(mark);
        }
        self.row.clear();
        self.cells.clear();
        if self.wanted.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
