//! Scans: `COPY (SELECT …) TO STDOUT (FORMAT binary)` into a sink.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use futures_util::{
    StreamExt, TryStreamExt,
    future::{OptionFuture, ready},
};

use super::{
    DEFAULT_SCHEMA, PostgresDialect,
    cancel::{self, Cancel},
    dialect,
    reading::Reading,
    session::PostgresSession,
    types::{Asked, PgType, column_types},
    wire::{Rows, Tuple},
};
use crate::{
    canon::{Keys, RowSink, hex},
    engine::{Dialect, EngineError, Part, Rowset, SentForm, Session, select},
    model::TableName,
};

/// What a relation is, how its rows are stored and in how many blocks, and the server's version. Takes a schema and a name.
const RELATION: &str = "SELECT c.relkind::text, a.amname::text, \
        CASE WHEN a.amname = 'heap' AND c.relkind IN ('r', 'm') \
             THEN (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint)::text END, \
        pg_catalog.current_setting('server_version_num') \
    FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam \
    WHERE n.nspname = $1 AND c.relname = $2";

/// Blocks that are worth a session of their own.
const BLOCKS_AT_LEAST: i64 = 64;

/// The first version that scans a range of addresses without reading the rest of the table.
const RANGE_SCANS_SINCE: i64 = 140_000;

/// Addresses in one statement.
const ADDRESSES_AT_ONCE: usize = 20_000;

/// A table, a view or whatever else can be read like one.
#[derive(Default)]
pub(super) struct Relation {
    /// As it stands in FROM.
    from: String,
    /// Its rows can be found again by where they lie.
    pub(super) has_addresses: bool,
    blocks: i64,
    server: i64,
}

impl Relation {
    /// Its blocks can be read range by range.
    const fn has_ranges(&self) -> bool {
        self.has_addresses && self.server >= RANGE_SCANS_SINCE
    }
}

/// Columns' types by schema and table.
pub(super) type TableTypes = HashMap<(String, String), HashMap<String, PgType>>;

/// What a session knows of columns' types. A transaction that only reads sees one state of the catalogue, and who has
/// asked for a second table in it will ask for many: one question is cheaper than a thousand.
#[derive(Debug, PartialEq)]
pub(super) enum Types {
    /// Types may change from statement to statement.
    Changing,
    /// Nobody has asked yet.
    Unasked,
    /// Those of all tables are worth asking for.
    Wanted,
    /// Those of all tables, as far as they are listed.
    Known(TableTypes),
}

fn by_table(doing: &str, rows: Vec<Vec<Option<String>>>) -> Result<TableTypes, EngineError> {
    let unreadable =
        || EngineError::Unexpected { doing: doing.to_owned(), what: "a type that cannot be read".to_owned() };
    let mut tables = TableTypes::new();
    for (schema, table, column, kind) in column_types(rows).ok_or_else(unreadable)? {
        tables.entry((schema, table)).or_default().insert(column, kind);
    }
    Ok(tables)
}

/// The conditions by which parts of a table are read, one statement each.
fn conditions(part: &Part) -> Vec<String> {
    // A block in the upper bits and a line in the lower sixteen, as `Reading::Address` has them.
    let tid = |address: i64| format!("({},{})", address >> 16, address & 0xffff);
    match part {
        Part::Whole => vec![String::new()],
        Part::Between(from, to) => {
            let bound = |operator: &str, address: &i64| format!("ctid {operator} '{}'", tid(*address));
            let bounds: Vec<_> =
                from.iter().map(|from| bound(">=", from)).chain(to.iter().map(|to| bound("<", to))).collect();
            vec![if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) }]
        }
        Part::At(addresses) => {
            let list = |some: &[i64]| some.iter().map(|one| format!("\"{}\"", tid(*one))).collect::<Vec<_>>().join(",");
            let batches = addresses.chunks(ADDRESSES_AT_ONCE);
            batches.map(|some| format!(" WHERE ctid = ANY ('{{{}}}'::tid[])", list(some))).collect()
        }
        Part::Keyed(column, keys) => {
            let (list, kind): (Vec<String>, _) = match keys {
                Keys::Integers(keys) => (keys.iter().map(i64::to_string).collect(), "int8"),
                Keys::Uuids(keys) => (keys.iter().map(|key| hex(key)).collect(), "uuid"),
            };
            let (column, list) = (PostgresDialect.quote(column), list.join(","));
            vec![format!(" WHERE {column} OPERATOR(pg_catalog.=) ANY ('{{{list}}}'::pg_catalog.{kind}[])")]
        }
    }
}

