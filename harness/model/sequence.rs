//! Sequences and counters.

use serde::{Deserialize, Serialize};

use super::TableName;

/// A sequence or counter and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name; for a counter that belongs to a table (SQLite's `sqlite_sequence`), that table's name.
    pub name: TableName,
    /// The column that it feeds, where the catalogue or a default says so.
    pub feeds: Option<SequenceOwner>,
    /// The next value that it will give.
    pub next: i128,
    /// The session's role may not see where it stands: `next` is its start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Its step.
    pub increment: i64,
    /// The largest value that it can give.
    pub max: i128,
    /// The smallest value that it can give.
    #[serde(default = "smallest")]
    pub min: i128,
    /// Further columns that draw from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_feeds: Vec<SequenceOwner>,
}

fn smallest() -> i128 {
    i64::MIN.into()
}

impl Sequence {
    /// The last value that it can give before it runs out: the largest, or the smallest for one that counts down.
    pub const fn end(&self) -> i128 {
        if self.increment < 0 { self.min } else { self.max }
    }

    /// Whether it would give again what it had given by an earlier moment.
    pub const fn is_behind(&self, then: &Self) -> bool {
        self.next != then.next && (self.next < then.next) == (then.increment > 0)
    }

    /// Every column that draws from it.
    pub fn fed(&self) -> impl Iterator<Item = &SequenceOwner> {
        self.feeds.iter().chain(&self.also_feeds)
    }
}

/// The column that a sequence feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceOwner {
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: String,
}
