//! Streaming rows as cells.

use rusqlite::{Connection, Result, types::ValueRef};

use crate::{
    canon::{Cell, RowSink},
    engine::{Dialect, Rowset, select},
};

use super::dialect::SqliteDialect;

/// Streams a rowset into a sink and tells how many rows it saw.
pub(super) fn scan(connection: &Connection, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64> {
    let mut statement = connection.prepare(&select(rowset))?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        for column in 0..rowset.columns.len() {
            sink.cell(column, cell(row.get_ref(column)?));
        }
        count += 1;
        if sink.end_row().is_break() {
            break;
        }
    }
    Ok(count)
}

/// The query of a rowset. Every column is qualified, because SQLite takes an unknown `"name"` that stands alone for a
/// string; and no index is used, because the rows are what is asked for and not an index's copy of them.
fn select(rowset: &Rowset) -> String {
    let columns = rowset.columns.iter().map(|column| {
        let qualified = format!("t.{}", SqliteDialect.quote(column));
        select::column(&SqliteDialect, rowset, column, &qualified).unwrap_or(qualified)
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let columns = if columns.is_empty() { "NULL" } else { &columns };
    // A condition may well have an index; a query is no table to forbid one on.
    let indexed = if rowset.terms.is_plain() { " NOT INDEXED" } else { "" };
    let from = select::from(rowset, SqliteDialect.table(&rowset.table));
    format!("SELECT {columns} FROM {from} AS t{indexed}{}", select::tail(rowset))
}

/// A stored value as a cell: SQLite's five storage classes and nothing else.
fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(integer) => Cell::Integer(integer),
        ValueRef::Real(real) => Cell::Float64(real),
        ValueRef::Text(text) => Cell::Text(text),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
    }
}
