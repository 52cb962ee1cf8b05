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

/// What of tables can be set aside while rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Keys and indexes, where a load is faster without them.
    Keys,
    /// Triggers that are on.
    Triggers,
}

/// How something of a table is taken away and brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsideScript {
    /// Takes it away, if it is there.
    pub drop: String,
    /// Brings it back as it was; the rows are checked against it.
    pub add: String,
}
