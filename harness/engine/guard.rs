//! What a session that only reads may take of a server that others need, and what it tells about the read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds on a session that only reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The longest that a statement may take; `None` is no bound.
    pub statement: Option<Duration>,
    /// The longest that a statement may wait for a lock.
    pub lock: Option<Duration>,
}

/// What a session that only reads tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standpoint {
    /// The moment whose state it sees, as the server's clock says it.
    pub taken_at: Option<String>,
    /// Where that is in the server's log: an LSN, a GTID.
    pub position: Option<String>,
    /// No other session can see that state: one connection reads everything, whatever `--jobs` says.
    pub is_alone: bool,
    /// By what its role could write, if the session did not forbid it: rights, and on how many tables.
    pub could_write: Vec<String>,
}
