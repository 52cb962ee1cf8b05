//! Statements that make and unmake what holds rows.

use serde::{Deserialize, Serialize};

/// Statements that create tables, and those that drop them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaScript {
    /// Tables with columns, keys and uniques: before the rows.
    pub create: Vec<String>,
    /// Indexes and foreign keys: after the rows.
    pub finish: Vec<String>,
    /// Everything away again, in order.
    pub drop: Vec<String>,
}

/// How a key or index is taken away and brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyScript {
    /// Takes it away, if it is there.
    pub drop: String,
    /// Brings it back as it was; the rows are checked against it.
    pub add: String,
}
