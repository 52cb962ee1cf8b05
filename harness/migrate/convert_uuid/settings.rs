//! What a conversion is told.

use serde::{Deserialize, Serialize};

use crate::{
    document::{Fields, Located, Problem},
    model::{Address, TableName},
};

/// The schema that holds the original rows and the plan of the way back, where no other is named and the engine has schemas.
pub const BACKUP: &str = "migration_backup";
/// The log of operations; it outlives a rollback.
pub const LOG: &str = "migration_log";

/// What a conversion is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The key that becomes a UUID: its table and column.
    pub key: ColumnName,
    /// Columns that refer to it and declare no foreign key.
    #[serde(default)]
    pub references: Vec<ColumnName>,
    /// Rows a batch.
    pub batch_rows: u64,
    /// Milliseconds between two batches.
    pub pause_ms: u64,
    /// Milliseconds that a lock is waited for before others may go first.
    pub lock_ms: u64,
    /// How often a lock is tried for.
    pub lock_tries: u64,
    /// In which order columns change.
    pub mode: Mode,
    /// What becomes of a reference without a parent.
    pub orphans: Orphans,
    /// The schema for the original rows, where it is not the engine's usual one.
    #[serde(default)]
    pub backup: Option<String>,
    /// The database that holds that schema, where it is another one.
    #[serde(skip)]
    pub backup_in: Option<Address>,
}

/// In which order columns change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The key first, then each reference; between the two the application has to be at rest.
    InTurn,
    /// All columns get a second one that writers keep filled; they change places in one short act.
    ExpandAndContract,
}

/// What becomes of a reference without a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orphans {
    /// The conversion is not begun.
    Reject,
    /// It refers to this key from then on.
    Assign(String),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnName {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: String,
}

impl std::fmt::Display for ColumnName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

impl std::str::FromStr for ColumnName {
    type Err = String;

    /// Reads `table.column` or `schema.table.column`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('.').collect();
        let (schema, name, column) = match parts.as_slice() {
            [name, column] => (None, *name, *column),
            [schema, name, column] => (Some((*schema).to_owned()), *name, *column),
            _ => return Err(format!("`{text}` is no column; expected `table.column`")),
        };
        if name.is_empty() || column.is_empty() {
            return Err(format!("`{text}` is no column; expected `table.column`"));
        }
        Ok(Self { table: TableName { schema, name: name.to_owned() }, column: column.to_owned() })
    }
}

impl Settings {
    /// What is taken where nothing else is said.
    pub const fn of_key(key: ColumnName) -> Self {
        Self {
            key,
            references: Vec::new(),
            batch_rows: 1000,
            pause_ms: 0,
            lock_ms: 2000,
            lock_tries: 10,
            mode: Mode::InTurn,
            orphans: Orphans::Reject,
            backup: None,
            backup_in: None,
        }
    }

    /// Reads the step's keys.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let key = fields.required_str("key").and_then(|written| column(fields, &written));
        let references = fields.str_list("references");
        let references = references.iter().filter_map(|written| column(fields, written)).collect();
        let mode = fields.optional_one_of("mode", "mode", &["in_turn", "expand_and_contract"]);
        let orphans = fields.optional_one_of("orphans", "policy", &["reject", "assign"]);
        let assign_to = fields.optional_str("assign_to");
        let backup = fields.optional_str("backup").map(|written| written.value);
        let is_assigned = orphans.as_ref().is_some_and(|written| written.value == "assign");
        if is_assigned != assign_to.is_some() {
            let place = fields.place().clone();
            let problem = Problem::new(&place, "`orphans = \"assign\"` and `assign_to` belong together");
            fields.problem(problem.expected("both, or neither"));
        }
        let mut number = |key: &str, usual: u64| fields.optional_u64(key).map_or(usual, |written| written.value);
        let (batch_rows, pause_ms) = (number("batch_rows", 1000).max(1), number("pause_ms", 0));
        let (lock_ms, lock_tries) = (number("lock_ms", 2000).max(1), number("lock_tries", 10).max(1));
        Some(Self {
            references,
            batch_rows,
            pause_ms,
            lock_ms,
            lock_tries,
            mode: match mode.map(|written| written.value) {
                Some("expand_and_contract") => Mode::ExpandAndContract,
                _ => Mode::InTurn,
            },
            orphans: assign_to.map_or(Orphans::Reject, |written| Orphans::Assign(written.value)),
            backup,
            ..Self::of_key(key?)
        })
    }
}

fn column(fields: &Fields<'_>, written: &Located<String>) -> Option<ColumnName> {
    let read = written.value.parse();
    read.map_err(|message: String| {
        fields.problem(Problem::new(&written.place, message).expected("a column, as `users.id`"));
    })
    .ok()
}
