//! One connection to one MariaDB database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Column, Connection, Decode, MySql, MySqlConnection, Row, mysql::MySqlRow, raw_sql};

use super::{error, rights::Rights};
use crate::{
    canon::{RowSink, derived::Deriving},
    engine::{Counted, EngineError, Guard, RowSource, Rowset, Session, Standpoint, select},
    model::{
        Catalogue, TableName,
        catalogue::{Reference, Table},
        footprint::{Locks, Storage},
    },
};

/// One connection to one MariaDB database.
pub(super) struct MariaDbSession {
    /// The driver's connection.
    pub(super) connection: MySqlConnection,
    /// The address without password, for errors.
    pub(super) place: String,
    /// The rights of its user, once they were asked for.
    pub(super) rights: Option<Rights>,
}

/// A row as text, in the order of the query.
pub(super) type TextRow = Vec<Option<String>>;

impl MariaDbSession {
    /// Wraps a fresh connection.
    pub(super) const fn new(connection: MySqlConnection, place: String) -> Self {
        Self { connection, place, rights: None }
    }

    /// Maps a driver's error.
    pub(super) fn error(&self, doing: &str, error: sqlx::Error) -> EngineError {
        error::on_statement(&self.place, doing, error)
    }

    /// Refuses MySQL and everything else that speaks its protocol.
    pub(super) async fn require_mariadb(&mut self) -> Result<(), EngineError> {
        let doing = "asking for the version";
        let version = self.one(doing, "SELECT VERSION()").await?.unwrap_or_default();
        if version.contains("MariaDB") {
            return Ok(());
        }
        let source = format!("the server is {version} and not MariaDB").into();
        Err(EngineError::Refused { doing: format!("connecting to {}", self.place), code: None, source })
    }

    /// Runs a script.
    pub(super) async fn run(&mut self, doing: &str, script: &str) -> Result<(), EngineError> {
        whole(doing, script)?;
        let outcome = raw_sql(AssertSqlSafe(script)).execute(&mut self.connection).await;
        outcome.map(drop).map_err(|error| self.error(doing, error))
    }

    /// Runs a query and gives its rows as text.
    pub(super) async fn texts(&mut self, doing: &str, sql: &str) -> Result<Vec<TextRow>, EngineError> {
        let rows = self.fetch(doing, sql).await?;
        rows.iter().map(|row| texts(row).map_err(|error| self.error(doing, error))).collect()
    }

    /// Runs a query and gives its rows as text, each value with the name of its column.
    pub(super) async fn named(
        &mut self,
        doing: &str,
        sql: &str,
    ) -> Result<Vec<Vec<(String, Option<String>)>>, EngineError> {
        let rows = self.fetch(doing, sql).await?;
        let with_names = |row: &MySqlRow| {
            let names = row.columns().iter().map(|column| column.name().to_owned());
            texts(row).map(|values| names.zip(values).collect())
        };
        rows.iter().map(|row| with_names(row).map_err(|error| self.error(doing, error))).collect()
    }

    /// The only value of a query.
    pub(super) async fn one(&mut self, doing: &str, sql: &str) -> Result<Option<String>, EngineError> {
        let rows = self.texts(doing, sql).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
    }

    /// Whether a transaction is open, also one that a script began.
    pub(super) async fn in_transaction(&mut self) -> Result<bool, EngineError> {
        let open = self.one("asking for the transaction", "SELECT @@in_transaction").await?;
        Ok(open.as_deref() == Some("1"))
    }

    async fn fetch(&mut self, doing: &str, sql: &str) -> Result<Vec<MySqlRow>, EngineError> {
        whole(doing, sql)?;
        let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        rows.map_err(|error| self.error(doing, error))
    }
}

/// Refuses a statement with a NUL: in a name MariaDB takes it for the end of the statement, and runs what is before.
pub(super) fn whole(doing: &str, sql: &str) -> Result<(), EngineError> {
    if sql.contains('\0') {
        let source = "the statement holds a NUL character, which MariaDB may take for its end".into();
        return Err(EngineError::Refused { doing: doing.to_owned(), code: None, source });
    }
    Ok(())
}

