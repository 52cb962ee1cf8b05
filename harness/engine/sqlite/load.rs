//! Bulk loading by one prepared statement.
//!
//! How a value is bound (its column's affinity may still change it when SQLite stores it):
//!
//! | value | bound as |
//! |---|---|
//! | boolean | integer 0 or 1 |
//! | integer, float | integer, real; a NaN as the text `NaN`, because SQLite would make it NULL (a column of REAL affinity stores -0.0 as 0.0) |
//! | decimal, text, json | text |
//! | bytes | blob |
//! | uuid | lower-case text with dashes; its 16 bytes in a column declared for bytes |
//! | date, time, timestamp, instant | the texts of the `iso` module |

use std::fmt::Write as _;

use rusqlite::{
    Connection, Statement,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    engine::{Dialect, EngineError, RowSource},
    model::{LogicalType, Value, catalogue::Table},
};

use super::{dialect::SqliteDialect, error::failed, iso};

/// Loads rows in a transaction of its own, or under a savepoint in the one that is open; nothing stays of a load that
/// fails. Foreign keys are checked when the transaction commits, so that rows may come in any order.
pub(super) fn load(
    connection: &Connection,
    place: &str,
    table: &Table,
    columns: &[String],
    rows: &mut dyn RowSource,
) -> Result<u64, EngineError> {
    let doing = || format!("loading into {}", table.name);
    let alone = connection.is_autocommit();
    let (begin, end, undo) = if alone {
        ("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON", "COMMIT", "ROLLBACK")
    } else {
        let savepoint = "SAVEPOINT rehearse_load; PRAGMA defer_foreign_keys = ON";
        (savepoint, "RELEASE rehearse_load", "ROLLBACK TO rehearse_load; RELEASE rehearse_load")
    };
    connection.execute_batch(begin).map_err(failed(place, doing()))?;
    let outcome = insert_all(connection, place, table, columns, rows)
        .and_then(|count| connection.execute_batch(end).map(|()| count).map_err(failed(place, doing())));
    // SQLite itself takes the transaction back after some errors, such as a full disk.
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch(undo).map_err(failed(place, format!("taking back {}", doing())))?;
    }
    outcome
}

fn insert_all(
    connection: &Connection,
    place: &str,
    table: &Table,
    columns: &[String],
    rows: &mut dyn RowSource,
) -> Result<u64, EngineError> {
    let marks = vec!["?"; columns.len()].join(", ");
    let (name, list) = (SqliteDialect.table(&table.name), SqliteDialect.columns(columns));
    let sql = format!("INSERT INTO {name} ({list}) VALUES ({marks})");
    let mut statement = connection.prepare(&sql).map_err(failed(place, format!("loading into {}", table.name)))?;
    let as_bytes = |name: &String| table.column(name).is_some_and(|column| column.kind == LogicalType::Bytes);
    let as_bytes: Vec<bool> = columns.iter().map(as_bytes).collect();
    let (mut row, mut scratch, mut count) = (Vec::with_capacity(columns.len()), String::new(), 0);
    loop {
        row.clear();
        let more =
            rows.next(&mut row).map_err(|source| EngineError::RowSource { table: table.name.clone(), source })?;
        if !more {
            return Ok(count);
        }
        if row.len() != columns.len() {
            let problem = format!("a row of {} values for {} columns", row.len(), columns.len());
            return Err(EngineError::RowSource { table: table.name.clone(), source: problem.into() });
        }
        insert(&mut statement, &row, &as_bytes, &mut scratch)
            .map_err(|error| failed(place, format!("loading row {} into {}", count + 1, table.name))(error))?;
        count += 1;
    }
}

fn insert(
    statement: &mut Statement<'_>,
    row: &[Value],
    as_bytes: &[bool],
    scratch: &mut String,
) -> rusqlite::Result<()> {
    for (position, (value, as_bytes)) in row.iter().zip(as_bytes).enumerate() {
        statement.raw_bind_parameter(position + 1, ToSqlOutput::Borrowed(storage(value, *as_bytes, scratch)))?;
    }
    statement.raw_execute()?;
    Ok(())
}

/// What is bound for a value; a text that has to be written is written into `scratch`.
fn storage<'a>(value: &'a Value, as_bytes: bool, scratch: &'a mut String) -> ValueRef<'a> {
    scratch.clear();
    match value {
        Value::Null => return ValueRef::Null,
        Value::Boolean(truth) => return ValueRef::Integer(i64::from(*truth)),
        Value::Integer(integer) => return ValueRef::Integer(*integer),
        Value::Float(float) if float.is_nan() => return ValueRef::Text(b"NaN"),
        Value::Float(float) => return ValueRef::Real(*float),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => return ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => return ValueRef::Blob(bytes),
        Value::Uuid(bytes) if as_bytes => return ValueRef::Blob(bytes),
        Value::Uuid(bytes) => uuid(scratch, bytes),
        Value::Date(days) => iso::date(scratch, *days),
        Value::Time(micros) => iso::time(scratch, *micros),
        Value::Timestamp(micros) => iso::timestamp(scratch, *micros),
        Value::TimestampTz(micros) => iso::instant(scratch, *micros),
    }
    ValueRef::Text(scratch.as_bytes())
}

fn uuid(text: &mut String, bytes: &[u8; 16]) {
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
    }
}
