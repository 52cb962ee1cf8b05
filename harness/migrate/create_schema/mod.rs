//! `create_schema`: the target's schema, derived from the source's catalogue and content.
//!
//! Two parts, with the rows between them: `tables` makes tables and columns, `keys` everything that is quicker and surer
//! to make when the rows are there. Types come from what is declared *and* what is stored; what cannot be carried over, or
//! becomes something else than it was declared for, is named.
//!
//! The source is an engine whose rows may hold anything (SQLite), the target one whose types bind.

mod default;
mod derive;
mod expression;
mod keys;
mod kind;
mod link;
mod naming;
mod tables;
#[cfg(test)]
mod tests;

use std::{
    fs,
    future::Future,
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::{StepDone, StepError, StepKind, StepTask, StepVoice, engine_of};
use crate::{
    document::Fields,
    engine::EngineError,
    model::{chain, event::Direction},
};

pub use derive::{Content, Derived, Later, Part, derive};

/// The file in which the part `tables` leaves the derived schema for the part `keys`, beside the steps' own folders.
const FILE: &str = "derived-schema.json";

/// The target's schema, derived from the source.
pub struct CreateSchema;

#[async_trait]
impl StepKind for CreateSchema {
    fn id(&self) -> &'static str {
        "create_schema"
    }

    fn summary(&self) -> &'static str {
        "derives the target's tables, types, keys and indexes from what the source declares and holds"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let part = fields.required_one_of("part", "part", &["tables", "keys"]);
        json!({ "part": part.map_or("tables", |written| written.value) })
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let lines: &[&str] = match (is_keys(config), direction) {
            (false, Direction::Back) => &["drop the tables that the step made"],
            (true, Direction::Back) => &["drop the keys, indexes and constraints that the step made"],
            (false, _) => &[
                "profile every column: storage classes, ranges, forms of text",
                "derive types, names, defaults and NOT NULL; name what is not carried",
                "create tables and columns in one transaction",
            ],
            (true, _) => &[
                "create primary keys, uniques, indexes and CHECK constraints",
                "create foreign keys, NOT VALID where rows have no parent",
                "set counters as far as the source's",
            ],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        if is_keys(&task.config) { keys::forward(task, voice).await } else { tables::forward(task, voice).await }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        if is_keys(&task.config) {
            keys::back(task, voice).await?
        } else {
            tables::back(task, voice).await?
        }
        Ok(StepDone::default())
    }
}

fn is_keys(config: &Json) -> bool {
    config["part"] == "keys"
}

/// Where the derived schema is written.
fn path(task: &StepTask) -> PathBuf {
    task.folder.parent().unwrap_or(&task.folder).join(FILE)
}

/// Reads what the part `tables` derived; `None` if it did not run.
fn read(task: &StepTask) -> Result<Option<Derived>, StepError> {
    let path = path(task);
    let broken = |error: io::Error| StepError::broken(format!("read `{}`", path.display()), error);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| broken(error.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken(error)),
    }
}

/// Runs statements one by one on a fresh connection of the target; starts over while the server is away, until the
/// deadline. They have to be such that it does no harm to run them twice.
async fn insist(task: &StepTask, statements: &[String]) -> Result<(), StepError> {
    let deadline = Instant::now() + Duration::from_millis(task.reconnect_ms);
    let mut pause = Duration::from_millis(50);
    loop {
        let attempt = async {
            let mut session = task.connect(&task.addresses.target).await?;
            for statement in statements {
                session.execute(statement).await?;
            }
            session.close().await?;
            Ok(())
        };
        match attempt.await {
            Err(StepError::Engine(EngineError::Unavailable { .. })) if Instant::now() < deadline => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            other => return other,
        }
    }
}

/// Takes back what was begun after an error, and gives the error that tells both.
async fn after(error: StepError, taking_back: impl Future<Output = Result<(), StepError>>) -> StepError {
    match taking_back.await {
        Ok(()) => error,
        Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
    }
}

/// Refuses engines that this step is not made for.
fn check_engines(task: &StepTask) -> Result<(), StepError> {
    let (source, target) = (engine_of(&task.addresses.source)?, engine_of(&task.addresses.target)?);
    if source.dialect().enforces_types() || !target.dialect().enforces_types() {
        let what =
            format!("no schema is derived from {} to {}: only from SQLite to a server", source.title(), target.title());
        return Err(StepError::Refused { what });
    }
    Ok(())
}