/// The bytes of a value as they came; `None` is NULL.
///
/// The driver's own test for NULL holds zero dates for NULL as well, and its decoding to text refuses what is not UTF-8.
pub(super) fn bytes(row: &MySqlRow, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    Ok(<&[u8] as Decode<MySql>>::decode(value).ok())
}

fn texts(row: &MySqlRow) -> Result<TextRow, sqlx::Error> {
    let text = |column| Ok(bytes(row, column)?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
    (0..row.len()).map(text).collect()
}

#[async_trait]
impl Session for MariaDbSession {
    async fn version(&mut self) -> Result<String, EngineError> {
        let version = self.one("asking for the version", "SELECT VERSION()").await?.unwrap_or_default();
        // Behind the number come the product and the packager's own version.
        Ok(version.split('-').next().unwrap_or_default().to_owned())
    }

    async fn encryption(&mut self) -> Result<Option<String>, EngineError> {
        let doing = "asking for the session's encryption";
        let sql = "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_VERSION'";
        Ok(self.one(doing, sql).await?.filter(|version| !version.is_empty()))
    }

    /// Runs a script in one message. Each of its statements commits by itself unless it says otherwise, and those before
    /// one that fails stay.
    async fn execute(&mut self, script: &str) -> Result<(), EngineError> {
        self.run("running a script", script).await
    }

    async fn query(&mut self, sql: &str) -> Result<Vec<TextRow>, EngineError> {
        self.texts("running a query", sql).await
    }

    async fn introspect(&mut self) -> Result<Catalogue, EngineError> {
        self.catalogue().await
    }

    async fn scan(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        match select::derived(rowset) {
            Some(spaces) => self.stream(rowset, &mut Deriving::new(sink, spaces)).await,
            None => self.stream(rowset, sink).await,
        }
    }

    async fn load(&mut self, table: &Table, columns: &[String], rows: &mut dyn RowSource) -> Result<u64, EngineError> {
        self.insert(table, columns, rows).await
    }

    /// Commits the transaction that is open, if one is: `ALTER TABLE` does so.
    async fn advance_sequences(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        self.set_counters(tables).await
    }

    /// Deletes instead of truncating, for `TRUNCATE` empties one table and commits it. Triggers on DELETE fire therefore.
    /// Inside an open transaction the counters stay where they are, since setting them would commit it.
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

    /// Who only reads reads several times, and sees the state of this moment. The session is set to read-only as well: a DDL
    /// statement would commit the transaction and go on outside of it.
    async fn begin(&mut self, read_only: bool) -> Result<(), EngineError> {
        let read = "SET SESSION lock_wait_timeout = 10; SET SESSION TRANSACTION READ ONLY; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
        self.run("beginning a transaction", if read_only { read } else { "START TRANSACTION" }).await
    }

    async fn commit(&mut self) -> Result<(), EngineError> {
        self.run("committing", "COMMIT; SET SESSION TRANSACTION READ WRITE").await
    }

    async fn tx_rollback(&mut self) -> Result<(), EngineError> {
        self.run("rolling back a transaction", "ROLLBACK; SET SESSION TRANSACTION READ WRITE").await
    }

    async fn guard(&mut self, guard: &Guard) -> Result<(), EngineError> {
        self.set_guard(guard).await
    }

    async fn standpoint(&mut self) -> Result<Standpoint, EngineError> {
        self.stand().await
    }

    async fn partition_rows(&mut self, table: &TableName) -> Result<BTreeMap<String, u64>, EngineError> {
        self.rows_of_partitions(table).await
    }

    /// A statement that changes a table's definition commits by itself, and has no locks any more when it can be asked.
    async fn locks(&mut self) -> Result<Locks, EngineError> {
        let reason = "MariaDB commits with every change of a definition, and shows metadata locks only to a plugin";
        Ok(Locks::Unknown(reason.to_owned()))
    }

    async fn storage(&mut self) -> Result<Storage, EngineError> {
        self.where_rows_lie().await
    }

    async fn close(self: Box<Self>) -> Result<(), EngineError> {
        let Self { connection, place, .. } = *self;
        connection.close().await.map_err(|error| error::on_statement(&place, "ending the session", error))
    }
}
