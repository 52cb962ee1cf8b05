//! `restore`: the database is made anew, and what an earlier step `backup` took is restored into it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{RollbackKind, settings, side};
use crate::{
    document::Fields,
    migrate::{
        Around, Misplaced, StepDone, StepError, StepTask, StepVoice,
        backup::{Generations, Manifest, difference, examined, read, restored},
        restore::{Before, NEWEST, misplaced_backup, named},
    },
    model::Side,
};

/// Restores a backup.
pub(super) struct Restore;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    side: Side,
    /// The step that made the backup.
    from: String,
}

/// What is known before the step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ready {
    /// The generation that is of what was there.
    generation: String,
    before: Before,
}

#[async_trait]
impl RollbackKind for Restore {
    fn id(&self) -> &'static str {
        "restore"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = side(fields);
        let from = fields.required("from", "the name of an earlier step of kind `backup`").and_then(|from| from.str());
        json!({ "side": side, "from": from.map(|from| from.value) })
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let Ok(Settings { from, .. }) = settings(config) else { return Vec::new() };
        misplaced_backup("from", from, around).into_iter().collect()
    }

    fn describe(&self, config: &Json) -> Vec<String> {
        let Ok(Settings { side, from }) = settings(config) else { return Vec::new() };
        vec![format!("make the {side} anew, restore the backup of step `{from}`, and prove its rows")]
    }

    /// The backup has to be whole, and of what is there now.
    async fn ready(&self, task: &StepTask, config: &Json, voice: &mut dyn StepVoice) -> Result<Json, StepError> {
        let Settings { side, from } = settings(config)?;
        let address = task.addresses.get(side);
        let generations = Generations::of_step(task, &from);
        let generation = named(&generations, NEWEST)?;
        let reading = read(address, voice).await?;
        let version = reading.version.clone();
        let tables = reading.close().await?;
        let manifest = examined(&generations, &generation, address, &version).await?;
        if let Some(what) = difference(&manifest.tables, &tables) {
            let what = format!("the backup {generation} of step `{from}` is not of what the {side} holds now: {what}");
            return Err(StepError::Refused { what });
        }
        Ok(json!(Ready { generation, before: Before::of(address).await? }))
    }

    async fn back(
        &self,
        task: &StepTask,
        config: &Json,
        ready: &Json,
        voice: &mut dyn StepVoice,
    ) -> Result<StepDone, StepError> {
        let Settings { side, from } = settings(config)?;
        let Ready { generation, before } = settings(ready)?;
        let address = task.addresses.get(side);
        let generations = Generations::of_step(task, &from);
        let folder = generations.path(&generation);
        let manifest = Manifest::read(&folder)?;
        // Nothing is dropped for a backup that was damaged since.
        manifest.compare(&folder)?;
        before.make_anew(address).await?;
        let notes = restored(&generations, &generation, &manifest, task, address, voice).await?;
        before.without_roles(address).await?;
        Ok(StepDone { rows: manifest.rows(), notes, ..StepDone::default() })
    }
}
