//! `truncate`: tables that the step fills are emptied, and stay.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{RollbackKind, settings, side, table_name};
use crate::{
    document::{Fields, Problem},
    engine::emptiness::empty_tables,
    migrate::{StepDone, StepError, StepTask, StepVoice, engine_of},
    model::{Side, TableName},
};

/// Empties tables.
pub(super) struct Truncate;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    side: Side,
    tables: Vec<TableName>,
}

#[async_trait]
impl RollbackKind for Truncate {
    fn id(&self) -> &'static str {
        "truncate"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = side(fields);
        let written = fields.str_list("tables");
        if written.is_empty() {
            let problem = Problem::new(fields.place(), "names no table");
            fields.problem(problem.expected("`tables`, the tables that the step fills"));
        }
        let tables: Vec<TableName> = written.iter().filter_map(|name| table_name(fields, name)).collect();
        json!({ "side": side, "tables": tables })
    }

    fn describe(&self, config: &Json) -> Vec<String> {
        let Ok(Settings { side, tables }) = settings(config) else { return Vec::new() };
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        vec![format!("empty {} of the {side} in one act, counters back to their start", names.join(", "))]
    }

    async fn ready(&self, task: &StepTask, config: &Json, _voice: &mut dyn StepVoice) -> Result<Json, StepError> {
        let Settings { side, tables } = settings(config)?;
        let address = task.addresses.get(side);
        let mut session = task.connect(address).await?;
        let known = session.introspect().await?.tables;
        let named: Vec<&TableName> = tables.iter().filter(|name| known.contains_key(*name)).collect();
        // A table that the step makes is not there yet, and holds nothing.
        let empty = empty_tables(&mut *session, engine_of(address)?.dialect(), &named).await?;
        session.close().await?;
        match named.into_iter().find(|name| !empty.contains(*name)) {
            None => Ok(json!({})),
            Some(table) => Err(StepError::Refused {
                what: format!("{table} of the {side} holds rows already, and the way back `truncate` would lose them"),
            }),
        }
    }

    async fn back(
        &self,
        task: &StepTask,
        config: &Json,
        _ready: &Json,
        _voice: &mut dyn StepVoice,
    ) -> Result<StepDone, StepError> {
        let Settings { side, tables } = settings(config)?;
        let mut session = task.connect(task.addresses.get(side)).await?;
        let known = session.introspect().await?.tables;
        let tables: Vec<TableName> = tables.into_iter().filter(|name| known.contains_key(name)).collect();
        if !tables.is_empty() {
            session.truncate(&tables).await?;
        }
        session.close().await?;
        Ok(StepDone::default())
    }
}
