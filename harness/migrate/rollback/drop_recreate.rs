//! `drop_recreate`: the whole database is dropped and made anew, empty or by a schema.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{RollbackKind, settings, side};
use crate::{
    document::{Fields, Problem},
    migrate::{
        StepDone, StepError, StepTask, StepVoice,
        backup::{backups_of, read},
    },
    model::Side,
};

/// Makes a database anew.
pub(super) struct DropRecreate;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    side: Side,
    /// The SQL that makes the tables that were there before the step.
    schema: Option<String>,
}

#[async_trait]
impl RollbackKind for DropRecreate {
    fn id(&self) -> &'static str {
        "drop_recreate"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = side(fields);
        let schema = fields.optional_str("schema").and_then(|written| {
            let path = fields.folder().join(&written.value);
            let read = std::fs::read_to_string(&path);
            read.map_err(|error| {
                let message = format!("failed to read `{}`: {error}", path.display());
                fields
                    .problem(Problem::new(&written.place, message).expected("a file of SQL, relative to the scenario"));
            })
            .ok()
        });
        json!({ "side": side, "schema": schema })
    }

    fn describe(&self, config: &Json) -> Vec<String> {
        let Ok(Settings { side, schema }) = settings(config) else { return Vec::new() };
        let then = if schema.is_some() { ", and run the schema of before" } else { "" };
        vec![format!("drop the {side}, make it anew{then}")]
    }

    async fn ready(&self, task: &StepTask, config: &Json, voice: &mut dyn StepVoice) -> Result<Json, StepError> {
        let Settings { side, schema } = settings(config)?;
        let address = task.addresses.get(side);
        let tables = read(address, voice).await?.close().await?;
        let lost = tables.iter().find(|(_, rows)| schema.is_none() || rows.rows > 0);
        if let Some((table, rows)) = lost {
            let what = if rows.rows > 0 { "its rows" } else { "it" };
            let what = format!(
                "{table} of the {side} is there already, and the way back `drop_recreate` would not bring {what} back"
            );
            return Err(StepError::Refused { what });
        }
        Ok(json!(backups_of(address)?.anew(address, address).await?))
    }

    async fn back(
        &self,
        task: &StepTask,
        config: &Json,
        ready: &Json,
        _voice: &mut dyn StepVoice,
    ) -> Result<StepDone, StepError> {
        let Settings { side, schema } = settings(config)?;
        let address = task.addresses.get(side);
        let anew: Vec<String> = settings(ready)?;
        backups_of(address)?.make_anew(address, &anew).await?;
        if let Some(schema) = schema {
            let mut session = task.connect(address).await?;
            session.execute(&schema).await?;
            session.close().await?;
        }
        Ok(StepDone::default())
    }
}
