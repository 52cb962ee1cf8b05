//! A fence of triggers, which no session can switch off.

use super::MariaDbDialect;
use crate::{
    engine::{
        Dialect,
        fence::{Abandoned, FenceScript, Fencing, of_each},
    },
    model::TableName,
};

impl Fencing for MariaDbDialect {
    /// The server notices after a while that a client is gone; a definition that gets its lock before that is made.
    fn abandoned(&self) -> Option<Abandoned> {
        Some(Abandoned {
            number: "SELECT CONNECTION_ID()",
            end: |number| {
                format!(
                    "BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; \
                     EXECUTE IMMEDIATE 'KILL {number}'; END"
                )
            },
            is_there: |number| format!("SELECT 1 FROM information_schema.processlist WHERE id = {number}"),
        })
    }

    fn fence(&self, tables: &[&TableName]) -> FenceScript {
        let trigger = |name: &str, kind: &str, table: &TableName| {
            format!(
                "CREATE TRIGGER {} BEFORE {kind} ON {} FOR EACH ROW \
                 SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the database is fenced off while it is migrated'",
                self.quote(name),
                self.table(table)
            )
        };
        FenceScript {
            up: of_each(tables, trigger),
            standing: "SELECT CONCAT('DROP TRIGGER IF EXISTS `', REPLACE(trigger_name, '`', '``'), '`') \
                       FROM information_schema.triggers \
                       WHERE trigger_schema = DATABASE() AND trigger_name LIKE 'rehearse\\_fence\\_%'",
            passes: &[
                "TRUNCATE fires no trigger and is not stopped, nor is ALTER or DROP TABLE; tables that are made later have no fence",
                "each table is fenced by itself, one after the other, and waits for transactions that read it as well",
            ],
        }
    }

    fn waits_for_locks(&self, milliseconds: u64) -> String {
        let seconds = milliseconds.div_ceil(1000);
        format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}")
    }
}