/// Types of columns, for [`column_types`] to read. Takes a schema and a table, or NULL for all.
pub(super) const COLUMN_TYPES: &str = include_str!("introspect/column_types.sql");

impl PostgresSession {
    /// Streams a rowset into a sink.
    ///
    /// Reads the table without its inheritance children (which are tables themselves), a partitioned one with its
    /// partitions. Types without a binary form, and types whose binary form holds OIDs, are read in their text form.
    pub(super) async fn copy_out(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        let doing = format!("reading {}", rowset.table);
        let (relation, types) = if rowset.terms.query.is_some() {
            (Relation::default(), HashMap::new())
        } else {
            (self.stored(&rowset.table).await?, self.column_types(&rowset.table).await?)
        };
        let (mut select, mut readings) = (Vec::new(), Vec::new());
        for column in &rowset.columns {
            let quoted = PostgresDialect.quote(column);
            if let Some(sql) = select::column(&PostgresDialect, rowset, column, &quoted) {
                select.push(sql);
                readings.push(Reading::of(&PgType::text()));
                continue;
            }
            // An unknown column is left for the server to complain about in its own words.
            let kind = types.get(column).cloned().unwrap_or_default();
            select.push(match kind.asked() {
                Asked::Binary => quoted,
                Asked::Text => format!("{quoted}::text"),
                Asked::Numeric => format!("{quoted}::numeric"),
            });
            readings.push(Reading::of(&kind));
        }
        if rowset.with_address {
            select.push("ctid".to_owned());
            readings.push(Reading::Address);
        }
        let from = match rowset.terms.query {
            Some(_) => format!("{} AS q", select::from(rowset, relation.from)),
            None => relation.from,
        };
        let select = format!("SELECT {} FROM {from}{}", select.join(", "), select::tail(rowset));
        if !rowset.terms.is_plain() {
            self.one_statement(&doing, &select).await?;
        }
        // The driver loses step if a COPY is refused at its start. Asking for no rows brings every such refusal (rights,
        // row security, a missing column) while it is harmless.
        let probe = if rowset.terms.first_only { format!("SELECT FROM ({select}) AS q") } else { select.clone() };
        self.run(&doing, &format!("{probe} LIMIT 0")).await?;
        if rowset.terms.query.is_none() {
            self.as_the_snapshot_has_it(&rowset.table).await?;
        }
        let cancel = self.cancel(&doing).await?;
        let mut seen = 0;
        for part in conditions(&rowset.part) {
            self.midway = true;
            let copy = format!("COPY ({select}{part}) TO STDOUT (FORMAT binary)");
            let rows = Rows::new(readings.clone());
            let rows = match &rowset.as_sent {
                Some(cells) => rows.with_sent(cells),
                None => rows,
            };
            let (read, flow) = self.stream(&doing, &copy, rows, sink, cancel.as_ref()).await?;
            self.midway = false;
            seen += read;
            if flow.is_break() {
                break;
            }
        }
        Ok(seen)
    }

    /// The form of rows of which the bytes say no more than their values.
    pub(super) async fn sent(&mut self, rowset: &Rowset) -> Result<Option<SentForm>, EngineError> {
        if !rowset.terms.is_plain() {
            return Ok(None);
        }
        let types = self.column_types(&rowset.table).await?;
        let kinds = rowset.columns.iter().map(|column| types.get(column).filter(|kind| !kind.carries_oids()));
        let readings: Option<Vec<Reading>> = kinds.map(|kind| kind.map(Reading::of)).collect();
        Ok(readings.map(|readings| SentForm { words: format!("{readings:?}"), rows: Arc::new(Tuple(readings)) }))
    }

    /// Cuts a table at blocks, where a scan of a range of blocks reads nothing else.
    pub(super) async fn cut(&mut self, rowset: &Rowset, at_most: usize) -> Result<Vec<Part>, EngineError> {
        let relation = self.stored(&rowset.table).await?;
        let count = (relation.blocks / BLOCKS_AT_LEAST).min(at_most as i64);
        if !relation.has_ranges() || count < 2 {
            return Ok(vec![Part::Whole]);
        }
        let bound = |number: i64| (1..count).contains(&number).then(|| (relation.blocks * number / count) << 16);
        // Blocks that come after the snapshot hold nothing that it sees.
        Ok((0..count).map(|number| Part::Between(bound(number), bound(number + 1))).collect())
    }

