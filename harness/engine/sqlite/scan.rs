//! Streaming rows as cells.

use std::ops::ControlFlow;

use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Statement, types::ValueRef};

use crate::{
    canon::{Cell, RowSink},
    engine::{Dialect, Part, Rowset, select},
    model::TableName,
};

use super::dialect::SqliteDialect;

/// Rows of which a part is worth a connection of its own, as far as their numbers tell.
const ROWS_AT_LEAST: i64 = 50_000;

/// Addresses in one statement.
const ADDRESSES_AT_ONCE: usize = 20_000;

/// Streams a rowset into a sink and tells how many rows it saw.
pub(super) fn scan(connection: &Connection, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64> {
    let needs_address = rowset.with_address || rowset.part != Part::Whole;
    let address = if needs_address { address(connection, &rowset.table)?.ok_or(Error::InvalidQuery)? } else { "" };
    let select = select(rowset, address);
    let mut count = 0;
    // Whether the sink wanted more is for nobody to know but this.
    let _ = match &rowset.part {
        Part::Whole => read(&mut connection.prepare(&select)?, (), rowset, sink, &mut count)?,
        Part::Between(from, to) => {
            let (from, to) = (from.unwrap_or(i64::MIN), to.map_or(i64::MAX, |to| to - 1));
            let sql = format!("{select} WHERE t.{address} BETWEEN ? AND ?");
            read(&mut connection.prepare(&sql)?, (from, to), rowset, sink, &mut count)?
        }
        Part::At(addresses) => {
            let sql = format!("{select} WHERE t.{address} IN (SELECT value FROM json_each(?))");
            let mut statement = connection.prepare(&sql)?;
            let mut flow = ControlFlow::Continue(());
            for some in addresses.chunks(ADDRESSES_AT_ONCE) {
                if flow.is_continue() {
                    let list = some.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
                    flow = read(&mut statement, [format!("[{list}]")], rowset, sink, &mut count)?;
                }
            }
            flow
        }
        // Rows are never asked for by a key where they are not sent whole.
        Part::Keyed(..) => return Err(Error::InvalidQuery),
    };
    Ok(count)
}

fn read(
    statement: &mut Statement<'_>,
    values: impl Params,
    rowset: &Rowset,
    sink: &mut dyn RowSink,
    count: &mut u64,
) -> Result<ControlFlow<()>> {
    let width = rowset.columns.len() + usize::from(rowset.with_address);
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        for column in 0..width {
            sink.cell(column, cell(row.get_ref(column)?));
        }
        *count += 1;
        if sink.end_row().is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The query of a rowset. Every column is qualified, because SQLite takes an unknown `"name"` that stands alone for a
/// string; and no index is used, because the rows are what is asked for and not an index's copy of them.
fn select(rowset: &Rowset, address: &str) -> String {
    let columns = rowset.columns.iter().map(|column| {
        let qualified = format!("t.{}", SqliteDialect.quote(column));
        select::column(&SqliteDialect, rowset, column, &qualified).unwrap_or(qualified)
    });
    let columns = columns.chain(rowset.with_address.then(|| format!("t.{address}"))).collect::<Vec<_>>().join(", ");
    let columns = if columns.is_empty() { "NULL" } else { &columns };
    // A condition may well have an index; a query is no table to forbid one on.
    let indexed = if rowset.terms.is_plain() { " NOT INDEXED" } else { "" };
    let from = select::from(rowset, SqliteDialect.table(&rowset.table));
    format!("SELECT {columns} FROM {from} AS t{indexed}{}", select::tail(rowset))
}

/// By which name the number of a table's rows can be had; `None` for a view, a virtual table, one WITHOUT ROWID, or one
/// that has columns of all the names.
pub(super) fn address(connection: &Connection, table: &TableName) -> Result<Option<&'static str>> {
    let sql = "SELECT 1 FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE AND type = 'table' AND NOT wr";
    if !connection.prepare_cached(sql)?.exists([&table.name])? {
        return Ok(None);
    }
    let mut columns = connection.prepare_cached("SELECT lower(name) FROM pragma_table_xinfo(?)")?;
    let columns: Vec<String> = columns.query_map([&table.name], |row| row.get(0))?.collect::<Result<_>>()?;
    Ok(["_rowid_", "rowid", "oid"].into_iter().find(|name| columns.iter().all(|column| column != name)))
}

/// Cuts a table at the numbers of its rows.
pub(super) fn parts(connection: &Connection, rowset: &Rowset, at_most: usize) -> Result<Vec<Part>> {
    let Some(address) = address(connection, &rowset.table)? else { return Ok(vec![Part::Whole]) };
    let table = SqliteDialect.table(&rowset.table);
    let end = |order: &str| {
        let sql = format!("SELECT t.{address} FROM {table} AS t ORDER BY t.{address} {order} LIMIT 1");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).optional()
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(vec![Part::Whole]) };
    let span = i128::from(last) - i128::from(first) + 1;
    let count = (span / i128::from(ROWS_AT_LEAST)).min(at_most as i128);
    if count < 2 {
        return Ok(vec![Part::Whole]);
    }
    let bound = |number: i128| {
        (1..count).contains(&number).then(|| i64::try_from(i128::from(first) + span * number / count).unwrap_or(last))
    };
    Ok((0..count).map(|number| Part::Between(bound(number), bound(number + 1))).collect())
}

/// Whether another connection that begins to read now sees what this one sees for as long as its transaction lasts: as
/// long as there is a shared lock, nobody can commit. Not with a write-ahead log, where writers do not wait for readers.
pub(super) fn keeps_writers_out(connection: &Connection) -> Result<bool> {
    let mode: String = connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0))?;
    let is_reading = !connection.is_autocommit();
    Ok(is_reading && mode != "wal" && connection.path().is_some_and(|path| !path.is_empty()))
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
