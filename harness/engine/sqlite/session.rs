//! One connection to one file.

use async_trait::async_trait;
use rusqlite::Connection;

use crate::{
    canon::{RowSink, derived::Deriving},
    engine::{
        Aside, AsideScript, Became, Counted, EngineError, Part, RowSource, Rowset, Session, error::running_line, select,
    },
    model::{
        Catalogue, TableName,
        catalogue::{Reference, Table},
        footprint::{Locks, Storage},
    },
};

use super::{audit, changes, counters, error::failed, footprint, introspect, load, objects, scan};

/// A session on a file. Every call blocks its thread while SQLite works, and says so to the runtime.
pub(super) struct SqliteSession {
    connection: Connection,
    /// The file, for errors.
    place: String,
}

impl SqliteSession {
    /// Wraps an open connection.
    pub(super) const fn new(connection: Connection, place: String) -> Self {
        Self { connection, place }
    }

    /// Runs something on the connection.
    fn run<T>(
        &self,
        doing: impl Into<String>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, EngineError> {
        tokio::task::block_in_place(|| work(&self.connection)).map_err(failed(&self.place, doing))
    }
}

/// Refuses a statement that would not be run whole: SQLite takes a NUL for its end and drops the rest without a word.
fn whole(doing: &str, sql: &str) -> Result<(), EngineError> {
    if sql.contains('\0') {
        let source = "the statement holds a NUL character, which SQLite takes for its end".into();
        return Err(EngineError::Refused { doing: doing.to_owned(), code: None, source });
    }
    Ok(())
}

/// Names the line of a script where SQLite tells the place of its error.
fn doing_script(script: &str, error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { sql, offset, .. } if script.ends_with(sql.as_str()) => {
            // The driver hands over what was left of the script when it came to the failing statement.
            let statement = script.len() - sql.len() + (sql.len() - sql.trim_start().len());
            let at = usize::try_from(*offset).map_or(statement, |offset| script.len() - sql.len() + offset);
            let line = script.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            running_line(line)
        }
        _ => "running a script".to_owned(),
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn version(&mut self) -> Result<String, EngineError> {
        Ok(rusqlite::version().to_owned())
    }

    async fn execute(&mut self, script: &str) -> Result<(), EngineError> {
        whole("running a script", script)?;
        tokio::task::block_in_place(|| self.connection.execute_batch(script))
            .map_err(|error| failed(&self.place, doing_script(script, &error))(error))
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        whole("running a query", sql)?;
        self.run("running a query", |connection| audit::texts(connection, sql))
    }

    async fn introspect(&mut self) -> Result<Catalogue, EngineError> {
        self.run("reading the catalogue", introspect::introspect)
    }

    async fn scan(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        let doing = format!("reading {}", rowset.table);
        match select::derived(rowset) {
            Some(spaces) => {
                self.run(doing, |connection| scan::scan(connection, rowset, &mut Deriving::new(sink, spaces)))
            }
            None => self.run(doing, |connection| scan::scan(connection, rowset, sink)),
        }
    }

    async fn has_addresses(&mut self, rowset: &Rowset) -> Result<bool, EngineError> {
        let doing = format!("looking for {}", rowset.table);
        Ok(self.run(doing, |connection| scan::address(connection, &rowset.table))?.is_some())
    }

    async fn parts(&mut self, rowset: &Rowset, at_most: usize) -> Result<Vec<Part>, EngineError> {
        self.run(format!("cutting {}", rowset.table), |connection| scan::parts(connection, rowset, at_most))
    }

    async fn share_snapshot(&mut self) -> Result<Option<String>, EngineError> {
        let keeps = self.run("looking how the file is locked", scan::keeps_writers_out)?;
        Ok(keeps.then(|| "locked".to_owned()))
    }

    async fn begin_at(&mut self, _snapshot: &str) -> Result<(), EngineError> {
        self.begin(true).await
    }

    async fn load(&mut self, table: &Table, columns: &[String], rows: &mut dyn RowSource) -> Result<u64, EngineError> {
        tokio::task::block_in_place(|| load::load(&self.connection, &self.place, table, columns, rows))
    }

    async fn advance_sequences(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        self.run("setting counters", |connection| counters::advance(connection, tables))
    }

    async fn aside(&mut self, what: Aside, tables: &[TableName]) -> Result<Vec<AsideScript>, EngineError> {
        match what {
            Aside::Keys => Ok(Vec::new()),
            Aside::Triggers => self.run("reading triggers", |connection| objects::trigger_scripts(connection, tables)),
        }
    }

    async fn truncate(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        tokio::task::block_in_place(|| counters::truncate(&self.connection, &self.place, tables))
    }

    async fn dangling(&mut self, reference: &Reference, sample: u32) -> Result<Counted, EngineError> {
        self.run(format!("looking for orphans of {reference}"), |connection| {
            audit::dangling(connection, reference, sample)
        })
    }

    async fn duplicates(&mut self, table: &TableName, columns: &[String], sample: u32) -> Result<Counted, EngineError> {
        self.run(format!("looking for duplicates in {table}"), |connection| {
            audit::duplicates(connection, table, columns, &[], sample)
        })
    }

    async fn duplicates_under(
        &mut self,
        table: &TableName,
        columns: &[String],
        collations: &[Option<String>],
        sample: u32,
    ) -> Result<Counted, EngineError> {
        self.run(format!("looking for duplicates in {table}"), |connection| {
            audit::duplicates(connection, table, columns, collations, sample)
        })
    }

    async fn uuid_spellings(&mut self, table: &TableName, column: &str, sample: u32) -> Result<Counted, EngineError> {
        self.run(format!("looking at the UUIDs of {table}"), |connection| {
            audit::uuid_spellings(connection, table, column, sample)
        })
    }

    /// A transaction that writes takes the lock at once, so that it cannot fail for it half-way; one that only reads
    /// fixes what it sees by a first read.
    async fn begin(&mut self, read_only: bool) -> Result<(), EngineError> {
        let sql = if read_only {
            "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema"
        } else {
            "BEGIN IMMEDIATE"
        };
        self.run("beginning a transaction", |connection| connection.execute_batch(sql))
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        self.run("committing", |connection| connection.execute_batch("COMMIT; PRAGMA query_only = OFF"))
    }

    /// Also succeeds where SQLite has already taken the transaction back by itself, as it does on a full disk.
    async fn tx_rollback(&mut self) -> Result<(), EngineError> {
        self.run("rolling a transaction back", |connection| {
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            connection.execute_batch("PRAGMA query_only = OFF")
        })
    }

    async fn transaction_name(&mut self) -> Result<Option<String>, EngineError> {
        self.run("reading the change counter", changes::name)
    }

    async fn became(&mut self, transaction: &str) -> Result<Became, EngineError> {
        self.run("reading the change counter", |connection| changes::became(connection, transaction))
    }

    async fn locks(&mut self) -> Result<Locks, EngineError> {
        self.run("asking for locks", footprint::locks)
    }

    async fn storage(&mut self) -> Result<Storage, EngineError> {
        self.run("asking where rows lie", footprint::storage)
    }

    async fn close(self: Box<Self>) -> Result<(), EngineError> {
        let Self { connection, place } = *self;
        tokio::task::block_in_place(|| connection.close().map_err(|(_, error)| error))
            .map_err(failed(&place, "closing the database"))
    }
}
