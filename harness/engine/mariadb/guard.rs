//! A session that only reads: its bounds, and what it sees.

use super::session::MariaDbSession;
use crate::engine::{EngineError, Guard, Standpoint};

/// Rights by which the session's user could write: right, and on how many things.
const COULD_WRITE: &str = "
SELECT privilege_type, count(*)
FROM (
    SELECT grantee, privilege_type FROM information_schema.user_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges WHERE table_schema = DATABASE()
    UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges WHERE table_schema = DATABASE()
) AS held
WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER', 'CREATE')
  AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
GROUP BY privilege_type ORDER BY privilege_type";

/// What the catalogue shows only to whoever holds a right.
const HIDES: [(&str, &str); 5] = [
    ("tables", "SELECT"),
    ("triggers", "TRIGGER"),
    ("events", "EVENT"),
    ("definitions of views", "SHOW VIEW"),
    ("routines", "EXECUTE"),
];

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
        let doing = "asking what the session sees";
        let stands = "SELECT CONCAT(DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%H:%i:%s.'), \
                      LPAD(MICROSECOND(UTC_TIMESTAMP(3)) DIV 1000, 3, '0'), 'Z'), @@gtid_current_pos";
        let stands = self.texts(doing, stands).await?.into_iter().next().unwrap_or_default();
        let [taken_at, position] = stands.try_into().unwrap_or_default();
        let rights = self.texts(doing, COULD_WRITE).await?;
        let could_write = rights.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect();
        let database = self.one(doing, "SELECT DATABASE()").await?.unwrap_or_default();
        let mut grants = self.texts(doing, "SHOW GRANTS").await?;
        if self.one(doing, "SELECT CURRENT_ROLE()").await?.is_some() {
            grants.extend(self.texts(doing, "SHOW GRANTS FOR CURRENT_ROLE").await?);
        }
        let held: Vec<String> = grants.iter().flatten().flatten().flat_map(|grant| of_all(grant, &database)).collect();
        let holds = |right: &str| held.iter().any(|held| held == right || held == "ALL PRIVILEGES");
        let hidden = HIDES.iter().copied().filter(|(_, right)| !holds(right)).collect();
        let position = position.filter(|position: &String| !position.is_empty());
        Ok(Standpoint { taken_at, position, could_write, hidden })
    }
}

/// The rights that a line of SHOW GRANTS gives in all of a database.
fn of_all(grant: &str, database: &str) -> Vec<String> {
    let parts = grant.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON "));
    let Some((rights, place)) = parts.and_then(|(rights, rest)| Some((rights, rest.split_once(" TO ")?.0))) else {
        return Vec::new();
    };
    // In a database's name `_` and `%` stand for anything unless they are escaped.
    let is_ours = |name: &str| {
        let name = name.trim_matches('`').replace("``", "`");
        name == "*" || name == "%" || name == database || name.replace("\\_", "_").replace("\\%", "%") == database
    };
    match place.strip_suffix(".*") {
        Some(name) if is_ours(name) => rights.split(", ").map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rights_in_the_whole_database_count() {
        assert_eq!(of_all("GRANT SELECT, SHOW VIEW ON `app\\_x`.* TO `u`@`%`", "app_x"), ["SELECT", "SHOW VIEW"]);
        assert_eq!(of_all("GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION", "app"), ["ALL PRIVILEGES"]);
        assert!(of_all("GRANT SELECT ON `app`.`t` TO `u`@`%`", "app").is_empty());
        assert!(of_all("GRANT SELECT ON `other`.* TO `u`@`%`", "app").is_empty());
        assert!(of_all("GRANT `role` TO `u`@`%`", "app").is_empty());
    }
}
