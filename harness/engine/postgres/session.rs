//! One connection to one PostgreSQL database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, Row, SqlSafeStr, ValueRef,
    postgres::{PgConnectOptions, PgRow},
    query, raw_sql,
};

use super::{encode::Writing, error, scan::Types};
use crate::{
    canon::{RowSink, derived::Deriving},
    engine::{
        Aside, AsideScript, Became, Counted, EngineError, Guard, Part, RowSource, Rowset, SentForm, Session,
        Standpoint, error::running_line, select,
    },
    model::{
        Catalogue, TableName,
        catalogue::{Reference, Table},
        footprint::{Locks, Storage},
    },
};

/// Begins a transaction that only reads. Who reads waits for a lock as long as a person would, and then says which table
/// was locked, instead of standing still for as long as somebody alters it.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL lock_timeout = '10s'";

/// What a transaction that only reads goes back to when a question is refused, so that its snapshot outlives the error.
const SAVE: &str = "SAVEPOINT before_the_question";

/// One connection to one PostgreSQL database.
pub(super) struct PostgresSession {
    /// The driver's connection.
    pub(super) connection: PgConnection,
    /// How it was made.
    pub(super) options: PgConnectOptions,
    /// The server's number for it, where somebody asked for that in this transaction.
    pub(super) process: Option<i32>,
    /// The address without password, for errors.
    pub(super) place: String,
    /// A COPY or introspection is under way. Still set when the next call comes, it means that somebody dropped it
    /// halfway, and that what the server sends next is not the answer to what we ask next.
    pub(super) midway: bool,
    /// Whether a transaction is open.
    pub(super) in_transaction: bool,
    /// The types of columns, as far as they are known and cannot change.
    pub(super) types: Types,
    /// Whether the open transaction only reads, and sees one state.
    pub(super) reads_only: bool,
    /// The table last loaded in this transaction, whose lock keeps its columns as they are.
    pub(super) loaded: Option<Loaded>,
}

/// How the columns of a table are written.
pub(super) struct Loaded {
    pub(super) table: TableName,
    pub(super) columns: Vec<String>,
    pub(super) writings: Vec<Writing>,
}

impl PostgresSession {
    /// Wraps a fresh connection.
    pub(super) const fn new(connection: PgConnection, options: PgConnectOptions, place: String) -> Self {
        Self {
            connection,
            options,
            process: None,
            place,
            midway: false,
            in_transaction: false,
            types: Types::Changing,
            reads_only: false,
            loaded: None,
        }
    }

    /// Maps a driver's error.
    pub(super) fn error(&self, doing: &str, error: sqlx::Error) -> EngineError {
        error::on_statement(&self.place, doing, error)
    }

    /// Refuses to go on where the connection is out of step or the statement cannot be sent whole.
    pub(super) fn check(&self, doing: &str, sql: &str) -> Result<(), EngineError> {
        if self.midway {
            let source = "an earlier copy on this connection was cut off halfway".into();
            return Err(EngineError::Unavailable { place: self.place.clone(), source });
        }
        if sql.contains('\0') {
            // The wire protocol ends a statement at its first NUL; the rest would be taken for something else.
            let source = "the statement holds a NUL character, which PostgreSQL cannot take".into();
            return Err(EngineError::Refused { doing: doing.to_owned(), code: None, source });
        }
        Ok(())
    }

    /// Runs a script.
    pub(super) async fn run(&mut self, doing: &str, script: &str) -> Result<(), EngineError> {
        self.check(doing, script)?;
        self.loaded = None;
        let outcome = raw_sql(AssertSqlSafe(script)).execute(&mut self.connection).await;
        outcome.map(drop).map_err(|error| self.error(doing, error))
    }

    /// Begins a transaction by these statements.
    async fn begin_by(&mut self, sql: &str, read_only: bool) -> Result<(), EngineError> {
        self.run("beginning a transaction", sql).await?;
        self.in_transaction = true;
        self.types = if read_only { Types::Unasked } else { Types::Changing };
        self.reads_only = read_only;
        self.process = None;
        Ok(())
    }

    /// Refuses SQL that is more than one statement, or none that the server takes. What a user states is asked here
    /// first, because a script may hold anything.
    pub(super) async fn one_statement(&mut self, doing: &str, sql: &str) -> Result<(), EngineError> {
        self.check(doing, sql)?;
        let prepared = self.connection.prepare(AssertSqlSafe(sql).into_sql_str()).await.map(drop);
        prepared.map_err(|error| self.error(doing, error))
    }