    /// What ends a statement of the open transaction. Only a transaction that has a savepoint to go back to outlives that.
    async fn cancel(&mut self, doing: &str) -> Result<Option<Cancel>, EngineError> {
        if !(self.in_transaction && self.reads_only) {
            return Ok(None);
        }
        if self.process.is_none() {
            let rows = self.texts(doing, "SELECT pg_catalog.pg_backend_pid()").await?;
            self.process = rows.into_iter().flatten().next().flatten().and_then(|number| number.parse().ok());
        }
        Ok(self.process.map(|process| Cancel { options: self.options.clone(), process }))
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
        mut rows: Rows,
        sink: &mut dyn RowSink,
        cancel: Option<&Cancel>,
    ) -> Result<(u64, ControlFlow<()>), EngineError> {
        let place = self.place.clone();
        let failed = |error| super::error::on_statement(&place, doing, error);
        let mut stream = self.connection.copy_out_raw(copy).await.map_err(failed)?;
        let mut is_stopped = false;
        let ended = loop {
            match stream.try_next().await {
                Ok(Some(chunk)) => {
                    let flow = rows.feed(&chunk, sink);
                    let flow = flow.map_err(|what| EngineError::Unexpected { doing: doing.to_owned(), what })?;
                    if flow.is_break() {
                        is_stopped = true;
                        // The server looks for requests only between rows that it got rid of.
                        let rest = stream.by_ref().try_for_each(|_| ready(Ok(())));
                        break tokio::join!(rest, OptionFuture::from(cancel.map(Cancel::ask))).0;
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(stream);
        match ended {
            Err(error) if is_stopped && cancel.is_some() && cancel::is_canceled(&error) => {}
            Err(error) => {
                self.midway = !matches!(error, sqlx::Error::Database(_));
                return Err(failed(error));
            }
            Ok(()) => {}
        }
        if is_stopped {
            if cancel.is_some() {
                self.midway = false;
                self.recover().await?;
            }
            return Ok((rows.seen(), ControlFlow::Break(())));
        }
        let seen = rows.finish().map_err(|what| EngineError::Unexpected { doing: doing.to_owned(), what })?;
        Ok((seen, ControlFlow::Continue(())))
    }

    /// A table as it stands in FROM: `ONLY` keeps inheritance children out, but would find a partitioned table empty.
    pub(super) async fn relation(&mut self, table: &TableName) -> Result<String, EngineError> {
        Ok(self.stored(table).await?.from)
    }

    /// How a table is stored.
    pub(super) async fn stored(&mut self, table: &TableName) -> Result<Relation, EngineError> {
        let doing = format!("looking for {table}");
        let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        let rows = self.bound(&doing, RELATION, &[Some(schema), Some(&table.name)]).await?;
        let quoted = PostgresDialect.table(table);
        let [kind, access, blocks, server] = rows
            .into_iter()
            .next()
            .and_then(|row| row.try_into().ok())
            // What is not there is left for the server to complain about.
            .unwrap_or([const { None }; 4]);
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or_default();
        let is_partitioned = kind.as_deref() == Some("p");
        Ok(Relation {
            from: if is_partitioned { quoted } else { format!("ONLY {quoted}") },
            has_addresses: matches!(kind.as_deref(), Some("r" | "m")) && access.as_deref() == Some("heap"),
            blocks: number(blocks),
            server: number(server),
        })
    }

    /// The columns' types by name.
    pub(super) async fn column_types(&mut self, table: &TableName) -> Result<HashMap<String, PgType>, EngineError> {
        let doing = format!("reading the columns of {table}");
        let schema = table.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
        let place = (schema.to_owned(), table.name.clone());
        if self.types == Types::Wanted {
            let rows = self.bound(&doing, COLUMN_TYPES, &[None, None]).await?;
            self.types = Types::Known(by_table(&doing, rows)?);
        }
        if let Types::Known(known) = &self.types
            && let Some(types) = known.get(&place)
        {
            return Ok(types.clone());
        }
        let rows = self.bound(&doing, COLUMN_TYPES, &[Some(schema), Some(&table.name)]).await?;
        if self.types == Types::Unasked {
            self.types = Types::Wanted;
        }
        Ok(by_table(&doing, rows)?.remove(&place).unwrap_or_default())
    }
}
