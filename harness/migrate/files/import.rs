//! Files into tables: all of them read first, then one transaction.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    Conflicts, Settings,
    export::{Listed, Manifest},
    input::{Input, Opened},
    merge::{self, Counts},
};
use crate::{
    engine::{EngineError, Session},
    migrate::{
        StepDone, StepError, StepTask, StepVoice,
        restore::{Before, bring_back, keep},
        rollback,
    },
    model::{TableName, chain, event::Figure},
};

/// Files that are wrong, of which each is told.
const FAILED: usize = 20;

/// What the journal knows about an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// What was there before is kept (unless the scenario states another way back); the target is written to next.
    Importing(Option<Before>),
    /// All rows are there.
    Imported(Option<Before>),
    /// The database is as it was.
    TakenBack,
}

impl Mark {
    fn json(&self) -> Json {
        json!(self)
    }
}

/// Imports the files of a step.
pub(super) async fn import(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    match last(task) {
        Some(Mark::Imported(_)) => return Ok(StepDone::default()),
        Some(Mark::Importing(_)) => take_back(task, settings, voice).await?,
        Some(Mark::TakenBack) | None => {}
    }
    let address = task.addresses.get(settings.side);
    let mut session = task.connect(address).await?;
    let mut inputs = inputs(task, settings, &mut *session).await?;
    // A file is not to be open here while it is backed up.
    session.close().await?;
    all(inputs.iter_mut().map(|input| tokio::task::block_in_place(|| input.look_through(voice))))?;
    let inputs = merge::parents_first(inputs);
    // Where tables are emptied, nobody else's way back may be there to take back what fails in the middle.
    let is_stated = task.config.get(rollback::KEY).is_some() && settings.conflicts != Conflicts::Clear;
    let before = if is_stated { None } else { Some(keep(task, address, voice).await?) };
    voice.mark(Mark::Importing(before.clone()).json()).await?;
    match merge::merge(task, settings, &inputs, voice).await {
        Ok(counts) => {
            voice.mark(Mark::Imported(before).json()).await?;
            Ok(told(&inputs, &counts))
        }
        Err(error) => {
            let error = match error {
                StepError::Engine(EngineError::RowSource { source, .. }) => {
                    StepError::Rejected { what: source.to_string() }
                }
                other => other,
            };
            match take_back(&with_mark(task, &Mark::Importing(before)), settings, voice).await {
                Ok(()) => Err(error),
                Err(source) => Err(StepError::Unrestored { what: chain(&error), source: Box::new(source) }),
            }
        }
    }
}

/// Brings back what was there before an import.
pub(super) async fn take_back(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let Some(Mark::Importing(before) | Mark::Imported(before)) = last(task) else { return Ok(()) };
    let address = task.addresses.get(settings.side);
    match before {
        Some(before) => bring_back(task, address, &before, voice).await?,
        // All of it is one transaction; only what rows were put aside in may be left.
        None => merge::clear(task, address).await?,
    }
    voice.mark(Mark::TakenBack.json()).await
}

fn with_mark(task: &StepTask, mark: &Mark) -> StepTask {
    let mut task = task.clone();
    task.marks.push(mark.json());
    task
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}

fn told(inputs: &[Input], counts: &Counts) -> StepDone {
    let figure = |name: &str, value: u64| Figure { name: name.to_owned(), value: value as f64 };
    let read = inputs.iter().map(|input| input.rows).sum();
    let mut figures = vec![
        figure("rows_read", read),
        figure("rows_inserted", counts.inserted),
        figure("rows_skipped", counts.skipped),
        figure("rows_overwritten", counts.overwritten),
        figure("rows_rejected", inputs.iter().map(|input| input.rejected.len() as u64).sum()),
    ];
    if counts.cleared > 0 {
        figures.push(figure("rows_cleared", counts.cleared));
    }
    let note = |input: &Input| {
        let table = input.lenience.rejects.as_ref()?;
        let (file, rejected) = (input.file_name(), input.rejected.len());
        let told = format!("{rejected} of {} rows of {file} were rejected: {table} names line and reason", input.rows);
        (rejected > 0).then_some(told)
    };
    let notes = inputs.iter().filter_map(note).collect();
    StepDone { rows: counts.inserted + counts.overwritten, figures, notes, ..StepDone::default() }
}

/// Which files go into which tables.
async fn inputs(task: &StepTask, settings: &Settings, session: &mut dyn Session) -> Result<Vec<Input>, StepError> {
    let tables = session.introspect().await?.tables;
    let table = |name: &TableName, file: &PathBuf| {
        let what = || format!("`{}`: the {} has no table {name}", file.display(), settings.side);
        tables.get(name).cloned().ok_or_else(|| StepError::Rejected { what: what() })
    };
    let Some(from) = &settings.from else {
        let (form, dialect) = settings.written.known()?;
        let of = |file: &super::GivenFile| {
            let table = table(&file.table, &file.path)?;
            let file_of = Opened { path: file.path.clone(), sheet: None, form, dialect: dialect.clone() };
            file_of.examine()?;
            Input::of(file_of, table, &settings.lenience, &file.columns, None)
        };
        return all(settings.files.iter().map(of));
    };
    let folder = super::folder(&task.folder.with_file_name(from));
    let manifest = Manifest::of_step(task, from)?;
    let (form, dialect) = manifest.written.known()?;
    let opened = |listed: &Listed| {
        let path = folder.join(&listed.file);
        Opened { path, sheet: listed.sheet.clone(), form, dialect: dialect.clone() }
    };
    let input = |listed: &Listed| {
        let file = opened(listed);
        let into = settings.into.iter().find(|(from, _)| *from == listed.table).map(|(_, into)| into);
        let table = table(into.unwrap_or(&listed.table), &file.path)?;
        Input::of(file, table, &settings.lenience, &[], Some(&listed.columns))
    };
    // A file is looked at once, however many tables it holds, and nothing is read from one that is wrong.
    let mut seen = BTreeSet::new();
    let files = manifest.tables.iter().filter(|listed| seen.insert(&listed.file));
    all(files.map(|listed| opened(listed).is_as_written(listed).and_then(|()| opened(listed).examine())))?;
    let unknown = settings.into.iter().find(|(from, _)| manifest.tables.iter().all(|listed| listed.table != *from));
    if let Some((table, _)) = unknown {
        return Err(StepError::Rejected { what: format!("the export of step `{from}` has no table {table}") });
    }
    all(manifest.tables.iter().map(input))
}

/// All of them, or every one that is wrong.
fn all<T>(each: impl Iterator<Item = Result<T, StepError>>) -> Result<Vec<T>, StepError> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for one in each {
        match one {
            Ok(one) => right.push(one),
            Err(StepError::Rejected { what }) => wrong.push(what),
            Err(other) => return Err(other),
        }
    }
    match wrong.len() {
        0 => Ok(right),
        1 => Err(StepError::Rejected { what: wrong.remove(0) }),
        total => {
            let more = if total > FAILED { format!("\nand {} more", total - FAILED) } else { String::new() };
            let told = wrong[..total.min(FAILED)].join("\n");
            Err(StepError::Rejected { what: format!("{total} files or sheets are wrong:\n{told}{more}") })
        }
    }
}
