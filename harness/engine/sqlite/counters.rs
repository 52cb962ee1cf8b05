//! Emptying tables and setting their counters.
//!
//! Only a table declared AUTOINCREMENT has a counter (a row of `sqlite_sequence` that holds the largest id it ever
//! gave); any other `INTEGER PRIMARY KEY` takes the largest row id of the moment plus one and needs no care.

use rusqlite::{Connection, Error, OptionalExtension, Result, config::DbConfig};

use crate::{
    engine::{Dialect, EngineError},
    model::TableName,
};

use super::{dialect::SqliteDialect, error::failed};

/// Sets the counter of each table that has one to the largest row id in it, and takes it away where the table is empty.
pub(super) fn advance(connection: &Connection, tables: &[TableName]) -> Result<()> {
    if !has_counters(connection)? {
        return Ok(());
    }
    for table in tables {
        if !is_autoincrement(connection, table)? {
            continue;
        }
        let key = "SELECT name FROM pragma_table_info(?1, 'main') WHERE pk = 1";
        let key: String = connection.query_row(key, [&table.name], |row| row.get(0))?;
        let sql = format!("SELECT max(t.{}) FROM {} AS t", SqliteDialect.quote(&key), SqliteDialect.table(table));
        let largest: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
        reset(connection, table)?;
        if let Some(largest) = largest {
            let sql = "INSERT INTO main.sqlite_sequence (name, seq)
                       SELECT name, ?2 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
            connection.execute(sql, rusqlite::params![table.name, largest])?;
        }
    }
    Ok(())
}

/// Empties tables in one act, as TRUNCATE does elsewhere: no triggers, no cascades into tables that were not named.
///
/// # Errors
/// [`EngineError::Refused`] if a row of another table refers to one of these tables; nothing is emptied then.
pub(super) fn truncate(connection: &Connection, place: &str, tables: &[TableName]) -> Result<(), EngineError> {
    let doing = || failed(place, "emptying tables");
    let enforced: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).map_err(doing())?;
    let triggers = connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER).map_err(doing())?;
    // Inside a transaction the first of these does nothing; then the second one lets the rows go in any order.
    let pause = "PRAGMA foreign_keys = OFF; SAVEPOINT rehearse_truncate; PRAGMA defer_foreign_keys = ON";
    connection.execute_batch(pause).map_err(doing())?;
    let outcome = connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
        .map_err(doing())
        .and_then(|_| empty(connection, place, tables));
    let end = match outcome {
        Ok(()) => "RELEASE rehearse_truncate",
        Err(_) => "ROLLBACK TO rehearse_truncate; RELEASE rehearse_truncate",
    };
    let ended = connection.execute_batch(end).map_err(doing());
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, triggers).map_err(doing())?;
    connection.execute_batch(&format!("PRAGMA foreign_keys = {}", u8::from(enforced))).map_err(doing())?;
    outcome.and(ended)
}

fn empty(connection: &Connection, place: &str, tables: &[TableName]) -> Result<(), EngineError> {
    let doing = || failed(place, "emptying tables");
    if let Some((child, parent)) = outside_reference(connection, tables).map_err(doing())? {
        return Err(EngineError::Refused {
            doing: format!("emptying {parent}"),
            code: None,
            source: format!("rows of `{child}` refer to it").into(),
        });
    }
    let counters = has_counters(connection).map_err(doing())?;
    for table in tables {
        connection.execute(&format!("DELETE FROM {}", SqliteDialect.table(table)), []).map_err(doing())?;
        if counters {
            reset(connection, table).map_err(doing())?;
        }
    }
    Ok(())
}

/// The first table outside the list with a row that refers to a table of the list.
fn outside_reference(connection: &Connection, tables: &[TableName]) -> Result<Option<(String, TableName)>> {
    let sql = "SELECT s.name, k.id, k.\"table\", k.\"from\"
               FROM pragma_table_list AS s, pragma_foreign_key_list(s.name, 'main') AS k
               WHERE s.schema = 'main' AND s.type = 'table' ORDER BY s.name, k.id, k.seq";
    let mut statement = connection.prepare(sql)?;
    let listed = |name: &str| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
    let mut keys: Vec<(String, i64, TableName, Vec<String>)> = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (child, id, parent, column): (String, i64, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let Some(parent) = listed(&parent).filter(|_| listed(&child).is_none()) else { continue };
        match keys.last_mut() {
            Some(key) if key.0 == child && key.1 == id => key.3.push(column),
            _ => keys.push((child, id, parent.clone(), vec![column])),
        }
    }
    for (child, _, parent, columns) in keys {
        let set = columns.iter().map(|column| format!("c.{} IS NOT NULL", SqliteDialect.quote(column)));
        let set = set.collect::<Vec<_>>().join(" AND ");
        let from = SqliteDialect.table(&TableName::new(&child));
        if connection
            .query_row(&format!("SELECT EXISTS (SELECT 1 FROM {from} AS c WHERE {set})"), [], |row| row.get(0))?
        {
            return Ok(Some((child, parent)));
        }
    }
    Ok(None)
}

fn reset(connection: &Connection, table: &TableName) -> Result<()> {
    let sql = "DELETE FROM main.sqlite_sequence WHERE name = ?1 COLLATE NOCASE";
    connection.execute(sql, [&table.name]).map(|_| ())
}

fn has_counters(connection: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence')";
    connection.query_row(sql, [], |row| row.get(0))
}

fn is_autoincrement(connection: &Connection, table: &TableName) -> Result<bool> {
    let sql = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    let created: Option<String> = connection.query_row(sql, [&table.name], |row| row.get(0)).optional()?;
    created
        .map(|sql| super::ddl::table(&sql).is_some_and(|table| table.autoincrement))
        .ok_or(Error::QueryReturnedNoRows)
}
