//! A session that only reads: its bounds, and what it sees.

use std::time::Duration;

use super::session::PostgresSession;
use crate::engine::{EngineError, Guard, Standpoint};

/// Rights by which the session's role could write: right and number of tables.
const COULD_WRITE: &str = "
SELECT 'superuser', 0 FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT r.privilege, count(*)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS r (privilege)
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND pg_catalog.has_table_privilege(c.oid, r.privilege)
GROUP BY r.privilege
ORDER BY 1";

/// The moment of the snapshot, and where that is in the log.
const STANDS_AT: &str = "
SELECT pg_catalog.to_char(pg_catalog.transaction_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END::text";

impl PostgresSession {
    /// Sets the bounds, and forbids writes to every transaction of the session that does not ask for them.
    pub(super) async fn set_guard(&mut self, guard: &Guard) -> Result<(), EngineError> {
        let millis = |bound: Option<Duration>| bound.map_or(0, |bound| bound.as_millis().max(1));
        let script = format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET default_transaction_read_only = on",
            millis(guard.statement),
            millis(guard.lock)
        );
        self.run("bounding the session", &script).await
    }

    /// What the session sees, and by what its role could write.
    pub(super) async fn stand(&mut self) -> Result<Standpoint, EngineError> {
        let doing = "asking what the session sees";
        let stands = self.texts(doing, STANDS_AT).await?.into_iter().next().unwrap_or_default();
        let [taken_at, position] = stands.try_into().unwrap_or_default();
        let rights = self.texts(doing, COULD_WRITE).await?;
        let told = |row: Vec<Option<String>>| {
            let [Some(right), Some(tables)]: [Option<String>; 2] = row.try_into().ok()? else { return None };
            Some(if tables == "0" { right } else { format!("{right} on {tables} tables") })
        };
        let could_write = rights.into_iter().filter_map(told).collect();
        Ok(Standpoint { taken_at, position, is_alone: false, could_write })
    }
}
