//! How the rows of a table are not what they were.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CauseCount;

/// How many rows and values of a table are not what they were, exactly. Without a key a row is its own key, so that one
/// with another value is a row that is gone and a row more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowChange {
    /// Rows that were there before and are not now.
    pub gone: u64,
    /// Rows that are there now and were not before.
    pub more: u64,
    /// Rows that are there before and now, by their key, with other values.
    pub changed: u64,
    /// The columns whose values changed in those rows. In a column that is gone, whatever was not NULL did.
    pub values: Vec<ValueChange>,
}

/// How many values of a column are not what they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueChange {
    /// The column.
    pub column: String,
    /// How many, exactly.
    pub total: u64,
    /// What became of them; the totals add up to that.
    pub causes: Vec<CauseCount>,
}

impl RowChange {
    /// All rows that it is about.
    pub const fn total(&self) -> u64 {
        self.gone + self.more + self.changed
    }

    /// Whether rows are gone, or values of those that are still there.
    pub const fn is_loss(&self) -> bool {
        self.gone > 0 || self.changed > 0
    }
}