    /// Runs a query and gives its rows as text.
    pub(super) async fn texts(&mut self, doing: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        self.check(doing, sql)?;
        self.fetch(doing, sql).await
    }

    /// The same for a query of the engine's own, also while something is under way.
    pub(super) async fn fetch(&mut self, doing: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        let rows = rows.map_err(|error| self.error(doing, error))?;
        rows.iter().map(|row| texts(row).map_err(|error| self.error(doing, error))).collect()
    }

    /// Runs a query with values, all of whose columns have a type of text.
    pub(super) async fn bound(
        &mut self,
        doing: &str,
        sql: &str,
        values: &[Option<&str>],
    ) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        self.check(doing, sql)?;
        let query = values.iter().fold(query(AssertSqlSafe(sql)).persistent(false), |query, value| query.bind(value));
        let rows = query.fetch_all(&mut self.connection).await.map_err(|error| self.error(doing, error))?;
        rows.iter().map(|row| texts(row).map_err(|error| self.error(doing, error))).collect()
    }
}

/// A row whose values are text: any row of the simple protocol, rows of text columns otherwise.
fn texts(row: &PgRow) -> Result<Vec<Option<String>>, sqlx::Error> {
    (0..row.len())
        .map(|column| {
            let value = row.try_get_raw(column)?;
            if value.is_null() {
                return Ok(None);
            }
            // Of a database in SQL_ASCII it may be no UTF-8, and here it is only looked at.
            value.as_bytes().map(|text| Some(String::from_utf8_lossy(text).into_owned())).map_err(sqlx::Error::Decode)
        })
        .collect()
}

#[async_trait]
impl Session for PostgresSession {
    async fn version(&mut self) -> Result<String, EngineError> {
        let rows = self.texts("asking for the version", "SHOW server_version").await?;
        // Packagers add their own version in brackets.
        let version = rows.into_iter().flatten().flatten().next().unwrap_or_default();
        Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
    }

    async fn encryption(&mut self) -> Result<Option<String>, EngineError> {
        let sql = "SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid() AND ssl";
        let rows = self.texts("asking for the session's encryption", sql).await?;
        Ok(rows.into_iter().flatten().flatten().next())
    }

    /// Runs a script in one message: its statements are one transaction unless they say otherwise, and one that cannot
    /// run in a transaction (`CREATE DATABASE`, `CREATE INDEX CONCURRENTLY`) has to come alone.
    async fn execute(&mut self, script: &str) -> Result<(), EngineError> {
        let doing = "running a script";
        self.check(doing, script)?;
        self.loaded = None;
        let outcome = raw_sql(AssertSqlSafe(script)).execute(&mut self.connection).await;
        outcome.map(drop).map_err(|error| match error::line(script, &error) {
            Some(line) => self.error(&running_line(line), error),
            None => self.error(doing, error),
        })
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        self.texts("running a query", sql).await
    }

    async fn introspect(&mut self) -> Result<Catalogue, EngineError> {
        self.catalogue().await
    }

    async fn scan(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        match select::derived(rowset) {
            Some(spaces) => self.copy_out(rowset, &mut Deriving::new(sink, spaces)).await,
            None => self.copy_out(rowset, sink).await,
        }
    }

    async fn sent_form(&mut self, rowset: &Rowset) -> Result<Option<SentForm>, EngineError> {
        self.sent(rowset).await
    }

    async fn has_addresses(&mut self, rowset: &Rowset) -> Result<bool, EngineError> {
        Ok(self.stored(&rowset.table).await?.has_addresses)
    }

    async fn parts(&mut self, rowset: &Rowset, at_most: usize) -> Result<Vec<Part>, EngineError> {
        self.cut(rowset, at_most).await
    }

    async fn share_snapshot(&mut self) -> Result<Option<String>, EngineError> {
        let doing = "sharing a snapshot";
        if self.reads_only {
            // Behind a savepoint no snapshot is exported.
            self.run(doing, "RELEASE SAVEPOINT before_the_question").await?;
        }
        // A standby exports none, and says so by an error that would end the transaction.
        let sql = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_export_snapshot() END";
        let rows = self.texts(doing, sql).await?;
        if self.reads_only {
            self.run(doing, SAVE).await?;
        }
        Ok(rows.into_iter().flatten().next().flatten())
    }

