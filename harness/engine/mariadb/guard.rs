//! A session that only reads: its bounds, and what it sees.

use super::session::MariaDbSession;
use crate::engine::{EngineError, Guard, Standpoint};

impl MariaDbSession {
    /// Sets the bounds. Both kinds of locks have one of their own, in whole seconds.
    pub(super) async fn set_guard(&mut self, guard: &Guard) -> Result<(), EngineError> {
        let statement = guard.statement.map_or(0.0, |bound| bound.as_secs_f64().max(0.001));
        let mut script = format!("SET SESSION max_statement_time = {statement:.3}");
        if let Some(lock) = guard.lock {
            let seconds = lock.as_secs().max(1);
            script += &format!("; SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}");
        }
        self.run("bounding the session", &script).await
    }

    /// What the session sees, and by what its user could write.
    pub(super) async fn stand(&mut self) -> Result<Standpoint, EngineError> {
        let stands = "SELECT CONCAT(DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.'), \
                      LPAD(MICROSECOND(UTC_TIMESTAMP(3)) DIV 1000, 3, '0'), 'Z'), @@gtid_current_pos";
        let stands = self.texts("asking what the session sees", stands).await?.into_iter().next().unwrap_or_default();
        let [taken_at, position] = stands.try_into().unwrap_or_default();
        let could_write = self.rights().await?.could_write();
        let position = position.filter(|position: &String| !position.is_empty());
        // It has no way to share a snapshot.
        Ok(Standpoint { taken_at, position, is_alone: true, could_write })
    }
}
