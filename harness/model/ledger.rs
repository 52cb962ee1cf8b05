//! The loss ledger: every rule that made unlike values count as equal, with the number of rows it touched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Side, TableName};

/// One line of the loss ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LossEntry {
    /// The side whose stored values the rule changed before they were compared.
    pub side: Side,
    /// The table on that side.
    pub table: TableName,
    /// The column on that side.
    pub column: String,
    /// The rule, as a reader would say it: `uuid from text`, `timestamp at microseconds`. Of values that it could not bring
    /// to its type: `as stored where unfit for date`.
    pub rule: String,
    /// How many rows held a value that the rule changed.
    pub rows: u64,
}
