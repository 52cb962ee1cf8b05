//! What a tool keeps about itself in the database that it migrates.

use serde::{Deserialize, Serialize};

use super::{
    Snapshot, TableName,
    catalogue::{Definition, ObjectName},
};

/// A table, or a schema with everything in it, that is a tool's own and no part of what a migration has to bring back: it
/// is set aside before two states are compared, and has a rule of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookkeeping {
    /// The table's name as the catalogue prints it, or the schema's.
    pub name: String,
    /// What has to hold of it.
    pub rule: BookkeepingRule,
    /// Why it is there.
    pub why: String,
}

/// What has to hold of bookkeeping from one stage to a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookkeepingRule {
    /// It stays once it is there, and has no fewer rows than before: a log.
    #[default]
    Grows,
    /// It comes and goes as the tool likes.
    Free,
}

impl BookkeepingRule {
    /// The words of it in files.
    pub const WORDS: [&'static str; 2] = ["grows", "free"];

    /// The rule of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "grows" => Some(Self::Grows),
            "free" => Some(Self::Free),
            _ => None,
        }
    }
}

/// Bookkeeping as it was found at a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// What was declared.
    pub declared: Bookkeeping,
    /// Rows of its tables; `None` if nothing of it was there.
    pub rows: Option<u64>,
}

impl Bookkeeping {
    /// What the report calls it.
    pub fn subject(&self) -> String {
        format!("bookkeeping {}", self.name)
    }

    /// Whether an object is the table or schema itself, one of its parts, or a sequence that belongs to one of them.
    fn holds(&self, object: &ObjectName, definition: &Definition) -> bool {
        let is_part =
            |name: &str| name.strip_prefix(&self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        is_part(&object.name) || definition.get("owned_by").is_some_and(|owner| is_part(owner))
    }

    fn has(&self, table: &TableName) -> bool {
        table.to_string() == self.name || table.schema.as_ref().is_some_and(|schema| *schema == self.name)
    }
}

impl Snapshot {
    /// Takes bookkeeping out of a state, so that what is left is what a migration has to answer for.
    pub fn set_aside(&mut self, declared: &[Bookkeeping]) {
        for one in declared {
            let catalogue = &mut self.catalogue;
            let was = catalogue.objects.len();
            catalogue.objects.retain(|name, definition| !one.holds(name, definition));
            let mut rows = (catalogue.objects.len() < was).then_some(0);
            catalogue.tables.retain(|name, _| !one.has(name));
            catalogue.partitioned.retain(|name| !one.has(name));
            catalogue.materialized.retain(|name, _| !one.has(name));
            catalogue
                .sequences
                .retain(|sequence| !one.has(&sequence.name) && !sequence.fed().any(|column| one.has(&column.table)));
            self.tables.retain(|name, table| {
                let is_kept = one.has(name);
                if is_kept {
                    rows = Some(rows.unwrap_or_default() + table.rows.rows);
                }
                !is_kept
            });
            self.bookkeeping.push(SetAside { declared: one.clone(), rows });
        }
    }
}