    async fn begin_at(&mut self, snapshot: &str) -> Result<(), EngineError> {
        let snapshot = snapshot.replace('\'', "''");
        self.begin_by(&format!("{READ}; SET TRANSACTION SNAPSHOT '{snapshot}'; {SAVE}"), true).await
    }

    async fn load(&mut self, table: &Table, columns: &[String], rows: &mut dyn RowSource) -> Result<u64, EngineError> {
        self.copy_in(table, columns, rows).await
    }

    async fn advance_sequences(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        self.set_sequences(tables).await
    }

    async fn aside(&mut self, what: Aside, tables: &[TableName]) -> Result<Vec<AsideScript>, EngineError> {
        self.aside_scripts(what, tables).await
    }

    async fn truncate(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        self.empty(tables).await
    }

    async fn dangling(&mut self, reference: &Reference, sample: u32) -> Result<Counted, EngineError> {
        self.count_dangling(reference, sample).await
    }

    async fn duplicates(&mut self, table: &TableName, columns: &[String], sample: u32) -> Result<Counted, EngineError> {
        self.count_duplicates(table, columns, &[], sample).await
    }

    async fn duplicates_under(
        &mut self,
        table: &TableName,
        columns: &[String],
        collations: &[Option<String>],
        sample: u32,
    ) -> Result<Counted, EngineError> {
        self.count_duplicates(table, columns, collations, sample).await
    }

    async fn uuid_spellings(&mut self, table: &TableName, column: &str, sample: u32) -> Result<Counted, EngineError> {
        self.count_spellings(table, column, sample).await
    }

    async fn begin(&mut self, read_only: bool) -> Result<(), EngineError> {
        // Who only reads reads several times, and wants to see one state.
        let sql = if read_only { format!("{READ}; {SAVE}") } else { "BEGIN".to_owned() };
        self.begin_by(&sql, read_only).await
    }

    /// Commits. A transaction in which a statement failed is an error here: the server would answer COMMIT by rolling it
    /// back, and say so only in a word that the driver drops.
    async fn commit(&mut self) -> Result<(), EngineError> {
        (self.in_transaction, self.reads_only) = (false, false);
        self.types = Types::Changing;
        self.run("committing", "SELECT 1; COMMIT").await
    }

    async fn tx_rollback(&mut self) -> Result<(), EngineError> {
        (self.in_transaction, self.reads_only) = (false, false);
        self.types = Types::Changing;
        self.run("rolling back a transaction", "ROLLBACK").await
    }

    async fn guard(&mut self, guard: &Guard) -> Result<(), EngineError> {
        self.set_guard(guard).await
    }

    async fn standpoint(&mut self) -> Result<Standpoint, EngineError> {
        self.stand().await
    }

    /// Its 64-bit number, which is never used again.
    async fn transaction_name(&mut self) -> Result<Option<String>, EngineError> {
        let doing = "asking for the transaction's number";
        let rows = self.texts(doing, "SELECT pg_catalog.pg_current_xact_id()::text").await?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    /// The server remembers it for about two thousand million transactions
    /// (<https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>).
    async fn became(&mut self, transaction: &str) -> Result<Became, EngineError> {
        let number = transaction.replace('\'', "''");
        let sql = format!("SELECT pg_catalog.pg_xact_status('{number}'::xid8)");
        let rows = self.texts("asking what became of a transaction", &sql).await?;
        Ok(match rows.into_iter().flatten().next().flatten().as_deref() {
            Some("committed") => Became::Committed,
            Some("aborted") => Became::Nothing,
            Some("in progress") => Became::Open,
            _ => Became::Unknown,
        })
    }

    /// An error would end a transaction here. One that only reads goes back to its savepoint, and sees what it saw before.
    async fn recover(&mut self) -> Result<(), EngineError> {
        if !(self.in_transaction && self.reads_only) {
            return Ok(());
        }
        self.run("going on after an error", "ROLLBACK TO SAVEPOINT before_the_question").await
    }

    async fn partition_rows(&mut self, table: &TableName) -> Result<BTreeMap<String, u64>, EngineError> {
        self.rows_of_partitions(table).await
    }

    async fn locks(&mut self) -> Result<Locks, EngineError> {
        self.held_locks().await
    }

    async fn storage(&mut self) -> Result<Storage, EngineError> {
        self.where_rows_lie().await
    }

    async fn close(self: Box<Self>) -> Result<(), EngineError> {
        let Self { connection, place, .. } = *self;
        connection.close().await.map_err(|error| error::on_statement(&place, "ending the session", error))
    }
}
