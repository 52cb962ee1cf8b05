//! Files into tables: all of them read first, then one transaction.

use std::{collections::BTreeSet, path::PathBuf, slice};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    failed::{Failed, Failures},
    incoming::{self, Incoming},
    input::Input,
    merge::{self, Counts},
    settings::{Conflicts, Settings},
};
use crate::{
    engine::EngineError,
    migrate::{
        StepDone, StepError, StepTask, StepVoice, engine_of,
        restore::{Before, bring_back, keep},
        rollback,
    },
    model::{TableName, chain, event::Figure},
};

/// What the journal knows about an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// How many rows each table has before an import that keeps nothing of them: that tells whether its transaction came to
    /// its end.
    Standing(Vec<(TableName, u64)>),
    /// What was there before is kept (unless the scenario states another way back); the target is written to next.
    Importing(Option<Before>),
    /// This file's transaction is next, where each has one of its own.
    Taking(PathBuf),
    /// Its rows are there.
    Taken {
        /// What became of them.
        counts: Counts,
        /// What a reader of the report should know of them.
        notes: Vec<String>,
    },
    /// Nothing of this file is there.
    Left(Failed),
    /// All rows are there.
    Imported(Option<Before>),
    /// The database is as it was.
    TakenBack,
}

impl Mark {
    pub fn json(&self) -> Json {
        json!(self)
    }

    /// The marks of a step, in their order.
    pub fn all(task: &StepTask) -> impl Iterator<Item = Self> {
        task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok())
    }

    /// The last one of the whole import.
    pub fn last(task: &StepTask) -> Option<Self> {
        Self::all(task).filter(|mark| matches!(mark, Self::Importing(_) | Self::Imported(_) | Self::TakenBack)).last()
    }
}

/// Imports the files of a step.
pub(super) async fn import(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    match Mark::last(task) {
        Some(Mark::Imported(_)) => return Ok(StepDone::default()),
        Some(Mark::Importing(None)) if is_committed(task, settings).await? => {
            voice.mark(Mark::Imported(None).json()).await?;
            return Ok(StepDone::default());
        }
        Some(Mark::Importing(_)) => take_back(task, settings, voice).await?,
        _ => {}
    }
    let address = task.addresses.get(settings.side);
    let mut session = task.connect(address).await?;
    let tables = session.introspect().await?.tables;
    // A file is not to be open here while it is backed up.
    session.close().await?;
    let incoming = Incoming::of_step(task, settings)?;
    let inputs = incoming::inputs(&incoming.iter().collect::<Vec<_>>(), settings, &tables, voice)?;
    let inputs = merge::parents_first(inputs, slice::from_ref);
    // Where tables are emptied, nobody else's way back may be there to take back what fails in the middle.
    let is_stated = task.config.get(rollback::KEY).is_some() && settings.conflicts != Conflicts::Clear;
    let before = if is_stated { None } else { Some(keep(task, address, voice).await?) };
    if before.is_none() {
        voice.mark(Mark::Standing(standing(task, settings, &inputs).await?).json()).await?;
    }
    voice.mark(Mark::Importing(before.clone()).json()).await?;
    match merge::merge(task, settings, &inputs, voice).await {
        Ok(counts) => {
            voice.mark(Mark::Imported(before).json()).await?;
            Ok(told(&counts, rejected(&inputs)))
        }
        Err(error) => {
            let error = match error {
                StepError::Engine(EngineError::RowSource { source, .. }) => {
                    StepError::Rejected { what: source.to_string() }
                }
                other => other,
            };
            Err(given_up(task, settings, before, error, voice).await)
        }
    }
}

/// How many rows the tables of an import have.
async fn standing(task: &StepTask, settings: &Settings, inputs: &[Input]) -> Result<Vec<(TableName, u64)>, StepError> {
    let names: BTreeSet<&TableName> = inputs.iter().map(|input| &input.table.name).collect();
    counted(task, settings, names.into_iter()).await
}

/// Whether the one transaction of an import that was killed came to its end. Rows that took the place of others, or were all
/// there, may come once more.
async fn is_committed(task: &StepTask, settings: &Settings) -> Result<bool, StepError> {
    let stood = Mark::all(task).filter_map(|mark| match mark {
        Mark::Standing(counts) => Some(counts),
        _ => None,
    });
    let Some(stood) = stood.last() else { return Ok(false) };
    Ok(counted(task, settings, stood.iter().map(|(table, _)| table)).await? != stood)
}

async fn counted(
    task: &StepTask,
    settings: &Settings,
    tables: impl Iterator<Item = &TableName>,
) -> Result<Vec<(TableName, u64)>, StepError> {
    let address = task.addresses.get(settings.side);
    let dialect = engine_of(address)?.dialect();
    let mut session = task.connect(address).await?;
    let mut counts = Vec::new();
    for table in tables {
        counts.push((table.clone(), merge::count(&dialect.table(table), &mut *session).await?));
    }
    session.close().await?;
    Ok(counts)
}

/// Takes everything back after an error, which is the answer.
pub(super) async fn given_up(
    task: &StepTask,
    settings: &Settings,
    before: Option<Before>,
    error: StepError,
    voice: &mut dyn StepVoice,
) -> StepError {
    let mut task = task.clone();
    task.marks.push(Mark::Importing(before).json());
    match take_back(&task, settings, voice).await {
        Ok(()) => error,
        Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
    }
}

/// Brings back what was there before an import.
pub(super) async fn take_back(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let Some(Mark::Importing(before) | Mark::Imported(before)) = Mark::last(task) else { return Ok(()) };
    let address = task.addresses.get(settings.side);
    match before {
        Some(before) => bring_back(task, address, &before, voice).await?,
        // All of it is one transaction; only what rows were put aside in may be left.
        None => merge::clear(task, address).await?,
    }
    Failures::remove(task)?;
    voice.mark(Mark::TakenBack.json()).await
}

/// What an import did, in figures.
pub(super) fn told(counts: &Counts, notes: Vec<String>) -> StepDone {
    let figure = |name: &str, value: u64| Figure { name: name.to_owned(), value: value as f64 };
    let mut figures = vec![
        figure("rows_read", counts.read),
        figure("rows_inserted", counts.inserted),
        figure("rows_skipped", counts.skipped),
        figure("rows_overwritten", counts.overwritten),
        figure("rows_rejected", counts.rejected),
    ];
    if counts.cleared > 0 {
        figures.push(figure("rows_cleared", counts.cleared));
    }
    StepDone { rows: counts.inserted + counts.overwritten, figures, notes, ..StepDone::default() }
}

/// One line for each file of which rows were rejected.
pub(super) fn rejected(inputs: &[Input]) -> Vec<String> {
    let note = |input: &Input| {
        let table = input.lenience.rejects.as_ref()?;
        let (file, rejected) = (input.file_name(), input.rejected.len());
        let told = format!("{rejected} of {} rows of {file} were rejected: {table} names line and reason", input.rows);
        (rejected > 0).then_some(told)
    };
    inputs.iter().filter_map(note).collect()
}
