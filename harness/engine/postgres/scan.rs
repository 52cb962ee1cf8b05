//! Scans: `COPY (SELECT …) TO STDOUT (FORMAT binary)` into a sink.

use std::collections::HashMap;

use futures_util::TryStreamExt;

use super::{
    DEFAULT_SCHEMA, PostgresDialect, dialect,
    reading::Reading,
    session::PostgresSession,
    types::{Asked, PgType, column_types},
    wire::Rows,
};
use crate::{
    canon::RowSink,
    engine::{Dialect, EngineError, Rowset},
    model::TableName,
};

/// Types of columns, for [`column_types`] to read. Takes a schema and a table, or NULL for all.
pub(super) const COLUMN_TYPES: &str = include_str!("introspect/column_types.sql");

impl PostgresSession {
    /// Streams a rowset into a sink.
    ///
    /// Reads the table without its inheritance children (which are tables themselves), a partitioned one with its
    /// partitions. Types without a binary form, and types whose binary form holds OIDs, are read in their text form.
    pub(super) async fn copy_out(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        let doing = format!("reading {}", rowset.table);
        let relation = self.relation(&rowset.table).await?;
        let types = self.column_types(&rowset.table).await?;
        let (mut select, mut readings) = (Vec::new(), Vec::new());
        for column in &rowset.columns {
            let quoted = PostgresDialect.quote(column);
            // An unknown column is left for the server to complain about in its own words.
            let kind = types.get(column).cloned().unwrap_or_default();
            select.push(match kind.asked() {
                Asked::Binary => quoted,
                Asked::Text => format!("{quoted}::text"),
                Asked::Numeric => format!("{quoted}::numeric"),
            });
            readings.push(Reading::of(&kind));
        }
        let select = format!("SELECT {} FROM {relation}", select.join(", "));
        // The driver loses step if a COPY is refused at its start. Asking for no rows brings every such refusal (rights,
        // row security, a missing column) while it is harmless.
        self.run(&doing, &format!("{select} LIMIT 0")).await?;
        self.as_the_snapshot_has_it(&rowset.table).await?;
        self.midway = true;
        let seen = self.stream(&doing, &format!("COPY ({select}) TO STDOUT (FORMAT binary)"), readings, sink).await?;
        self.midway = false;
        Ok(seen)
    }

    /// Refuses a table that was rewritten or emptied after this transaction's snapshot was taken. The lock of the statement
    /// before keeps it as it is from here on.
    async fn as_the_snapshot_has_it(&mut self, table: &TableName) -> Result<(), EngineError> {
        if !self.in_transaction {
            return Ok(());
        }
        let doing = format!("reading {table}");
        let sql = format!("SELECT 'rewritten' WHERE {}", dialect::is_rewritten(table));
        if self.texts(&doing, &sql).await?.is_empty() {
            return Ok(());
        }
        let source = "the table was rewritten or emptied after this session's snapshot was taken".into();
        Err(EngineError::Refused { doing, code: None, source })
    }

    /// Streams a COPY that was found to be allowed. Errors of the server leave the connection usable again, except at
    /// the very start.
    async fn stream(
        &mut self,
        doing: &str,
        copy: &str,
        readings: Vec<Reading>,
        sink: &mut dyn RowSink,
    ) -> Result<u64, EngineError> {
        let place = self.place.clone();
        let failed = |error| super::error::on_statement(&place, doing, error);
        let mut rows = Rows::new(readings);
        let mut stream = self.connection.copy_out_raw(copy).await.map_err(failed)?;
        let mut stopped = false;
        loop {
            match stream.try_next().await {
                // What is left after a stop is read to its end: it cannot be cancelled without ending the transaction.
                Ok(Some(_)) if stopped => {}
                Ok(Some(chunk)) => {
                    let flow = rows.feed(&chunk, sink);
                    let flow = flow.map_err(|what| EngineError::Unexpected { doing: doing.to_owned(), what })?;
                    stopped = flow.is_break();
                }
                Ok(None) => break,
                Err(error) => {
                    drop(stream);
                    self.midway = !matches!(error, sqlx::Error::Database(_));
                    return Err(failed(error));
                }
            }
        }
        if stopped {
            return Ok(rows.seen());
        }
        rows.finish().map_err(|what| EngineError::Unexpected { doing: doing.to_owned(), what })
    }

    /// A table as it stands in FROM: `ONLY` keeps inheritance children out, but would find a partitioned table empty.
    pub(super) async fn relation(&mut self, table: &TableName) -> Result<String, EngineError> {
        let sql = "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'";
        let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        let rows = self.bound(&format!("looking for {table}"), sql, &[Some(schema), Some(&table.name)]).await?;
        let quoted = PostgresDialect.table(table);
        Ok(if rows.is_empty() { format!("ONLY {quoted}") } else { quoted })
    }

    /// The columns' types by name.
    pub(super) async fn column_types(&mut self, table: &TableName) -> Result<HashMap<String, PgType>, EngineError> {
        let doing = format!("reading the columns of {table}");
        let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        let rows = self.bound(&doing, COLUMN_TYPES, &[Some(schema), Some(&table.name)]).await?;
        let columns = column_types(rows);
        let columns =
            columns.ok_or_else(|| EngineError::Unexpected { doing, what: "a type that cannot be read".to_owned() })?;
        Ok(columns.into_iter().map(|(_, _, column, kind)| (column, kind)).collect())
    }
}
