//! PostgreSQL's SQL: quoting, types, and statements that create tables.

use super::{
    script::{Depth, LEXICON},
    specimen::specimen,
};
use crate::{
    engine::{
        Dialect, PlanSql, Questions, SchemaScript,
        script::{self, ScriptError, Statement},
        select::Objects,
    },
    model::{
        LogicalType, TableName,
        catalogue::{Column, ForeignKey, Generation, Index, IndexPart, Key, Table},
    },
};

/// How PostgreSQL's SQL differs from others'.
#[derive(Debug)]
pub struct PostgresDialect;

/// A condition that holds if a table, or a partition of it, was rewritten or emptied (`ALTER TABLE`, `TRUNCATE`) after this
/// transaction's snapshot was taken: to the snapshot it looks empty
/// (<https://www.postgresql.org/docs/current/mvcc-caveats.html>). The catalogue's row is that of the snapshot, and what the
/// function says is of this moment.
pub(super) fn is_rewritten(table: &TableName) -> String {
    let name = PostgresDialect.table(table).replace('\'', "''");
    format!(
        "EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relfilenode <> 0 \
         AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid) AND c.oid IN \
         (SELECT '{name}'::regclass UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree('{name}'::regclass)))"
    )
}

impl script::Settings for PostgresDialect {}

impl Questions for PostgresDialect {
    fn readiness(&self) -> &'static str {
        include_str!("readiness.sql")
    }

    fn plan_of(&self) -> PlanSql {
        PlanSql { explain: "EXPLAIN (COSTS OFF) ", estimates: &[] }
    }
}

impl Dialect for PostgresDialect {
    fn message_is_transaction(&self) -> bool {
        true
    }

    /// `active_sql_transaction`: `CREATE INDEX CONCURRENTLY`, `VACUUM` and their like.
    fn refuses_transaction(&self, error: &crate::engine::EngineError) -> bool {
        matches!(error, crate::engine::EngineError::Refused { code: Some(code), .. } if code == "25001")
    }

    fn analyze(&self, table: &TableName) -> Option<String> {
        Some(format!("ANALYZE {}", self.table(table)))
    }

    /// Doubles quotes inside the identifier. A NUL cannot be quoted and stays: the session refuses every statement that
    /// holds one before it is sent.
    fn quote(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn is_empty(&self, table: &TableName) -> String {
        format!("NOT EXISTS (SELECT 1 FROM {}) AND NOT {}", self.table(table), is_rewritten(table))
    }

    fn table(&self, name: &TableName) -> String {
        format!("{}.{}", self.quote(name.schema.as_deref().unwrap_or(super::DEFAULT_SCHEMA)), self.quote(&name.name))
    }

    fn as_text(&self, sql: &str) -> String {
        format!("({sql})::text")
    }

    fn is_text(&self, text: &str, literal: &str) -> String {
        format!("{text} COLLATE \"C\" = {literal}")
    }

    /// Enumerations and sets are declared as text: their type would have to be created first. `Any` is text, because text can
    /// hold every value's spelling.
    fn declare(&self, kind: &LogicalType) -> Option<String> {
        Some(match kind {
            LogicalType::Boolean => "boolean".to_owned(),
            LogicalType::Integer { bits: ..=16 } => "smallint".to_owned(),
            LogicalType::Integer { bits: 17..=32 } => "integer".to_owned(),
            LogicalType::Integer { bits: 33..=64 } => "bigint".to_owned(),
            LogicalType::Integer { .. } => "numeric".to_owned(),
            LogicalType::Decimal { precision: Some(precision @ 1..=1000), scale: Some(scale) } => {
                format!("numeric({precision},{scale})")
            }
            LogicalType::Decimal { precision: Some(precision @ 1..=1000), scale: None } => {
                format!("numeric({precision})")
            }
            LogicalType::Decimal { .. } => "numeric".to_owned(),
            LogicalType::Float32 => "real".to_owned(),
            LogicalType::Float64 => "double precision".to_owned(),
            // 10,485,760 is the longest varchar; a longer limit is none in practice.
            LogicalType::Text { limit: Some(limit @ 1..=10_485_760) } => format!("character varying({limit})"),
            LogicalType::Text { .. } | LogicalType::Any | LogicalType::Enum { .. } | LogicalType::Set { .. } => {
                "text".to_owned()
            }
            LogicalType::PaddedText { length } => format!("character({length})"),
            LogicalType::Bytes => "bytea".to_owned(),
            LogicalType::Uuid => "uuid".to_owned(),
            LogicalType::Date => "date".to_owned(),
            LogicalType::Time => "time without time zone".to_owned(),
            LogicalType::TimeTz => "time with time zone".to_owned(),
            LogicalType::Timestamp => "timestamp without time zone".to_owned(),
            LogicalType::TimestampTz => "timestamp with time zone".to_owned(),
            LogicalType::Interval => "interval".to_owned(),
            LogicalType::Json { binary: false } => "json".to_owned(),
            LogicalType::Json { binary: true } => "jsonb".to_owned(),
            LogicalType::Bits => "bit varying".to_owned(),
            LogicalType::Network => "inet".to_owned(),
            LogicalType::MacAddress => "macaddr8".to_owned(),
            LogicalType::Array(element) => format!("{}[]", self.declare(element)?),
            LogicalType::Range(_)
            | LogicalType::Multirange(_)
            | LogicalType::Map
            | LogicalType::Composite(_)
            | LogicalType::Printed(_)
            | LogicalType::Other(_) => return None,
        })
    }

    fn current_moment(&self, kind: &LogicalType) -> Option<&'static str> {
        Some(match kind {
            LogicalType::TimestampTz => "CURRENT_TIMESTAMP",
            LogicalType::Timestamp => "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
            LogicalType::Date => "CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS date)",
            LogicalType::Time => "CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS time)",
            _ => return None,
        })
    }

