//! Questions about rows that the server answers itself, and what is done to whole tables.

use std::collections::BTreeMap;

use super::{
    DEFAULT_SCHEMA, PostgresDialect,
    session::PostgresSession,
    types::{PgType, oid},
};
use crate::{
    engine::{Aside, AsideScript, Counted, Dialect, EngineError},
    model::{TableName, catalogue::Reference},
};

/// Which sequence feeds which column: sequence's schema and name, start, whether a table owns it, table's schema and
/// name, column, whether the column is numeric.
const FEEDS: &str = include_str!("introspect/feeds.sql");

/// Which table refers to which, as far as that is no matter of partitions.
const REFERENCES: &str = "SELECT DISTINCT cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text \
     FROM pg_catalog.pg_constraint k \
     JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace \
     JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace \
     WHERE k.contype = 'f' AND NOT c.relispartition AND NOT p.relispartition";

/// A sequence and the columns that it feeds.
struct Feed {
    sequence: String,
    owned: bool,
    ascending: bool,
    columns: Vec<(TableName, String)>,
}

impl PostgresSession {
    /// How keys and indexes, or triggers, of these tables are taken away and brought back.
    pub(super) async fn aside_scripts(
        &mut self,
        what: Aside,
        tables: &[TableName],
    ) -> Result<Vec<AsideScript>, EngineError> {
        let (doing, sql) = match what {
            Aside::Keys => ("reading keys and indexes", include_str!("keys.sql")),
            Aside::Triggers => ("reading triggers", include_str!("triggers.sql")),
        };
        let rows = self.texts(doing, sql).await?;
        let script = |row: Vec<Option<String>>| {
            let [Some(schema), Some(table), Some(drop), Some(add)]: [Option<String>; 4] = row.try_into().ok()? else {
                return None;
            };
            let is_asked =
                |name: &&TableName| name.name == table && name.schema.as_deref().unwrap_or(DEFAULT_SCHEMA) == schema;
            tables.iter().find(is_asked).map(|_| AsideScript { drop, add })
        };
        Ok(rows.into_iter().filter_map(script).collect())
    }

