//! Ways back that a scenario states in place of a step's own: `rollback = { kind = "…" }` in its `[[step]]`.
//!
//! Each looks before the step goes forward whether it could bring back what is there, and refuses the step if not: tables
//! that hold rows already are not emptied in the end. A new kind is one file and one line in [`ALL`].

mod drop_recreate;
mod partial;
mod restore;
mod truncate;

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice};
use crate::{
    document::{Fields, Problem},
    model::{TableName, event::Direction},
};

/// The key of a step that states its way back, also in its configuration.
pub const KEY: &str = "rollback";
/// The journal's word for what a way back has to know of the time before its step.
const READY: &str = "rollback_ready";

/// Every kind.
pub const ALL: &[&dyn RollbackKind] =
    &[&truncate::Truncate, &drop_recreate::DropRecreate, &restore::Restore, &partial::Partial];

/// A way back.
#[async_trait]
pub trait RollbackKind: Sync {
    /// Its id in scenario files: `truncate`.
    fn id(&self) -> &'static str;

    /// Reads its own keys of `rollback`; problems are collected by `fields`.
    fn configure(&self, fields: &mut Fields<'_>) -> Json;

    /// What is wrong with it at its place in the scenario, by key.
    fn misplaced(&self, _config: &Json, _around: &Around<'_>) -> Vec<Misplaced> {
        Vec::new()
    }

    /// What it would do, for `rehearse plan`, one line each.
    fn describe(&self, config: &Json) -> Vec<String>;

    /// Looks, before the step goes forward, whether it could bring back what is there. The answer is what it has to know
    /// then.
    async fn ready(&self, task: &StepTask, config: &Json, voice: &mut dyn StepVoice) -> Result<Json, StepError>;

    /// Takes the step back, from wherever it got to, also a second time.
    async fn back(
        &self,
        task: &StepTask,
        config: &Json,
        ready: &Json,
        voice: &mut dyn StepVoice,
    ) -> Result<StepDone, StepError>;
}

/// A way back as a scenario states it.
struct Stated<'a> {
    kind: &'static dyn RollbackKind,
    config: &'a Json,
}

impl<'a> Stated<'a> {
    fn of(config: &'a Json) -> Option<Self> {
        let config = config.get(KEY)?;
        let id = config.get("kind")?.as_str()?;
        ALL.iter().copied().find(|kind| kind.id() == id).map(|kind| Self { kind, config })
    }
}

/// Reads `rollback` of a `[[step]]` into the step's configuration.
pub fn configure(fields: &mut Fields<'_>, kind: &dyn StepKind, around: Option<&Around<'_>>, config: &mut Json) {
    let Some(entry) = fields.optional(KEY) else { return };
    if !kind.may_go_back_otherwise() {
        let problem = Problem::new(entry.place(), format!("a step of kind `{}` has a way back of its own", kind.id()));
        return fields.problem(problem.expected("no `rollback`"));
    }
    if !fields.present(&["down"]).is_empty() {
        let problem = Problem::new(entry.place(), "`down` and `rollback` exclude each other");
        fields.problem(problem.expected("one way back"));
    }
    let Some(mut table) = entry.table() else { return };
    let names: Vec<&'static str> = ALL.iter().map(|kind| kind.id()).collect();
    let Some(written) = table.required_one_of("kind", "rollback kind", &names) else { return };
    let Some(kind) = ALL.iter().copied().find(|kind| kind.id() == written.value) else { return };
    let mut own = kind.configure(&mut table);
    if let Some(around) = around {
        super::misplaced(&mut table, kind.misplaced(&own, around));
    }
    table.finish();
    own["kind"] = json!(kind.id());
    if let Some(config) = config.as_object_mut() {
        config.insert(KEY.to_owned(), own);
    }
}

/// Whether a step has a way back: a stated one, or one of its kind.
pub fn has_way_back(kind: &dyn StepKind, config: &Json) -> bool {
    Stated::of(config).is_some() || kind.has_way_back(config)
}

/// What a step would do, for `rehearse plan`, one line each.
pub fn describe(kind: &dyn StepKind, config: &Json, direction: Direction) -> Vec<String> {
    match Stated::of(config).filter(|_| direction == Direction::Back) {
        Some(stated) => stated.kind.describe(stated.config),
        None => kind.describe(config, direction),
    }
}

/// Runs a step. Where it goes back by a stated way, that has to be possible first.
///
/// # Errors
/// Those of the step; or if its way back would not bring back what is there.
pub async fn forward(kind: &dyn StepKind, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    if let Some(stated) = Stated::of(&task.config)
        && ready(task).is_none()
    {
        let ready = stated.kind.ready(task, stated.config, voice).await?;
        voice.mark(json!({ READY: ready })).await?;
    }
    kind.forward(task, voice).await
}

/// Takes a step back: by the way that is stated, or by its own.
///
/// # Errors
/// Those of the way back.
pub async fn back(kind: &dyn StepKind, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
    let Some(stated) = Stated::of(&task.config) else { return kind.back(task, voice).await };
    match ready(task) {
        Some(ready) => stated.kind.back(task, stated.config, ready, voice).await,
        // It never began.
        None => Ok(StepDone::default()),
    }
}

/// What the last process that began the step left for the way back.
fn ready(task: &StepTask) -> Option<&Json> {
    task.marks.iter().rev().find_map(|mark| mark.get(READY))
}

/// The side whose data a way back brings back.
fn side(fields: &mut Fields<'_>) -> &'static str {
    fields.optional_one_of("side", "side", &["target", "source"]).map_or("target", |side| side.value)
}

/// A configuration as its kind knows it.
fn settings<T: serde::de::DeserializeOwned>(config: &Json) -> Result<T, StepError> {
    serde_json::from_value(config.clone())
        .map_err(|error| StepError::broken("read the configuration of the way back", error))
}

/// The names of tables in a list, as the catalogue spells them.
pub(super) fn table_name(fields: &Fields<'_>, written: &crate::document::Located<String>) -> Option<TableName> {
    match written.value.parse() {
        Ok(name) => Some(name),
        Err(message) => {
            fields.problem(Problem::new(&written.place, message));
            None
        }
    }
}
