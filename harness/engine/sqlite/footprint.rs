//! What a transaction holds and where rows lie.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result, TransactionState};

use crate::model::{
    TableName,
    footprint::{Blocks, Lock, Locks, Storage, StoredTable},
};

/// Tables and indexes with the page at which each begins, which is another one once it was made anew.
const BEGINNINGS: &str = "SELECT type, tbl_name, name, rootpage FROM sqlite_schema WHERE type IN ('table', 'index') \
     AND rootpage > 0 AND tbl_name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/// Bytes of each table with its indexes.
const BYTES: &str = "SELECT s.tbl_name, sum(d.pgsize) FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name \
     WHERE d.aggregate = TRUE GROUP BY s.tbl_name";

/// The lock on the file: there are no others. Readers go on beside who writes, but for the moment of the commit where the
/// file has a rollback journal.
pub(super) fn locks(connection: &Connection) -> Result<Locks> {
    let lock = |mode: &str, blocks, rank| Lock { table: None, mode: mode.to_owned(), blocks, rank, held_ms: None };
    Ok(Locks::Held(match connection.transaction_state(Some("main"))? {
        TransactionState::Read => vec![lock("SHARED", Blocks::Nobody, 0)],
        TransactionState::Write => vec![lock("RESERVED", Blocks::Writers, 1)],
        _ => Vec::new(),
    }))
}

/// Where the rows of all tables lie. A table that was made anew under its old name counts as that table.
pub(super) fn storage(connection: &Connection) -> Result<Storage> {
    let mut storage = Storage::default();
    let mut statement = connection.prepare(BEGINNINGS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, table, name): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let file = row.get::<_, i64>(3)?.to_string();
        let stored = storage.tables.entry(table.clone()).or_insert_with(|| StoredTable {
            name: TableName::new(table),
            file: None,
            indexes: BTreeMap::new(),
            bytes: None,
        });
        if kind == "table" {
            stored.file = Some(file);
        } else {
            stored.indexes.insert(name, file);
        }
    }
    // A library that was built without this table does not tell.
    let Ok(mut statement) = connection.prepare(BYTES) else { return Ok(storage) };
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(stored) = storage.tables.get_mut(&row.get::<_, String>(0)?) {
            stored.bytes = row.get::<_, i64>(1)?.try_into().ok();
        }
    }
    Ok(storage)
}
