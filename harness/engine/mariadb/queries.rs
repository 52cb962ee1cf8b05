//! Questions about rows that the server answers itself, and what is done to whole tables.

use std::collections::{BTreeMap, HashMap};

use super::{MariaDbDialect, create::EXACT, dialect::literal, session::MariaDbSession, types::MariaType};
use crate::{
    engine::{Counted, Dialect, EngineError},
    model::{
        TableName,
        catalogue::{Reference, SequenceOwner},
    },
};

impl MariaDbSession {
    /// Counts rows whose reference dangles. Values of unlike types or collations are compared by their text, byte for byte.
    pub(super) async fn count_dangling(&mut self, reference: &Reference, sample: u32) -> Result<Counted, EngineError> {
        let doing = format!("looking for orphans of {reference}");
        let child_types = self.column_types(&reference.child).await?;
        let parent_types = self.column_types(&reference.parent).await?;
        let pairs = reference.columns.iter().zip(&reference.parent_columns);
        let equal: Vec<_> = pairs
            .map(|(column, parent_column)| {
                let (own, theirs) = (
                    format!("c.{}", MariaDbDialect.quote(column)),
                    format!("p.{}", MariaDbDialect.quote(parent_column)),
                );
                if comparable(child_types.get(column), parent_types.get(parent_column)) {
                    format!("{theirs} = {own}")
                } else {
                    format!("{} = {}", exact(&theirs), exact(&own))
                }
            })
            .collect();
        let quoted: Vec<_> = reference.columns.iter().map(|c| format!("c.{}", MariaDbDialect.quote(c))).collect();
        let given = |between: &str| quoted.iter().map(|c| format!("{c} IS NOT NULL")).collect::<Vec<_>>().join(between);
        let parent = MariaDbDialect.table(&reference.parent);
        let orphan = format!("NOT EXISTS (SELECT 1 FROM {parent} p WHERE {})", equal.join(" AND "));
        let condition = if reference.match_full {
            format!("({}) AND (NOT ({}) OR {orphan})", given(" OR "), given(" AND "))
        } else {
            format!("{} AND {orphan}", given(" AND "))
        };
        let from = format!("FROM {} c WHERE {condition}", MariaDbDialect.table(&reference.child));
        let shown = quoted.join(", ");
        let samples = format!("SELECT DISTINCT {shown} {from} ORDER BY {shown} LIMIT {sample}");
        self.counted(&doing, &format!("SELECT count(*) {from}"), &samples, sample).await
    }

