//! Changing a column's type where it stands, by way of a second column: expand, fill in batches, swap.
//!
//! What hangs on the column (keys, indexes, references to it and from it, default, NOT NULL, comment, rights) is read before
//! anything changes, each as the statement that brings it back, so that the way back can begin at any point.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{EngineError, Session};
use crate::model::{LogicalType, TableName};

/// A column that takes another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retyping<'a> {
    /// Its table.
    pub table: &'a TableName,
    /// Its name.
    pub column: &'a str,
    /// The name of the second column, as long as there is one.
    pub temporary: &'a str,
    /// The type that it takes, as declared.
    pub declared: &'a str,
    /// Its value in that type, from a row of the table called `t`.
    pub value: &'a str,
}

/// Something that hangs on a column and goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// What it is.
    pub class: AttachedClass,
    /// Its name, for people.
    pub name: String,
    /// The statement that takes it away before its column goes, where it does not go with it.
    pub goes: Option<String>,
    /// The statement that brings it back; of a default, its expression.
    pub comes: String,
    /// The statement that proves it on the rows, where it comes back unproven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proves: Option<String>,
}

/// What hangs on a column. In the order in which they come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachedClass {
    /// NOT NULL, a comment, a right, a statistics target: of the column, whatever its type.
    Attribute,
    /// A default. It is of the old type, and is brought to the new one.
    Default,
    /// A sequence or identity. Only the old type counts, so that it comes back only with that.
    Counter,
    /// A primary key, a unique or a CHECK.
    Constraint,
    /// An index, extended statistics, or what is said about an index.
    Index,
    /// A foreign key from this table or to it.
    Reference,
}

/// What filling a batch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Rows that got a value.
    pub rows: u64,
    /// Where the next batch begins.
    pub cursor: u64,
}

/// How an engine changes the type of a column where it stands.
#[async_trait]
pub trait Retype: Sync {
    /// The statement that makes a log of operations of this name (quoted), if it is not there: `id`, `operation`, `status`,
    /// `started_at`, `completed_at`, `row_count`, `message`.
    fn log_table(&self, name: &str) -> String;

    /// The native type of UUIDs.
    fn uuid(&self) -> &'static str;

    /// The condition that a text is a UUID in any spelling that the engine reads.
    fn is_uuid(&self, text: &str) -> String;

    /// A value of this kind as a UUID; `seed` names the key for kinds whose values have to be derived. `None` if values of
    /// this kind are no UUIDs.
    fn to_uuid(&self, kind: &LogicalType, value: &str, seed: &str) -> Option<String>;

    /// A text or UUID as a UUID.
    fn as_uuid(&self, value: &str) -> String;

    /// The statements that copy a table's rows into a new one, with writers kept out until the transaction ends.
    fn keep(&self, from: &str, to: &str) -> Vec<String>;

    /// A UUID as a value of the declared type, in its usual spelling.
    fn spelled(&self, value: &str, declared: &str) -> String;

    /// What keeps a column from being swapped (a view that reads it, a policy, a partition), each as a person would say it.
    async fn obstacles(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        column: &str,
    ) -> Result<Vec<String>, EngineError>;

    /// What hangs on a column.
    async fn attached(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        column: &str,
    ) -> Result<Vec<Attached>, EngineError>;

    /// Adds the second column, if it is not there. Waits for its lock no longer than `lock_ms`.
    async fn expand(&self, session: &mut dyn Session, retyping: &Retyping<'_>, lock_ms: u64)
    -> Result<(), EngineError>;

    /// Fills about so many rows of the second column from a cursor on (0 at first), in a transaction of its own. `None`
    /// behind the last row.
    async fn fill(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        cursor: u64,
        rows: u64,
    ) -> Result<Option<Filled>, EngineError>;

    /// From here on writers of the column fill the second column too.
    async fn synchronise(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError>;

    /// The second column takes the column's place, for all of these in one act; what was attached comes back but for
    /// references (and, on the way to UUIDs, counters). Waits for locks no longer than `lock_ms`.
    async fn swap(
        &self,
        session: &mut dyn Session,
        swaps: &[Swap<'_>],
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError>;

    /// Runs a statement that [`Attached`] holds. Waits for locks no longer than `lock_ms`.
    async fn say(&self, session: &mut dyn Session, statement: &str, lock_ms: u64) -> Result<(), EngineError>;

    /// Drops the second column, and whatever filled it, if they are there.
    async fn contract(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        schema: &str,
        lock_ms: u64,
    ) -> Result<(), EngineError>;

    /// What a default of the old type is in the new one.
    fn default_uuid(&self, kind: &LogicalType, default: &str) -> String;

    /// Whether an error says that a lock was waited for in vain.
    fn is_lock_timeout(&self, error: &EngineError) -> bool;

    /// Refreshes what the planner knows of a table.
    async fn analyze(&self, session: &mut dyn Session, table: &TableName) -> Result<(), EngineError>;

    /// How the server would find the rows with one value of a column, as it says itself.
    async fn plan(
        &self,
        session: &mut dyn Session,
        table: &TableName,
        column: &str,
    ) -> Result<Vec<String>, EngineError>;
}

/// A column to swap, and what hangs on it.
#[derive(Clone, Copy, Debug)]
pub struct Swap<'a> {
    /// The column.
    pub retyping: &'a Retyping<'a>,
    /// What hangs on it.
    pub attached: &'a [Attached],
    /// The default that it gets, as an expression of its new type.
    pub default: Option<&'a str>,
    /// It takes its first type again, so that counters come back too.
    pub restores: bool,
}
