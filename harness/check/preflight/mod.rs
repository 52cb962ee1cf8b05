//! Preflight: what has to be so before anything is written, one file each.
//!
//! These checks look at the baseline. One that fails is a *no-go*: nothing of the migration is begun. What they find wrong
//! with rows is a warning, because a migration may well be written for such rows. A new one is one file and one line in
//! [`ALL`].

mod access;
mod backup;
mod encoding;
mod ready;
mod room;
mod source_data;
mod target_empty;
mod tools;

use serde::{Deserialize, Serialize};

use super::Check;
use crate::model::{EngineId, Side, Sides};

/// Every check of a preflight, in the order in which they run.
pub const ALL: &[&dyn Check] = &[
    &access::Access,
    &encoding::Encoding,
    &tools::Tools,
    &backup::Backup,
    &room::Room,
    &target_empty::TargetEmpty,
    &source_data::SourceData,
];

/// What is around the databases of a rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The engines and versions that the scenario names, where it does.
    pub wanted: Sides<Option<(EngineId, String)>>,
    /// Programs that the steps run beside the databases, in their order.
    pub programs: Vec<OfStep>,
    /// Backups of the user's that the steps restore, in their order.
    pub backups: Vec<OfStep>,
    /// Bytes that are free where a side's database lies, where that can be known from here.
    pub free: Sides<Option<u64>>,
    /// Bytes that are free where the run keeps its own files, among them the steps' backups.
    pub free_here: Option<u64>,
    /// The sides beside which steps make databases of their own, one at a time.
    pub scratch: Vec<Side>,
    /// The sides that the scenario fills before the migration.
    pub filled: Vec<Side>,
}

/// What a step needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfStep {
    /// The step.
    pub step: String,
    /// What was found: `pg_dump 15.18`; or why it will not do.
    pub found: Result<String, String>,
}