    /// Counts rows whose reference dangles. Values of unlike types are compared by their text.
    pub(super) async fn count_dangling(&mut self, reference: &Reference, sample: u32) -> Result<Counted, EngineError> {
        let doing = format!("looking for orphans of {reference}");
        let child = self.relation(&reference.child).await?;
        let parent = self.relation(&reference.parent).await?;
        let child_types = self.column_types(&reference.child).await?;
        let parent_types = self.column_types(&reference.parent).await?;
        let pairs = reference.columns.iter().zip(&reference.parent_columns);
        let equal: Vec<_> = pairs
            .map(|(column, parent_column)| {
                let (own, theirs) = (PostgresDialect.quote(column), PostgresDialect.quote(parent_column));
                if comparable(child_types.get(column), parent_types.get(parent_column)) {
                    format!("p.{theirs} = c.{own}")
                } else if is_uuid(child_types.get(column)) || is_uuid(parent_types.get(parent_column)) {
                    // Text spells a UUID in several ways.
                    format!("{} = {}", plain_uuid(&format!("p.{theirs}")), plain_uuid(&format!("c.{own}")))
                } else {
                    format!("p.{theirs}::text = c.{own}::text")
                }
            })
            .collect();
        let quoted: Vec<_> = reference.columns.iter().map(|c| format!("c.{}", PostgresDialect.quote(c))).collect();
        let all_given = quoted.iter().map(|c| format!("{c} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        let orphan = format!("NOT EXISTS (SELECT FROM {parent} p WHERE {})", equal.join(" AND "));
        let condition = if reference.match_full {
            let any_given = quoted.iter().map(|c| format!("{c} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
            format!("({any_given}) AND (NOT ({all_given}) OR {orphan})")
        } else {
            format!("{all_given} AND {orphan}")
        };
        let from = format!("FROM {child} c WHERE {condition}");
        let shown = texts_of(&quoted);
        let samples = format!("SELECT DISTINCT {shown} {from} ORDER BY {shown} LIMIT {sample}");
        self.counted(&doing, &format!("SELECT count(*) {from}"), &samples, sample).await
    }

    /// Counts the rows in excess of one for each value of a key.
    pub(super) async fn count_duplicates(
        &mut self,
        table: &TableName,
        columns: &[String],
        collations: &[Option<String>],
        sample: u32,
    ) -> Result<Counted, EngineError> {
        let doing = format!("looking for duplicates in {table}");
        let relation = self.relation(table).await?;
        let types = self.column_types(table).await?;
        // The types that have no equality are grouped by their text.
        let key = |(at, column): (usize, &String)| {
            let without_equality = types.get(column).is_some_and(|t| matches!(t.oid, oid::JSON | oid::XML));
            let under = collations.get(at).and_then(Option::as_deref);
            let under = under.map(|name| format!(" COLLATE {}", PostgresDialect.quote(name))).unwrap_or_default();
            format!("{}{}{under}", PostgresDialect.quote(column), if without_equality { "::text" } else { "" })
        };
        let keys: Vec<_> = columns.iter().enumerate().map(key).collect();
        let given = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        let grouped = keys.join(", ");
        let from = format!("FROM {relation} WHERE {given} GROUP BY {grouped} HAVING count(*) > 1");
        let total = format!("SELECT coalesce(sum(excess), 0)::bigint FROM (SELECT count(*) - 1 AS excess {from}) d");
        let shown = texts_of(&keys);
        self.counted(&doing, &total, &format!("SELECT {shown} {from} ORDER BY {shown} LIMIT {sample}"), sample).await
    }

    /// Rows of each leaf of a partitioned table.
    pub(super) async fn rows_of_partitions(&mut self, table: &TableName) -> Result<BTreeMap<String, u64>, EngineError> {
        let doing = format!("counting the rows of each partition of {table}");
        let sql = format!(
            "SELECT n.nspname::text, c.relname::text, count(*)::text FROM {} t \
             JOIN pg_catalog.pg_class c ON c.oid = t.tableoid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relispartition GROUP BY 1, 2",
            PostgresDialect.table(table)
        );
        let count = |row: Vec<Option<String>>| {
            let [Some(schema), Some(name), Some(rows)]: [Option<String>; 3] = row.try_into().ok()? else { return None };
            Some((table_name(schema, name).to_string(), rows.parse().ok()?))
        };
        Ok(self.texts(&doing, &sql).await?.into_iter().filter_map(count).collect())
    }

    /// Counts UUIDs that appear in more than one spelling; shows two spellings of each.
    pub(super) async fn count_spellings(
        &mut self,
        table: &TableName,
        column: &str,
        sample: u32,
    ) -> Result<Counted, EngineError> {
        let doing = format!("looking for spellings of UUIDs in {table}");
        let relation = self.relation(table).await?;
        // The C collation tells spellings apart that the column's own may hold equal.
        let text = format!("{}::text COLLATE \"C\"", PostgresDialect.quote(column));
        let folded = format!("lower(translate({text}, '{{}}-', ''))");
        let from = format!(
            "FROM {relation} WHERE {folded} ~ '^[0-9a-f]{{32}}$' GROUP BY {folded} HAVING min({text}) < max({text})"
        );
        let samples = format!("SELECT min({text}), max({text}) {from} ORDER BY 1 LIMIT {sample}");
        self.counted(&doing, &format!("SELECT count(*) FROM (SELECT {from}) d"), &samples, sample).await
    }

    /// Runs the count, and the sample if there is anything to show.
    async fn counted(&mut self, doing: &str, count: &str, samples: &str, sample: u32) -> Result<Counted, EngineError> {
        let rows = self.texts(doing, count).await?;
        let total = rows.first().and_then(|row| row[0].as_deref()).and_then(|total| total.parse().ok());
        let total: u64 =
            total.ok_or_else(|| EngineError::Unexpected { doing: doing.to_owned(), what: "no count".to_owned() })?;
        let sample = if total > 0 && sample > 0 { self.texts(doing, samples).await? } else { Vec::new() };
        Ok(Counted { total, sample })
    }

    /// Sets every sequence that feeds a numeric column of these tables to the value after the largest (for one that
    /// counts down, smallest) in all columns that it feeds, also those of other tables; without rows, to its start.
    pub(super) async fn set_sequences(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        for feed in self.feeds(tables).await? {
            let doing = format!("setting the sequence {}", feed.sequence);
            let extreme = if feed.ascending { "max" } else { "min" };
            let column = |(table, column): &(TableName, String)| {
                let (table, column) = (PostgresDialect.table(table), PostgresDialect.quote(column));
                format!("SELECT {extreme}({column})::numeric AS last FROM {table}")
            };
            let columns: Vec<_> = feed.columns.iter().map(column).collect();
            // A last value outside the sequence's range on its near side (negative keys) leaves it at its start.
            let sql = format!(
                "SELECT CASE WHEN d.last IS NULL OR {beyond} \
                 THEN pg_catalog.setval(s.seqrelid::regclass, s.seqstart, false) \
                 ELSE pg_catalog.setval(s.seqrelid::regclass, d.last::bigint, true) END::text \
                 FROM (SELECT {extreme}(last) AS last FROM ({columns}) u) d, pg_catalog.pg_sequence s \
                 WHERE s.seqrelid = $1::text::regclass",
                beyond = if feed.ascending { "d.last < s.seqmin" } else { "d.last > s.seqmax" },
                columns = columns.join(" UNION ALL "),
            );
            self.bound(&doing, &sql, &[Some(&feed.sequence)]).await?;
        }
        Ok(())
    }

    /// Empties these tables in one statement; sequences that only these tables draw from start again.
    pub(super) async fn empty(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        if tables.is_empty() {
            return Ok(());
        }
        let mut relations = Vec::new();
        let children = self.children(tables).await?;
        // Locks are taken children first, as whoever still loads for a process that is gone takes them: rows, then the parents
        // that they name.
        for table in tables.iter().chain(children.iter().flatten()).rev() {
            relations.push(self.relation(table).await?);
        }
        // TRUNCATE does not look whether rows of other tables refer to one of these. Deleting does, in one statement, at whose
        // end the keys are checked. Counters stay ahead then.
        let deletes = relations.iter().enumerate().map(|(at, table)| format!("t{at} AS (DELETE FROM {table})"));
        let deletes = format!("WITH {} SELECT 1", deletes.collect::<Vec<_>>().join(", "));
        if children.is_none() {
            return self.run("emptying tables", &deletes).await;
        }
        let mut script = format!("TRUNCATE {} RESTART IDENTITY", relations.join(", "));
        for feed in self.feeds(tables).await? {
            // RESTART IDENTITY takes care of those that a column owns.
            if !feed.owned && feed.columns.iter().all(|(table, _)| tables.contains(table)) {
                script += &format!("; ALTER SEQUENCE {} RESTART", feed.sequence);
            }
        }
        match self.run("emptying tables", &script).await {
            // TRUNCATE begins with new files, for which a full disk has no room. Deleting needs none.
            Err(EngineError::Full { .. }) => self.run("emptying tables", &deletes).await,
            outcome => outcome,
        }
    }

    /// Tables that refer to these, directly or not, and have no rows: TRUNCATE wants them named, and they lose nothing. `None`, if
    /// one of them has rows.
    async fn children(&mut self, tables: &[TableName]) -> Result<Option<Vec<TableName>>, EngineError> {
        let doing = "looking for references";
        let mut pairs = Vec::new();
        for row in self.texts(doing, REFERENCES).await? {
            if let Ok([Some(schema), Some(child), Some(of_parent), Some(parent)]) = <[Option<String>; 4]>::try_from(row)
            {
                pairs.push((table_name(schema, child), table_name(of_parent, parent)));
            }
        }
        let mut children: Vec<TableName> = Vec::new();
        loop {
            let is_known = |name: &TableName| tables.contains(name) || children.contains(name);
            let Some((child, _)) = pairs.iter().find(|(child, parent)| is_known(parent) && !is_known(child)) else {
                break;
            };
            let sql = format!("SELECT 1 FROM {} LIMIT 1", PostgresDialect.table(child));
            if !self.texts(doing, &sql).await?.is_empty() {
                return Ok(None);
            }
            children.push(child.clone());
        }
        Ok(Some(children))
    }

    /// The sequences that feed columns of these tables, each with all numeric columns that it feeds anywhere.
    async fn feeds(&mut self, tables: &[TableName]) -> Result<Vec<Feed>, EngineError> {
        let mut feeds: BTreeMap<String, Feed> = BTreeMap::new();
        for row in self.texts("looking for sequences", FEEDS).await? {
            let [
                Some(schema),
                Some(name),
                Some(owned),
                Some(ascending),
                Some(table_schema),
                Some(table),
                Some(column),
                Some(numeric),
            ]: [Option<String>; 8] = row.try_into().unwrap_or_default()
            else {
                continue;
            };
            let sequence = PostgresDialect.table(&table_name(schema, name));
            let feed = feeds.entry(sequence.clone()).or_insert_with(|| Feed {
                sequence,
                owned: false,
                ascending: ascending == "t",
                columns: Vec::new(),
            });
            feed.owned |= owned == "t";
            if numeric == "t" {
                feed.columns.push((table_name(table_schema, table), column));
            }
        }
        let wanted = |feed: &Feed| feed.columns.iter().any(|(table, _)| tables.contains(table));
        Ok(feeds.into_values().filter(wanted).collect())
    }
}

/// A name as the model spells it.
pub(super) fn table_name(schema: String, name: String) -> TableName {
    if schema == DEFAULT_SCHEMA { TableName::new(name) } else { TableName::in_schema(schema, name) }
}

fn is_uuid(kind: Option<&PgType>) -> bool {
    kind.is_some_and(|kind| kind.oid == oid::UUID)
}

/// A UUID in any spelling as its digits in lower case.
fn plain_uuid(expression: &str) -> String {
    format!("translate(lower({expression}::text), '{{}}-', '')")
}

/// A list of columns as text.
fn texts_of(columns: &[String]) -> String {
    columns.iter().map(|column| format!("({column})::text")).collect::<Vec<_>>().join(", ")
}

/// Whether `=` compares two types by value: the same type, or two of one family that PostgreSQL has operators for.
fn comparable(child: Option<&PgType>, parent: Option<&PgType>) -> bool {
    const NUMBERS: &[u32] = &[oid::INT2, oid::INT4, oid::INT8, oid::FLOAT4, oid::FLOAT8, oid::NUMERIC];
    const TEXTS: &[u32] = &[oid::TEXT, oid::VARCHAR];
    const TIMES: &[u32] = &[oid::DATE, oid::TIMESTAMP, oid::TIMESTAMPTZ];
    let (Some(child), Some(parent)) = (child, parent) else { return true };
    child.oid == parent.oid
        || [NUMBERS, TEXTS, TIMES].iter().any(|family| family.contains(&child.oid) && family.contains(&parent.oid))
}
