//! PostgreSQL's SQL: quoting, types, and statements that create tables.

use crate::{
    engine::{Dialect, SchemaScript},
    model::{LogicalType, TableName, catalogue::Table},
};

/// How PostgreSQL's SQL differs from others'.
#[derive(Debug)]
pub struct PostgresDialect;

impl Dialect for PostgresDialect {
    /// Doubles quotes inside the identifier. A NUL cannot be quoted and stays: the session refuses every statement that
    /// holds one before it is sent.
    fn quote(&self, identifier: &str) -> String {
        format!("\"{}\"", identifier.replace('"', "\"\""))
    }

    fn table(&self, name: &TableName) -> String {
        format!("{}.{}", self.quote(name.schema.as_deref().unwrap_or("public")), self.quote(&name.name))
    }

    fn declare(&self, _kind: &LogicalType) -> Option<String> {
        None
    }

    fn create_tables(&self, _tables: &[Table]) -> SchemaScript {
        SchemaScript::default()
    }
}
