//! A fence of triggers that always fire.

use super::PostgresDialect;
use crate::{
    engine::fence::{FenceScript, Fencing},
    model::TableName,
};

impl Fencing for PostgresDialect {
    /// Around all tables that are there: a partition is written by its own name as well.
    fn fence(&self, _tables: &[&TableName]) -> FenceScript {
        FenceScript {
            up: vec![include_str!("fence.sql").to_owned()],
            standing: "SELECT 'DROP SCHEMA rehearse_fence CASCADE' FROM pg_catalog.pg_namespace \
                       WHERE nspname = 'rehearse_fence'",
            passes: &[
                "whoever may alter a table may take its fence down or drop the table, and tables that are made later have none",
                "sequences, large objects, and what a subscription applies, are not fenced",
            ],
        }
    }

    fn waits_for_locks(&self, milliseconds: u64) -> String {
        format!("SET lock_timeout = {milliseconds}")
    }
}