    /// Counts the rows in excess of one for each value of a key, equal under the columns' own collations.
    pub(super) async fn count_duplicates(
        &mut self,
        table: &TableName,
        columns: &[String],
        collations: &[Option<String>],
        sample: u32,
    ) -> Result<Counted, EngineError> {
        let doing = format!("looking for duplicates in {table}");
        let key = |(at, column): (usize, &String)| match collations.get(at).and_then(Option::as_deref) {
            // The name of a collation is a word, and stands in no quotes.
            Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                format!("{} COLLATE {name}", MariaDbDialect.quote(column))
            }
            _ => MariaDbDialect.quote(column),
        };
        let keys: Vec<_> = columns.iter().enumerate().map(key).collect();
        let given = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        let shown = keys.join(", ");
        let table = MariaDbDialect.table(table);
        let from = format!("FROM {table} WHERE {given} GROUP BY {shown} HAVING count(*) > 1");
        let total = format!("SELECT coalesce(sum(excess), 0) FROM (SELECT count(*) - 1 AS excess {from}) d");
        self.counted(&doing, &total, &format!("SELECT {shown} {from} ORDER BY {shown} LIMIT {sample}"), sample).await
    }

    /// Rows of each partition of a partitioned table, subpartitions together.
    pub(super) async fn rows_of_partitions(&mut self, table: &TableName) -> Result<BTreeMap<String, u64>, EngineError> {
        let doing = format!("counting the rows of each partition of {table}");
        let named = format!(
            "SELECT DISTINCT partition_name FROM information_schema.partitions WHERE table_schema = {} \
             AND table_name = {} AND partition_name IS NOT NULL",
            schema_of(table),
            literal(&table.name)
        );
        let mut rows = BTreeMap::new();
        for name in self.texts(&doing, &named).await?.into_iter().flatten().flatten() {
            let (from, quoted) = (MariaDbDialect.table(table), MariaDbDialect.quote(&name));
            let counted = self.one(&doing, &format!("SELECT count(*) FROM {from} PARTITION ({quoted})")).await?;
            rows.extend(counted.and_then(|count| count.parse().ok()).map(|count| (format!("{table}.{name}"), count)));
        }
        Ok(rows)
    }

    /// Counts UUIDs that appear in more than one spelling; shows two spellings of each.
    pub(super) async fn count_spellings(
        &mut self,
        table: &TableName,
        column: &str,
        sample: u32,
    ) -> Result<Counted, EngineError> {
        let doing = format!("looking for spellings of UUIDs in {table}");
        let text = exact(&MariaDbDialect.quote(column));
        let folded = format!("lower(replace(replace(replace({text}, '-', ''), '{{', ''), '}}', ''))");
        let from = format!(
            "FROM {} WHERE {folded} REGEXP '^[0-9a-f]{{32}}$' GROUP BY {folded} HAVING min({text}) < max({text})",
            MariaDbDialect.table(table)
        );
        let samples = format!("SELECT min({text}), max({text}) {from} ORDER BY 1 LIMIT {sample}");
        self.counted(&doing, &format!("SELECT count(*) FROM (SELECT 1 {from}) d"), &samples, sample).await
    }

    /// Runs the count, and the sample if there is anything to show.
    async fn counted(&mut self, doing: &str, count: &str, samples: &str, sample: u32) -> Result<Counted, EngineError> {
        let total = self.one(doing, count).await?.and_then(|total| total.parse().ok());
        let total: u64 =
            total.ok_or_else(|| EngineError::Unexpected { doing: doing.to_owned(), what: "no count".to_owned() })?;
        let sample = if total > 0 && sample > 0 { self.texts(doing, samples).await? } else { Vec::new() };
        Ok(Counted { total, sample })
    }

    /// Sets every counter and sequence that feeds a column of these tables behind the largest value.
    pub(super) async fn set_counters(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        for sequence in self.sequences().await? {
            let Some(SequenceOwner { table, column }) = sequence.feeds.filter(|feed| tables.contains(&feed.table))
            else {
                continue;
            };
            let doing = format!("setting the counter {}", sequence.name);
            let (from, column) = (MariaDbDialect.table(&table), MariaDbDialect.quote(&column));
            // Keys below the start, negative ones above all, leave a counter there.
            let largest = self.one(&doing, &format!("SELECT max({column}) FROM {from} WHERE {column} > 0")).await?;
            let largest: i128 = largest.and_then(|largest| largest.parse().ok()).unwrap_or_default();
            // Where the type ends, the counter stays: its next row is refused in any case.
            let next = (largest + 1).min(sequence.max);
            let sql = if sequence.name == table {
                format!("ALTER TABLE {from} AUTO_INCREMENT = {next}")
            } else {
                format!("ALTER SEQUENCE {} RESTART {next}", MariaDbDialect.table(&sequence.name))
            };
            self.run(&doing, &sql).await?;
        }
        Ok(())
    }

    /// Deletes all rows of these tables in one transaction (the open one, if one is) without looking at the keys between
    /// them, once it is sure that no row of another table refers to them.
    pub(super) async fn empty(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        let doing = "emptying tables";
        self.require_no_referrers(tables).await?;
        let inside = self.in_transaction().await?;
        if !inside {
            self.run(doing, "START TRANSACTION").await?;
        }
        for table in tables {
            let sql = format!("SET STATEMENT foreign_key_checks = 0 FOR DELETE FROM {}", MariaDbDialect.table(table));
            if let Err(error) = self.run(doing, &sql).await {
                if !inside {
                    // The first error is the one that matters.
                    let _ = self.run(doing, "ROLLBACK").await;
                }
                return Err(error);
            }
        }
        if inside {
            return Ok(());
        }
        self.run(doing, "COMMIT").await?;
        self.set_counters(tables).await
    }

    /// Refuses to go on where a table that is not among these has a row that refers to one of them.
    async fn require_no_referrers(&mut self, tables: &[TableName]) -> Result<(), EngineError> {
        let doing = "emptying tables";
        let mut keys: HashMap<(TableName, String, TableName), Vec<String>> = HashMap::new();
        for row in self.texts(doing, REFERRERS).await? {
            let [Some(schema), Some(child), Some(key), Some(column), Some(parent)]: [Option<String>; 5] =
                row.try_into().unwrap_or_default()
            else {
                continue;
            };
            let child = if schema.is_empty() { TableName::new(child) } else { TableName::in_schema(schema, child) };
            keys.entry((child, key, TableName::new(parent))).or_default().push(column);
        }
        for ((child, _, parent), columns) in keys {
            if !tables.contains(&parent) || tables.contains(&child) {
                continue;
            }
            let set = columns.iter().map(|column| format!("{} IS NOT NULL", MariaDbDialect.quote(column)));
            let set = set.collect::<Vec<_>>().join(" AND ");
            let sql = format!("SELECT 1 FROM {} WHERE {set} LIMIT 1", MariaDbDialect.table(&child));
            if self.one(doing, &sql).await?.is_some() {
                let source = format!("rows of {child} refer to {parent}").into();
                // The number with which the server itself says so.
                return Err(EngineError::Refused { doing: doing.to_owned(), code: Some("1451".to_owned()), source });
            }
        }
        Ok(())
    }
}

/// Columns of foreign keys that refer to tables of this database: schema (empty for this one), table, key, column, parent.
const REFERRERS: &str = "SELECT IF(k.table_schema = DATABASE(), '', k.table_schema), k.table_name, k.constraint_name, \
                         k.column_name, k.referenced_table_name FROM information_schema.key_column_usage k \
                         WHERE k.referenced_table_schema = DATABASE() ORDER BY k.ordinal_position";

/// A value as text that equals another one only if it has the same bytes.
fn exact(expression: &str) -> String {
    format!("CAST({expression} AS CHAR CHARACTER SET utf8mb4) COLLATE {EXACT}")
}

/// Whether `=` compares two types by value: the same type and collation, or two exact numbers.
fn comparable(child: Option<&MariaType>, parent: Option<&MariaType>) -> bool {
    const EXACT_NUMBERS: &[&str] = &["tinyint", "smallint", "mediumint", "int", "bigint", "decimal"];
    let (Some(child), Some(parent)) = (child, parent) else { return true };
    let numbers = [child, parent].iter().all(|kind| EXACT_NUMBERS.contains(&kind.name.as_str()));
    let texts = child.collation.is_some() && child.collation == parent.collation;
    numbers || texts || (child.name == parent.name && child.collation == parent.collation)
}

/// The schema and table of a name as literals for a question about the catalogue.
pub(super) fn schema_of(table: &TableName) -> String {
    table.schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal)
}
