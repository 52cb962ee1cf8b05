//! What another table of the source has for a key: read whole before anything is written, and asked once for each row.

use std::{
    collections::{BTreeSet, HashMap, hash_map},
    ops::ControlFlow,
    sync::Arc,
};

use super::{plan::TablePlan, value::text};
use crate::{
    canon::{
        Cell, RowSink,
        comparison::{At, Found},
        text_of,
    },
    engine::{Rowset, Session},
    migrate::StepError,
};

/// Rows of a table that is looked up, at most: they are in memory while rows stream.
const AT_MOST: usize = 1_000_000;

/// A table that is looked up.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// The table and its columns.
    pub found: Found,
    /// Where the lookup is stated.
    pub at: At,
    /// The value for each key, in texts.
    values: Arc<HashMap<String, Option<String>>>,
}

impl Lookup {
    /// One whose table is not read yet.
    pub fn unread(found: Found, at: At) -> Self {
        Self { found, at, values: Arc::default() }
    }

    /// The value for a key; `None` if the table does not have the key.
    pub fn value(&self, key: &str) -> Option<Option<&str>> {
        self.values.get(key).map(Option::as_deref)
    }

    /// `units.code`
    pub fn key(&self) -> String {
        format!("{}.{}", self.found.table, self.found.key)
    }

    async fn read(&mut self, source: &mut dyn Session) -> Result<(), StepError> {
        let columns = vec![self.found.key.clone(), self.found.value.clone()];
        let mut reading = Reading::default();
        source.scan(&Rowset::of(self.found.table.clone(), columns), &mut reading).await?;
        let (at, key, table) = (&self.at, self.key(), &self.found.table);
        if reading.is_beyond {
            let what = format!(
                "{at}: `{table}` has more than {AT_MOST} rows, which is too much to look up; expected `source_sql` that asks it"
            );
            return Err(StepError::Refused { what });
        }
        if !reading.twice.is_empty() {
            let count = reading.twice.len();
            let what = format!(
                "{at}: {count} values of `{key}` are in more than one row of `{table}`; expected a key that each row has for itself"
            );
            return Err(StepError::Refused { what });
        }
        self.values = Arc::new(reading.values);
        Ok(())
    }
}

/// Reads every table that is looked up, each once, into the plans that ask it.
///
/// # Errors
/// If a key is not unique, or there are too many.
pub(super) async fn read_all(
    mut tables: Vec<TablePlan>,
    source: &mut dyn Session,
) -> Result<Vec<TablePlan>, StepError> {
    let mut read: Vec<Lookup> = Vec::new();
    for lookup in tables.iter_mut().flat_map(|table| &mut table.columns).filter_map(|column| column.lookup.as_mut()) {
        let is_same = |one: &&Lookup| (one.key(), &one.found.value) == (lookup.key(), &lookup.found.value);
        match read.iter().find(is_same) {
            Some(one) => lookup.values = Arc::clone(&one.values),
            None => {
                lookup.read(source).await?;
                read.push(lookup.clone());
            }
        }
    }
    Ok(tables)
}

/// The text by which a cell is looked up.
pub(super) fn key(cell: &Cell<'_>) -> Option<String> {
    text(cell).map(str::to_owned).or_else(|| text_of(cell))
}

#[derive(Default)]
struct Reading {
    key: Option<String>,
    value: Option<String>,
    values: HashMap<String, Option<String>>,
    twice: BTreeSet<String>,
    is_beyond: bool,
}

impl RowSink for Reading {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        *(if column == 0 { &mut self.key } else { &mut self.value }) = key(&cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        // What is NULL is no key.
        let (Some(key), value) = (self.key.take(), self.value.take()) else { return ControlFlow::Continue(()) };
        match self.values.entry(key) {
            hash_map::Entry::Occupied(there) => drop(self.twice.insert(there.key().clone())),
            hash_map::Entry::Vacant(place) => drop(place.insert(value)),
        }
        self.is_beyond = self.values.len() > AT_MOST;
        if self.is_beyond { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