    /// Large objects, by columns of `oid` or the `lo` of the extension of that name
    /// (<https://www.postgresql.org/docs/current/lo.html>).
    fn kept_apart(&self, column: &Column) -> Option<(TableName, &'static str)> {
        let names = matches!(column.declared.rsplit('.').next(), Some("oid" | "lo"));
        names.then(|| (TableName::in_schema("pg_catalog", "pg_largeobject_metadata"), "oid"))
    }

    fn specimen(&self, column: &Column, number: u64) -> Option<String> {
        specimen(column, number)
    }

    fn split<'a>(&self, script: &'a str) -> Result<Vec<Statement<'a>>, ScriptError> {
        script::split(script, &LEXICON, &mut Depth::default())
    }

    /// Defaults, generated columns, checks and predicates are taken as they stand: they have to be in this engine's SQL.
    fn create_tables(&self, tables: &[Table]) -> SchemaScript {
        let mut script = SchemaScript::default();
        for table in tables {
            script.create.push(self.create_table(table));
            script.finish.extend(table.indexes.iter().filter(|index| index.valid).map(|i| self.create_index(table, i)));
        }
        // Foreign keys last of all: they need the unique indexes of every parent.
        for table in tables {
            script.finish.extend(table.foreign_keys.iter().map(|key| self.add_foreign_key(table, key)));
        }
        if !tables.is_empty() {
            // One statement, because tables may refer to each other in circles.
            let names: Vec<_> = tables.iter().map(|table| self.table(&table.name)).collect();
            script.drop.push(format!("DROP TABLE IF EXISTS {}", names.join(", ")));
        }
        script
    }
}

impl Objects for PostgresDialect {
    fn json(&self, value: &str, kind: &LogicalType) -> String {
        let is_word = matches!(
            kind,
            LogicalType::Boolean
                | LogicalType::Integer { .. }
                | LogicalType::Decimal { .. }
                | LogicalType::Float32
                | LogicalType::Float64
        );
        let value = if is_word { value.to_owned() } else { self.as_text(value) };
        format!("coalesce(to_json({value})::text, 'null')")
    }
}

