//! MariaDB's SQL: quoting and types.

use super::script::{Compound, LEXICON};
use super::{create, specimen};
use crate::{
    engine::{
        Dialect, PlanSql, Questions, SchemaScript,
        script::{self, ScriptError, Statement},
        select::Objects,
    },
    model::{
        LogicalType, TableName,
        catalogue::{Column, Table},
    },
};

/// How MariaDB's SQL differs from others'.
#[derive(Debug)]
pub struct MariaDbDialect;

impl Objects for MariaDbDialect {
    fn json(&self, value: &str, kind: &LogicalType) -> String {
        let text = self.as_text(value);
        let string = |text: &str| format!("coalesce(json_quote({text}), 'null')");
        // Zeroes behind the last digit of a second come with the type.
        let moment = || {
            let (zeroes, point) = (format!("trim(TRAILING '0' FROM {text})"), "trim(TRAILING '.' FROM");
            format!("CASE WHEN {text} LIKE '%.%' THEN {point} {zeroes}) ELSE {text} END")
        };
        match kind {
            LogicalType::Boolean => {
                format!("CASE {value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE coalesce({text}, 'null') END")
            }
            // Zeroes before the first digit, which a column may ask for, are gone by that.
            LogicalType::Integer { .. } | LogicalType::Decimal { .. } => {
                format!("coalesce({}, 'null')", self.as_text(&format!("({value} + 0)")))
            }
            LogicalType::Float32 | LogicalType::Float64 => format!("coalesce({text}, 'null')"),
            LogicalType::Time | LogicalType::Timestamp => string(&moment()),
            LogicalType::TimestampTz => string(&format!("concat({}, '+00')", moment())),
            _ => string(&text),
        }
    }

    fn joined(&self, texts: &[String]) -> String {
        format!("concat({})", texts.join(", "))
    }
}

impl script::Settings for MariaDbDialect {}

impl Questions for MariaDbDialect {
    fn readiness(&self) -> &'static str {
        include_str!("readiness.sql")
    }

    fn plan_of(&self) -> PlanSql {
        // https://mariadb.com/kb/en/explain/: the ninth column is the number of rows that it reckons with.
        PlanSql { explain: "EXPLAIN ", estimates: &[8] }
    }
}

impl Dialect for MariaDbDialect {
    fn transactions_hold_ddl(&self) -> bool {
        false
    }

    fn analyze(&self, table: &TableName) -> Option<String> {
        Some(format!("ANALYZE TABLE {}", self.table(table)))
    }

