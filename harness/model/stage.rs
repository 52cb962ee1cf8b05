//! The named states of a rehearsal.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A named state of the databases, in the order of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before the migration.
    Baseline,
    /// After the migration.
    Migrated,
    /// After the rollback.
    RolledBack,
    /// After the second migration.
    Reapplied,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Baseline => "baseline",
            Stage::Migrated => "migrated",
            Stage::RolledBack => "rolled back",
            Stage::Reapplied => "reapplied",
        })
    }
}
