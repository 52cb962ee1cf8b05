//! The step itself.

use std::time::Instant;

use async_trait::async_trait;
use rehearse::{
    migrate::{
        StepError, StepVoice,
        convert_uuid::{Mode, Operation, Settings, perform},
    },
    model::Address,
};
use serde_json::Value as Json;

use crate::Error;

/// What a conversion took, in seconds.
pub struct Took {
    /// The conversion of the key and of what refers to it.
    pub change: f64,
    /// All of it.
    pub all: f64,
}

/// Converts a database.
pub async fn convert(address: &Address, mode: Mode, batch_rows: u64) -> Result<Took, Error> {
    let settings = Settings { mode, batch_rows, lock_tries: 100, ..Settings::of_key("users.id".parse()?) };
    // Rows that a writer has changed meanwhile are not those of the backup any more, and in turn nobody may write.
    let is_due =
        |operation: &&Operation| mode == Mode::ExpandAndContract || **operation != Operation::ValidateMigration;
    let operations = Operation::FULL.iter().filter(is_due);
    let mut took = Took { change: 0.0, all: 0.0 };
    for operation in operations {
        let started = Instant::now();
        perform(address, &settings, *operation, &mut Silent).await?;
        let seconds = started.elapsed().as_secs_f64();
        eprintln!("  {operation}: {seconds:.1} s");
        took.all += seconds;
        if matches!(operation, Operation::MigrateKey | Operation::MigrateForeignKeys) {
            took.change += seconds;
        }
    }
    Ok(took)
}

struct Silent;

#[async_trait]
impl StepVoice for Silent {
    async fn mark(&mut self, _: Json) -> Result<(), StepError> {
        Ok(())
    }

    fn progress(&mut self, _: &str, _: u64, _: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}
