//! What keeps writers out of a database while readers go on.
//!
//! Triggers do it, which no setting of a session gets around: a default that a session may override is no fence.

use crate::model::{TableName, catalogue::ObjectName};

/// What the names of all that a fence is made of begin with.
pub const NAME: &str = "rehearse_fence";

/// How a fence is put up and taken down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceScript {
    /// Puts it up, statement by statement; in one transaction, where the engine's hold such.
    pub up: Vec<String>,
    /// The query for the statements that take down what stands of one; no row, if none does.
    pub standing: &'static str,
    /// What gets past it, as sentences for the report.
    pub passes: &'static [&'static str],
}

/// How the session of a process that is gone is ended, where the server would go on with its last statement.
#[derive(Clone, Copy, Debug)]
pub struct Abandoned {
    /// The query for a session's own number, which is never given twice.
    pub number: &'static str,
    /// The statement that ends the session of a number, if it is there.
    pub end: fn(u64) -> String,
    /// The query that gives a row while it is there.
    pub is_there: fn(u64) -> String,
}

/// How an engine keeps writers out.
pub trait Fencing: Sync {
    /// How a statement of a process that is gone is ended; `None` where nothing comes of one that nobody commits.
    fn abandoned(&self) -> Option<Abandoned> {
        None
    }

    /// The fence around these tables.
    fn fence(&self, tables: &[&TableName]) -> FenceScript;

    /// Bounds how long each statement of a session waits for somebody's lock.
    fn waits_for_locks(&self, milliseconds: u64) -> String;
}

/// Three triggers for each table, one for each kind of write: given their names, the kinds and the tables.
pub(super) fn of_each(tables: &[&TableName], trigger: impl Fn(&str, &str, &TableName) -> String) -> Vec<String> {
    let kinds = ["INSERT", "UPDATE", "DELETE"];
    let numbered = tables.iter().enumerate();
    numbered
        .flat_map(|(number, table)| kinds.map(|kind| (number, kind, table)))
        .map(|(number, kind, table)| trigger(&format!("{NAME}_{number}_{}", kind.to_ascii_lowercase()), kind, table))
        .collect()
}

/// Whether an object is part of a fence.
pub fn is_part(object: &ObjectName) -> bool {
    let is_named = |name: &str| name.starts_with(NAME);
    match object.class.as_str() {
        "schema" | "function" => is_named(&object.name),
        // PostgreSQL names triggers by their tables, others by themselves.
        "trigger" => is_named(object.name.rsplit('.').next().unwrap_or(&object.name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fence_are_known_by_their_names() {
        let is = |class: &str, name: &str| is_part(&ObjectName::new(class, name));
        assert!(is("schema", "rehearse_fence") && is("function", "rehearse_fence.refuse()"));
        assert!(is("trigger", "users.rehearse_fence") && is("trigger", "rehearse_fence_0_insert"));
        assert!(!is("trigger", "rehearse_fence.audit") && !is("table", "rehearse_fence"));
    }
}
