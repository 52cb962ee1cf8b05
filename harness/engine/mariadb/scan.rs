//! Scans: one prepared SELECT into a sink.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, query};

use super::{
    MariaDbDialect,
    dialect::literal,
    error,
    queries::schema_of,
    session::{MariaDbSession, bytes, whole},
    types::MariaType,
    wire::Reading,
};
use crate::{
    canon::{Cell, RowSink},
    engine::{Dialect, EngineError, Rowset, select},
    model::TableName,
};

/// The columns and their types: table, column, name of the type, whole type, whether it is JSON, collation.
///
/// MariaDB's `json` is a text of which a constraint of the column's own name says that it is valid JSON.
pub(super) const COLUMN_TYPES: &str = include_str!("introspect/column_types.sql");

impl MariaDbSession {
    /// Streams a rowset into a sink.
    ///
    /// The binary protocol is used because the text one rounds floats; texts of every character set come as UTF-8.
    pub(super) async fn stream(&mut self, rowset: &Rowset, sink: &mut dyn RowSink) -> Result<u64, EngineError> {
        let doing = format!("reading {}", rowset.table);
        let types = match rowset.terms.query {
            Some(_) => HashMap::new(),
            None => self.column_types(&rowset.table).await?,
        };
        let (mut columns, mut readings) = (Vec::new(), Vec::new());
        for column in &rowset.columns {
            let quoted = MariaDbDialect.quote(column);
            let stated = select::column(&MariaDbDialect, rowset, column, &quoted);
            // An unknown column is left for the server to complain about in its own words.
            readings.push(match &stated {
                Some(_) => Reading::of(&MariaType::text()),
                None => types.get(column).map_or(Reading::Opaque, Reading::of),
            });
            columns.push(stated.unwrap_or(quoted));
        }
        let columns = if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") };
        let from = select::from(rowset, MariaDbDialect.table(&rowset.table));
        let select = format!("SELECT {columns} FROM {from} AS t{}", select::tail(rowset));
        whole(&doing, &select)?;
        let place = self.place.clone();
        let failed = |error| error::on_statement(&place, &doing, error);
        let mut rows = query(AssertSqlSafe(select)).persistent(false).fetch(&mut self.connection);
        let (mut spare, mut seen) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            for (column, reading) in readings.iter().enumerate() {
                let cell = match bytes(&row, column).map_err(failed)? {
                    None => Cell::Null,
                    Some(bytes) => reading
                        .cell(bytes, &mut spare)
                        .map_err(|what| EngineError::Unexpected { doing: doing.clone(), what })?,
                };
                sink.cell(column, cell);
            }
            seen += 1;
            // What is left after a stop is read to its end by the driver before it sends the next statement.
            if sink.end_row().is_break() {
                break;
            }
        }
        Ok(seen)
    }

    /// The columns' types by name.
    pub(super) async fn column_types(&mut self, table: &TableName) -> Result<HashMap<String, MariaType>, EngineError> {
        let schema = schema_of(table);
        let sql = format!("{COLUMN_TYPES} WHERE c.table_schema = {schema} AND c.table_name = {}", literal(&table.name));
        let rows = self.texts(&format!("reading the columns of {table}"), &sql).await?;
        let mut types: HashMap<_, _> =
            rows.into_iter().filter_map(column_type).map(|(_, column, kind)| (column, kind)).collect();
        // The constraint that makes a text JSON is kept from a user with rights on single tables.
        let may_be_json = |kind: &MariaType| kind.name == "longtext" && !kind.json;
        if types.values().any(may_be_json) && !self.rights().await?.holds("SELECT") {
            let created = self.created(table).await?;
            types.iter_mut().for_each(|(column, kind)| kind.json |= created.is_json(column));
        }
        Ok(types)
    }
}

/// A row of [`COLUMN_TYPES`]: table, column, type.
pub(super) fn column_type(row: Vec<Option<String>>) -> Option<(String, String, MariaType)> {
    let [table, column, name, whole, json, collation]: [Option<String>; 6] = row.try_into().ok()?;
    Some((table?, column?, MariaType { name: name?, whole: whole?, json: json.as_deref() == Some("1"), collation }))
}