    fn heeds_references(&self, heeds: bool) -> Option<&'static str> {
        Some(if heeds { "SET SESSION foreign_key_checks = 1" } else { "SET SESSION foreign_key_checks = 0" })
    }

    /// Doubles backticks inside the identifier. A NUL cannot be quoted and stays: the session refuses every statement that
    /// holds one before it is sent.
    fn quote(&self, identifier: &str) -> String {
        format!("`{}`", identifier.replace('`', "``"))
    }

    /// A table without a schema is in the session's own database, whose name nobody but the session knows.
    fn table(&self, name: &TableName) -> String {
        match &name.schema {
            Some(schema) => format!("{}.{}", self.quote(schema), self.quote(&name.name)),
            None => self.quote(&name.name),
        }
    }

    fn literal(&self, text: &str) -> String {
        literal(text)
    }

    fn as_text(&self, sql: &str) -> String {
        format!("CONVERT({sql} USING utf8mb4)")
    }

    fn is_text(&self, text: &str, literal: &str) -> String {
        format!("BINARY {text} = BINARY {literal}")
    }

    /// Spans, arrays and strings of bits have no type here. A decimal without limits gets the one that holds most: 27
    /// digits before the point and 38 after it. Instants are `timestamp`, which ends in 2038 (from 11.5 on, in 2106) and
    /// refuses what lies beyond; JSON by value is JSON as written.
    fn declare(&self, kind: &LogicalType) -> Option<String> {
        Some(match kind {
            LogicalType::Boolean => "tinyint(1)".to_owned(),
            LogicalType::Integer { bits: ..=16 } => "smallint".to_owned(),
            LogicalType::Integer { bits: 17..=32 } => "int".to_owned(),
            LogicalType::Integer { bits: 33..=64 } => "bigint".to_owned(),
            LogicalType::Integer { .. } => "decimal(65,0)".to_owned(),
            LogicalType::Decimal { precision: Some(precision @ 1..=65), scale } => {
                let scale = scale.unwrap_or_default();
                if !(0..=38).contains(&scale) {
                    return None;
                }
                format!("decimal({precision},{scale})")
            }
            LogicalType::Decimal { .. } => "decimal(65,38)".to_owned(),
            LogicalType::Float32 => "float".to_owned(),
            LogicalType::Float64 => "double".to_owned(),
            // Rows of varchars share 65,535 bytes; a longer limit is better kept outside the row.
            LogicalType::Text { limit: Some(limit @ 1..=1000) } => format!("varchar({limit})"),
            LogicalType::Text { .. } | LogicalType::Any => "longtext".to_owned(),
            LogicalType::PaddedText { length: length @ ..=255 } => format!("char({length})"),
            LogicalType::PaddedText { length } => return self.declare(&LogicalType::Text { limit: Some(*length) }),
            LogicalType::Bytes => "longblob".to_owned(),
            LogicalType::Uuid => "uuid".to_owned(),
            LogicalType::Date => "date".to_owned(),
            LogicalType::Time => "time(6)".to_owned(),
            LogicalType::Timestamp => "datetime(6)".to_owned(),
            LogicalType::TimestampTz => "timestamp(6)".to_owned(),
            LogicalType::Json { .. } => "json".to_owned(),
            LogicalType::Enum { labels } => format!("enum({})", literals(labels)),
            LogicalType::Set { labels } => format!("set({})", literals(labels)),
            LogicalType::Interval
            | LogicalType::TimeTz
            | LogicalType::Bits
            | LogicalType::Network
            | LogicalType::MacAddress
            | LogicalType::Array(_)
            | LogicalType::Range(_)
            | LogicalType::Multirange(_)
            | LogicalType::Map
            | LogicalType::Composite(_)
            | LogicalType::Printed(_)
            | LogicalType::Other(_) => return None,
        })
    }

    fn drop_index(&self, table: &TableName, index: &str) -> String {
        format!("DROP INDEX IF EXISTS {} ON {}", self.quote(index), self.table(table))
    }

    fn current_moment(&self, kind: &LogicalType) -> Option<&'static str> {
        Some(match kind {
            LogicalType::TimestampTz => "CURRENT_TIMESTAMP(6)",
            LogicalType::Timestamp => "UTC_TIMESTAMP(6)",
            LogicalType::Date => "UTC_DATE()",
            LogicalType::Time => "UTC_TIME(6)",
            _ => return None,
        })
    }

    fn specimen(&self, column: &Column, number: u64) -> Option<String> {
        specimen::specimen(column, number)
    }

    fn bounds(&self, column: &Column) -> Option<(i64, i64)> {
        specimen::bounds(column)
    }

    fn split<'a>(&self, script: &'a str) -> Result<Vec<Statement<'a>>, ScriptError> {
        script::split(script, &LEXICON, &mut Compound::default())
    }

    /// Defaults, generated columns and checks are taken as they stand: they have to be in this engine's SQL. See
    /// the module `create` for what this engine does not have.
    fn create_tables(&self, tables: &[Table]) -> SchemaScript {
        create::tables(tables)
    }
}

/// A text as a literal of a statement, for names in questions about the catalogue and for labels.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A name as it is, of one in backticks.
pub(super) fn unquoted(name: &str) -> String {
    let inside = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
    inside.unwrap_or(name).replace("``", "`")
}

/// Literals with commas between them.
fn literals(texts: &[String]) -> String {
    texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_inside_identifiers_are_doubled() {
        let name = TableName::in_schema("s", "a`; DROP TABLE x; --");
        assert_eq!(MariaDbDialect.table(&name), "`s`.`a``; DROP TABLE x; --`");
        assert_eq!(MariaDbDialect.table(&TableName::new("t")), "`t`");
        assert_eq!(literal("it's a \\"), "'it''s a \\\\'");
    }
}
