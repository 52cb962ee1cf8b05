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
    /// Another table that the value is taken from, which it calls `k`.
    pub beside: Option<&'a TableName>,
    /// The columns that name a row of the table; none if it has no key.
    pub key: &'a [String],
}

/// Something that hangs on a column and goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// What it is.
    pub class: AttachedClass,
    /// Its name, for people.
    pub name: String,
    /// The statement that takes it away before its column goes, where it does not go with it. Here and below a clause of
    /// ALTER TABLE in an engine that changes a table in one statement; of references always a statement.
    pub goes: Option<String>,
    /// The statement that brings it back; of a default, its expression.
    pub comes: String,
    /// The statement that proves it on the rows, where it comes back unproven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proves: Option<String>,
    /// How its index is made on the second column beforehand, where that is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<Early>,
}

/// An index that is made on the second column beside whoever writes, so that the swap has only to take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Early {
    /// The name that it has meanwhile.
    pub name: String,
    /// The statement that made it on the first column.
    pub makes: String,
    /// The statement that takes it at the swap.
    pub takes: String,
}

/// What hangs on a column. In the order in which they come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachedClass {
    /// NOT NULL, a comment, a right, a statistics target: of the column, whatever its type; the column as it was.
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

/// How a server would find the rows with one value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// It finds them by an index.
    pub uses_index: bool,
    /// What it takes that to cost, in hundredths of its planner's unit; `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
}

/// What filling a batch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Rows that got a value.
    pub rows: u64,
    /// Where the next batch begins, in the engine's own words.
    pub cursor: String,
}

/// A table whose rows are to be kept.
#[derive(Clone, Debug)]
pub struct Keeping<'a> {
    /// The table.
    pub from: &'a TableName,
    /// Where they are kept.
    pub to: &'a TableName,
    /// All columns that can be written.
    pub columns: &'a [String],
    /// Columns of the native type that the kept rows have besides: name, and value from a row of the table called `t`.
    pub uuids: &'a [(String, String)],
    /// By which columns kept rows will be asked for.
    pub indexes: &'a [Vec<String>],
}

/// How rows are kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The statements before the transaction in which rows are copied and compared.
    pub before: Vec<String>,
    /// The statements that copy them.
    pub copies: Vec<String>,
    /// Where the copies lie when they are compared.
    pub place: TableName,
    /// The statements at the end of the transaction, once the copies are proven.
    pub proven: Vec<String>,
    /// The statements behind it.
    pub after: Vec<String>,
}

/// An act that waits for a lock. Each can be done again after it was cut off wherever it was.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Adds the second column, if it is not there.
    Expand(&'a Retyping<'a>),
    /// From here on writers of the column fill the second column too.
    Synchronise(&'a Retyping<'a>),
    /// Second columns that writers fill get, as far as the engine can do that beside them, what these columns have: keys,
    /// indexes, references.
    Prepare(&'a [Swap<'a>]),
    /// The second columns take the columns' places, for all of these in one act; what was attached comes back but for
    /// references (and, on the way to UUIDs, counters).
    Swap(&'a [Swap<'a>]),
    /// A statement that [`Attached`] holds.
    Say(&'a str),
    /// Drops the second column, and whatever filled it, if they are there.
    Contract(&'a Retyping<'a>),
}

/// How an engine changes the type of a column where it stands.
#[async_trait]
pub trait Retype: Sync {
    /// The statement that has a session wait for locks no longer than this.
    fn patience(&self, lock_ms: u64) -> String;

    /// The schema for the original rows of a database, where no other is named.
    fn backup(&self, database: &str) -> String;

    /// The statement that drops a schema (quoted) with all that is in it, if it is there.
    fn drop_schema(&self, name: &str) -> String;

    /// The statement that makes a log of operations of this name (quoted): `id`, `operation`, `status`, `started_at`,
    /// `completed_at`, `row_count`, `message`.
    fn log_table(&self, name: &str) -> String;

    /// The statement that makes a table of this name (quoted), if it is not there, with the one column `plan`: a long text.
    fn plan_table(&self, name: &str) -> String;

    /// The native type of UUIDs.
    fn uuid(&self) -> &'static str;

    /// The condition that a text is a UUID in any spelling that the engine reads.
    fn is_uuid(&self, text: &str) -> String;

    /// A value of this kind as a UUID; `seed` names the key for kinds whose values have to be derived. `None` if values of
    /// this kind are no UUIDs.
    fn to_uuid(&self, kind: &LogicalType, value: &str, seed: &str) -> Option<String>;

    /// Whether UUIDs of this kind are derived, so that they do not tell the value.
    fn derives(&self, kind: &LogicalType) -> bool;

    /// Whether a second column holds at every moment what the first one does. It does not where foreign keys change rows that no
    /// trigger sees; what they changed is then filled again at the swap.
    fn keeps_up(&self) -> bool {
        true
    }

    /// Whether original rows may be kept in a database that no statement reaches from here, and be brought back before the
    /// way back asks for them.
    fn keeps_elsewhere(&self) -> bool {
        false
    }

    /// A text or UUID as a UUID.
    fn as_uuid(&self, value: &str) -> String;

    /// A value that equals another one only if it has the same bytes.
    fn exact(&self, value: &str) -> String;

    /// How a table's rows are kept.
    fn keep(&self, keeping: &Keeping<'_>) -> Kept;

    /// The statements that try a change of columns of one table on a copy with a few of its rows (all columns that can be
    /// written are given), which is gone when the transaction is taken back or the session ends.
    fn trial(&self, columns: &[String], swaps: &[Swap<'_>]) -> Vec<String>;

    /// A UUID as a value of the declared type, in its usual spelling.
    fn spelled(&self, value: &str, declared: &str) -> String;

    /// What a default of the old type is in the new one.
    fn default_uuid(&self, kind: &LogicalType, default: &str) -> String;

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

    /// Does an act. `schema` is where the original rows are kept.
    async fn act(&self, session: &mut dyn Session, act: &Act<'_>, schema: &str) -> Result<(), EngineError>;

    /// Fills about so many rows of the second column from a cursor on (empty at first), in a transaction of its own. `None`
    /// behind the last row.
    async fn fill(
        &self,
        session: &mut dyn Session,
        retyping: &Retyping<'_>,
        cursor: &str,
        rows: u64,
    ) -> Result<Option<Filled>, EngineError>;

    /// Whether an error says that a lock was waited for in vain.
    fn is_lock_timeout(&self, error: &EngineError) -> bool;

    /// Refreshes what the planner knows of a table.
    async fn analyze(&self, session: &mut dyn Session, table: &TableName) -> Result<(), EngineError>;

    /// How the server would find the rows with one value of a column by an index, as it says itself.
    async fn lookup(&self, session: &mut dyn Session, table: &TableName, column: &str) -> Result<Lookup, EngineError>;
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