impl PostgresDialect {
    fn create_table(&self, table: &Table) -> String {
        let mut parts: Vec<String> = table.columns.iter().map(|column| self.column(column)).collect();
        let name = |name: &Option<String>| {
            name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", self.quote(name)))
        };
        // A unique key that an index of the same name keeps comes with that index.
        let is_index = |key: &&Key| table.indexes.iter().any(|index| Some(&index.name) == key.name.as_ref());
        let uniques = table.uniques.iter().filter(|key| !is_index(key)).map(|key| ("UNIQUE", key));
        for (kind, key) in table.primary_key.iter().map(|key| ("PRIMARY KEY", key)).chain(uniques) {
            parts.push(format!("{}{kind} ({})", name(&key.name), self.columns(&key.columns)));
        }
        let checks = table.checks.iter();
        parts.extend(checks.map(|check| format!("{}CHECK ({})", name(&check.name), check.expression)));
        format!("CREATE TABLE {} (\n    {}\n)", self.table(&table.name), parts.join(",\n    "))
    }

    fn column(&self, column: &Column) -> String {
        let mut sql = format!("{} {}", self.quote(&column.name), column.declared);
        if let Some(collation) = &column.collation {
            sql += &format!(" COLLATE {}", self.quote(collation));
        }
        match &column.generation {
            // BY DEFAULT also for what was ALWAYS: the rows to be loaded bring their own values.
            Generation::IdentityAlways | Generation::IdentityByDefault | Generation::RowId { .. } => {
                sql += " GENERATED BY DEFAULT AS IDENTITY";
            }
            // Before version 18 there are only stored ones, and a stored one holds what a virtual one would show.
            Generation::Computed { expression, .. } => sql += &format!(" GENERATED ALWAYS AS ({expression}) STORED"),
            Generation::None => {
                if let Some(default) = &column.default {
                    sql += &format!(" DEFAULT {default}");
                }
            }
        }
        if !column.nullable {
            sql += " NOT NULL";
        }
        sql
    }

    fn create_index(&self, table: &Table, index: &Index) -> String {
        let part = |part: &IndexPart| {
            let mut sql = match (&part.column, &part.expression) {
                (Some(column), _) => self.quote(column),
                (None, expression) => format!("({})", expression.as_deref().unwrap_or("NULL")),
            };
            if let Some(collation) = &part.collation {
                sql += &format!(" COLLATE {}", self.quote(collation));
            }
            if part.descending {
                sql += " DESC";
            }
            sql
        };
        let parts: Vec<_> = index.parts.iter().map(part).collect();
        format!(
            "CREATE {}INDEX {} ON {}{} ({}){}",
            if index.unique { "UNIQUE " } else { "" },
            self.quote(&index.name),
            self.table(&table.name),
            index.method.as_ref().map_or_else(String::new, |method| format!(" USING {}", self.quote(method))),
            parts.join(", "),
            index.predicate.as_ref().map_or_else(String::new, |predicate| format!(" WHERE {predicate}")),
        )
    }

    fn add_foreign_key(&self, table: &Table, key: &ForeignKey) -> String {
        // A key that names no columns of the parent refers to its primary key.
        let parent_columns = match key.parent_columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", self.columns(columns)),
        };
        format!(
            "ALTER TABLE {} ADD {}FOREIGN KEY ({}) REFERENCES {}{parent_columns}{} ON UPDATE {} ON DELETE {}{}{}",
            self.table(&table.name),
            key.name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", self.quote(name))),
            self.columns(&key.columns),
            self.table(&key.parent),
            if key.match_full { " MATCH FULL" } else { "" },
            key.on_update,
            key.on_delete,
            match key.deferrable {
                None => "",
                Some(false) => " DEFERRABLE",
                Some(true) => " DEFERRABLE INITIALLY DEFERRED",
            },
            if key.validated { "" } else { " NOT VALID" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_identifiers_are_doubled() {
        let name = TableName::in_schema("s", "a\"; DROP TABLE x; --");
        assert_eq!(PostgresDialect.table(&name), "\"s\".\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(PostgresDialect.table(&TableName::new("t")), "\"public\".\"t\"");
    }

    #[test]
    fn types_that_need_a_type_of_their_own_are_not_invented() {
        assert_eq!(PostgresDialect.declare(&LogicalType::Other("tsvector".to_owned())), None);
        let array = LogicalType::Array(Box::new(LogicalType::Text { limit: Some(5) }));
        assert_eq!(PostgresDialect.declare(&array).as_deref(), Some("character varying(5)[]"));
    }
}
