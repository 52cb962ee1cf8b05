//! A fence of triggers, which no statement switches off.

use super::dialect::SqliteDialect;
use crate::{
    engine::{
        Dialect,
        fence::{FenceScript, Fencing, of_each},
    },
    model::TableName,
};

impl Fencing for SqliteDialect {
    fn fence(&self, tables: &[&TableName]) -> FenceScript {
        let trigger = |name: &str, kind: &str, table: &TableName| {
            format!(
                "CREATE TRIGGER {} BEFORE {kind} ON {} \
                 BEGIN SELECT RAISE(ABORT, 'the database is fenced off while it is migrated'); END",
                self.quote(name),
                self.quote(&table.name)
            )
        };
        FenceScript {
            up: of_each(tables, trigger),
            standing: "SELECT 'DROP TRIGGER \"' || replace(name, '\"', '\"\"') || '\"' FROM main.sqlite_schema \
                       WHERE type = 'trigger' AND name LIKE 'rehearse\\_fence\\_%' ESCAPE '\\'",
            passes: &[
                "DROP and ALTER TABLE are not stopped, nor is a program that switches triggers off by SQLite's own \
                 interface (SQLITE_DBCONFIG_ENABLE_TRIGGER); tables that are made later have no fence",
            ],
        }
    }

    fn waits_for_locks(&self, milliseconds: u64) -> String {
        format!("PRAGMA busy_timeout = {milliseconds}")
    }
}
