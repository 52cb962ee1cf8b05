//! How many rows of a table are not what they were, by the rows of the earlier state.

use std::{io, ops::ControlFlow, pin::pin, sync::Arc};

use super::kept::KeptRows;
use crate::{
    canon::{Buckets, Causes, Cell, Form, Join, RowSink, Rule, Suspects, suspect::cells},
    check::{
        Resources,
        checksum::{
            findings::whole,
            locate::{Kept, Shares, joined, spilled},
            spill::Spill,
        },
    },
    engine::{self, EngineError, Rowset, spawned},
    model::{Address, Redaction, RowChange, Sides, Snapshot, TableName, ValueChange, snapshot::TableSnapshot},
};

/// Partitions in which suspects are gathered at most: what each gathers is large enough to be written at once.
const PARTITIONS: u64 = 512;

/// A state that was recorded, with its rows.
#[derive(Clone, Copy, Debug)]
pub struct Then<'a> {
    /// The state.
    pub state: &'a Snapshot,
    /// Its rows.
    pub rows: &'a KeptRows,
}

/// How the rows of a table are not what they were. `now` is the state in which the database at `address` still is.
///
/// Every column that the table had is compared; one that is gone holds NULL by that, and what is new has no say. Rows are
/// paired by the key that the table had, or else by the one that it has.
///
/// # Errors
/// If the database cannot be read, or a file.
pub async fn row_change(
    table: &TableName,
    then: Then<'_>,
    now: &Snapshot,
    address: &Address,
    resources: &Resources,
    redaction: &Redaction,
) -> Result<RowChange, EngineError> {
    let rows = |state: &Snapshot| state.tables.get(table).map_or(0, |table| table.rows.rows);
    let columns = |state: &Snapshot| -> Vec<String> {
        state.tables.get(table).into_iter().flat_map(|table| table.columns.keys().cloned()).collect()
    };
    let (had, has) = (columns(then.state), columns(now));
    if !had.iter().any(|column| has.contains(column)) {
        // One of the two has no such table, or nothing by which a row could be the same.
        return Ok(RowChange { gone: rows(then.state), more: rows(now), ..RowChange::default() });
    }
    let key = key(table, then.state, now, &had, &has);
    let forms = vec![Form::Own; had.len()];
    let shares = Shares::of(resources);
    let partitions = (then.rows.bytes(table) / shares.at_work() as u64 + 1).min(shares.most_partitions());
    let buckets = Arc::new(Buckets::all(usize::try_from(partitions.min(PARTITIONS)).unwrap_or(1)));
    let suspects = || {
        let spill = shares.spill(&buckets, 1, resources.folder.clone());
        Suspects::new(forms.clone(), key.clone(), Arc::clone(&buckets), spill)
    };
    let source = given(then.rows, table, had.clone(), suspects()).await;
    let source = source.map_err(|error| spilled(resources, error))?;
    let target = scanned(address, table, &had, &has, suspects()).await?;
    let spills = Sides::new(vec![source], vec![target]);
    let mut kept = Kept { buckets, spills };
    for spill in kept.spills.source.iter_mut().chain(&mut kept.spills.target) {
        spill.check().map_err(|error| spilled(resources, error))?;
    }
    let causes = Causes::new(had.iter().map(|column| (column.clone(), Rule::Stored)));
    let join = joined(Join::new(forms, key, causes, 0), kept, shares.at_work());
    let join = join
        .await
        .map_err(|error| spilled(resources, error))?
        .map_err(|error| EngineError::Unexpected { doing: format!("reading {table}"), what: error.to_string() })?;
    let (located, causes, _) = join.finish(redaction);
    let values = had.into_iter().zip(located.changed_values).zip(causes).filter(|((_, total), _)| *total > 0);
    let values = values.map(|((column, total), causes)| ValueChange { column, total, causes: whole(causes, total) });
    Ok(RowChange {
        gone: located.missing,
        more: located.extraneous,
        changed: located.changed,
        values: values.collect(),
    })
}

