//! `convert_uuid`: a key of texts, bytes or integers and everything that refers to it become native UUIDs, where they stand.
//!
//! Original rows lie in a schema of the same database (in MariaDB in a database of the same server), where the way back looks
//! them up. In PostgreSQL they may lie in another database: what the way back has to look up is brought back before it begins.
//!
//! Each column gets a second one of the new type, which is filled in batches and then takes its place. Before anything
//! changes, the schema `migration_backup` gets the original rows and the plan of the way back, so that any later process can
//! go on or go back from wherever an earlier one got to, by what the database itself holds. The table `migration_log` tells
//! what was done when; it outlives a rollback. Each operation can be called alone.

mod backup;
mod change;
mod columns;
mod compare;
mod elsewhere;
mod log;
mod operation;
mod plan;
mod settings;
mod status;
mod validate;
mod work;

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{StepDone, StepError, StepKind, StepTask, StepVoice};
use crate::{document::Fields, model::event::Direction};

pub use operation::{Operation, perform};
pub use plan::State;
pub use settings::{BACKUP, ColumnName, LOG, Mode, Orphans, Settings};
pub use status::{ColumnStatus, Status, status};

/// A key and its references become UUIDs.
pub struct ConvertUuid;

#[async_trait]
impl StepKind for ConvertUuid {
    fn id(&self) -> &'static str {
        "convert_uuid"
    }

    fn summary(&self) -> &'static str {
        "turns a key and all columns that refer to it into native UUIDs where they stand, in batches, with a backup"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        Settings::read(fields).and_then(|settings| serde_json::to_value(settings).ok()).unwrap_or_default()
    }

    fn may_go_back_otherwise(&self) -> bool {
        false
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = serde_json::from_value::<Settings>(config.clone()) else { return Vec::new() };
        if direction == Direction::Back {
            return vec![
                format!("bring {} and its references back to their type and spelling", settings.key),
                format!("drop the schema {}; {LOG} stays", settings.backup.as_deref().unwrap_or(BACKUP)),
            ];
        }
        Operation::FULL.iter().map(|operation| format!("{operation}: {}", operation.summary(&settings))).collect()
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = read(task)?;
        let address = &task.addresses.target;
        match perform(address, &settings, Operation::FullMigration, voice).await {
            Ok(done) => Ok(done),
            // Nothing was changed.
            Err(error @ (StepError::Refused { .. } | StepError::Interrupted)) => Err(error),
            Err(error) => match perform(address, &settings, Operation::Rollback, voice).await {
                Ok(_) => Err(error),
                Err(source) => {
                    Err(StepError::Unrestored { what: crate::model::chain(&error), source: Box::new(source) })
                }
            },
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        perform(&task.addresses.target, &read(task)?, Operation::Rollback, voice).await
    }
}

fn read(task: &StepTask) -> Result<Settings, StepError> {
    serde_json::from_value(task.config.clone())
        .map_err(|error| StepError::broken("read the step's configuration", error))
}
