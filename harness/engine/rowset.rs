//! What a scan reads, a load takes and a count gives.

use std::sync::Arc;

use crate::{
    canon::{
        Keys, SentRow,
        comparison::{Comparison, Terms},
    },
    model::{Side, TableName, Value},
};

/// What a scan reads: named columns of one table, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rowset {
    /// The table.
    pub table: TableName,
    /// Its columns, in the order in which the sink gets them.
    pub columns: Vec<String>,
    /// Which of its rows.
    pub part: Part,
    /// The sink gets one cell more for each row, after its columns: where it lies, as an integer that a [`Part`] takes.
    /// Only where [`super::Session::has_addresses`] says so.
    pub with_address: bool,
    /// The sink gets each row as the engine sends it, and of its cells only those of these columns (ascending positions).
    /// Only where [`super::Session::sent_form`] tells what that is, and without addresses.
    pub as_sent: Option<Vec<usize>>,
    /// What is stated about how the rows are read. Parts and addresses are those of a table that is read as it stands.
    pub terms: Terms,
}

/// Some of a table's rows, by where they lie. Stands for the same rows as long as the transaction lasts in which the
/// addresses were read, and in those that share its snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    #[default]
    Whole,
    /// The rows from one address (included; from the first row, if there is none) to another (not included; to the last).
    Between(Option<i64>, Option<i64>),
    /// The rows at these addresses.
    At(Vec<i64>),
    /// The rows whose value in a column is one of these. Only of rowsets that have a [`SentForm`].
    Keyed(String, Keys),
}

impl Rowset {
    /// These columns of all rows of a table.
    pub fn of(table: TableName, columns: Vec<String>) -> Self {
        Self { table, columns, part: Part::Whole, with_address: false, as_sent: None, terms: Terms::default() }
    }

    /// These columns of one side of a comparison, read as it states.
    pub fn compared(comparison: &Comparison, side: Side, columns: Vec<String>) -> Self {
        Self { terms: comparison.terms.get(side).clone(), ..Self::of(comparison.table(side).clone(), columns) }
    }

    /// The same columns of some of the rows.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// The same with each row's address.
    #[must_use]
    pub const fn with_address(mut self) -> Self {
        self.with_address = true;
        self
    }

    /// The same rows as they are sent, with the cells of these columns (ascending positions).
    #[must_use]
    pub fn with_sent(mut self, cells: Vec<usize>) -> Self {
        self.as_sent = Some(cells);
        self
    }
}

/// The form in which an engine sends the rows of a rowset.
#[derive(Clone, Debug)]
pub struct SentForm {
    /// What the bytes mean, in the engine's own words. Where two rowsets of one engine have the same words, rows that are
    /// sent as the same bytes have the same cells; the reverse need not be so.
    pub words: String,
    /// What reads them.
    pub rows: Arc<dyn SentRow>,
}

/// A count and a few of the values that were counted, column by column as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many, exactly.
    pub total: u64,
    /// A few of them.
    pub sample: Vec<Vec<Option<String>>>,
}

/// Where a load takes its rows from.
pub trait RowSource: Send {
    /// Puts the next row's values into `row` (cleared by the caller); `Ok(false)` at the end.
    ///
    /// # Errors
    /// Whatever keeps the source from giving the next row; the load stops and nothing of it stays.
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Box<dyn std::error::Error + Send + Sync>>;
}