/// The tables whose rows differ between two states, as far as they could be read.
pub fn differing<'a>(then: &'a Snapshot, now: &'a Snapshot) -> impl Iterator<Item = &'a TableName> {
    let none = TableSnapshot::default();
    let only_now = now.tables.keys().filter(|name| !then.tables.contains_key(*name));
    then.tables.keys().chain(only_now).filter(move |name| {
        let (was, is) = (then.tables.get(*name).unwrap_or(&none), now.tables.get(*name).unwrap_or(&none));
        was.unreadable.is_none() && is.unreadable.is_none() && was.rows != is.rows
    })
}

/// Positions of the columns by which rows are paired, all of which both states have; none where there is no such key.
fn key(table: &TableName, then: &Snapshot, now: &Snapshot, had: &[String], has: &[String]) -> Vec<usize> {
    let positions = |state: &Snapshot| {
        let key = state.catalogue.tables.get(table)?.row_key()?;
        let position = |column: &String| had.iter().position(|one| one == column).filter(|_| has.contains(column));
        key.iter().map(position).collect::<Option<Vec<usize>>>()
    };
    positions(then).or_else(|| positions(now)).unwrap_or_default()
}

/// Gives the rows that were kept of a table, the cells of these columns.
async fn given(
    kept: &KeptRows,
    table: &TableName,
    columns: Vec<String>,
    mut sink: Suspects<Spill>,
) -> io::Result<Spill> {
    let Some(mut rows) = kept.rows(table) else { return Ok(sink.finish()) };
    let reading = tokio::task::spawn_blocking(move || -> io::Result<Spill> {
        let wanted: Vec<bool> = rows.columns.iter().map(|column| columns.contains(column)).collect();
        while let Some(row) = rows.next()? {
            let cells = cells(row).zip(&wanted).filter(|(_, is_wanted)| **is_wanted);
            for (at, (cell, _)) in cells.enumerate() {
                sink.cell(at, cell);
            }
            if sink.end_row().is_break() {
                break;
            }
        }
        Ok(sink.finish())
    });
    reading.await.map_err(io::Error::other)?
}

/// Gives the rows that a table has, the cells of the columns that it had.
async fn scanned(
    address: &Address,
    table: &TableName,
    had: &[String],
    has: &[String],
    sink: Suspects<Spill>,
) -> Result<Spill, EngineError> {
    let engine = engine::by_id(address.engine.as_str()).ok_or_else(|| EngineError::Unexpected {
        doing: "opening a session".to_owned(),
        what: format!("no engine is called `{}`", address.engine),
    })?;
    let places: Vec<usize> = (0..had.len()).filter(|at| has.contains(&had[*at])).collect();
    let columns = places.iter().map(|at| had[*at].clone()).collect();
    let mut session = engine.connect(address).await?;
    session.begin(true).await?;
    let sink = Widened { sink, places, width: had.len(), next: 0 };
    let scanned = pin!(spawned::scan(session, Rowset::of(table.clone(), columns), sink)).await?;
    scanned.outcome?;
    scanned.session.close().await?;
    Ok(scanned.sink.sink.finish())
}

/// Puts NULL where a column is gone.
struct Widened<S> {
    sink: S,
    /// Where each cell goes, ascending.
    places: Vec<usize>,
    width: usize,
    next: usize,
}

impl<S: RowSink> Widened<S> {
    fn fill(&mut self, upto: usize) {
        (self.next..upto).for_each(|at| self.sink.cell(at, Cell::Null));
        self.next = upto;
    }
}

impl<S: RowSink> RowSink for Widened<S> {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        let place = self.places[column];
        self.fill(place);
        self.sink.cell(place, cell);
        self.next = place + 1;
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.fill(self.width);
        self.next = 0;
        self.sink.end_row()
    }
}
