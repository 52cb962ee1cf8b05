//! Files into tables one by one, each in a transaction of its own: one that cannot be taken is left out whole, and
//! named. A later step takes those that were left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    failed::{Failed, Failures},
    import::{Mark, given_up, rejected, take_back, told},
    incoming::{self, Incoming},
    input::Input,
    merge::{self, Counts},
    settings::{FailedFiles, Settings},
};
use crate::{
    engine::EngineError,
    migrate::{LeftOut, StepDone, StepError, StepTask, StepVoice, restore::keep},
    model::{TableName, catalogue::Table, chain, event::Figure},
};

/// A file that can be taken, as far as reading it tells.
struct Ready {
    path: PathBuf,
    /// Its tables, parents first.
    inputs: Vec<Input>,
}

/// How far an import got.
#[derive(Default)]
struct Progress {
    counts: Counts,
    notes: Vec<String>,
    taken: BTreeSet<PathBuf>,
    failed: Vec<Failed>,
    /// The file of which nobody knows whether its transaction came to its end.
    open: Option<PathBuf>,
}

impl Progress {
    /// As an earlier, interrupted process of the step left it.
    fn of(task: &StepTask) -> Self {
        let mut progress = Self::default();
        Mark::all(task).for_each(|mark| progress.accept(mark));
        progress
    }

    fn accept(&mut self, mark: Mark) {
        match mark {
            Mark::Importing(_) | Mark::TakenBack => *self = Self::default(),
            Mark::Taking(path) => self.open = Some(path),
            Mark::Taken { counts, notes } => {
                self.counts.add(&counts);
                self.notes.extend(notes);
                self.taken.extend(self.open.take());
            }
            Mark::Left(failed) => {
                self.open = None;
                self.failed.push(failed);
            }
            Mark::Imported(_) | Mark::Standing(_) => {}
        }
    }

    /// Keeps a mark, and knows it from then on.
    async fn mark(&mut self, mark: Mark, voice: &mut dyn StepVoice) -> Result<(), StepError> {
        voice.mark(mark.json()).await?;
        self.accept(mark);
        Ok(())
    }

    fn has(&self, path: &Path) -> bool {
        self.taken.contains(path) || self.failed.iter().any(|failed| failed.file == path)
    }
}

/// Imports the files of a step one by one.
pub(super) async fn import(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let (settings, asked) = asked(task, settings)?;
    if let (Some(step), true) = (&settings.retry, asked.as_ref().is_some_and(BTreeSet::is_empty)) {
        let notes = vec![format!("`{}`: step `{step}` left no file out, so that there is nothing to retry", task.name)];
        return Ok(StepDone { notes, retried: settings.retry, ..StepDone::default() });
    }
    let (mut progress, mut kept) = (Progress::default(), None);
    match Mark::last(task) {
        Some(Mark::Imported(_)) => return Ok(done(task, &settings, Progress::of(task))),
        Some(Mark::Importing(before)) => {
            progress = Progress::of(task);
            if progress.open.is_some() {
                take_back(task, &settings, voice).await?;
                progress = Progress::default();
            } else {
                kept = Some(before);
            }
        }
        _ => {}
    }
    let address = task.addresses.get(settings.side);
    let mut session = task.connect(address).await?;
    let tables = session.introspect().await?.tables;
    // A file is not to be open here while it is backed up.
    session.close().await?;
    let mut incoming = Incoming::of_step(task, &settings)?;
    incoming.retain(|one| {
        let path = &one.file.path;
        asked.as_ref().is_none_or(|asked| asked.contains(path)) && !progress.has(path)
    });
    let (ready, failed) = looked_through(&incoming, &settings, &tables, voice)?;
    let before = match kept {
        Some(before) => before,
        None => {
            let before = Some(keep(task, address, voice).await?);
            progress.mark(Mark::Importing(before.clone()), voice).await?;
            before
        }
    };
    match take(task, &settings, (ready, failed), &mut progress, voice).await {
        Ok(()) => {
            voice.mark(Mark::Imported(before).json()).await?;
            Ok(done(task, &settings, progress))
        }
        Err(error) => Err(given_up(task, &settings, before, error, voice).await),
    }
}

/// How files are read, and which of them, where not all of the step's.
fn asked(task: &StepTask, settings: &Settings) -> Result<(Settings, Option<BTreeSet<PathBuf>>), StepError> {
    let Some(step) = &settings.retry else { return Ok((settings.clone(), None)) };
    let Failures { files, settings: theirs } = Failures::of_step(task, step)?;
    let (conflicts, retry) = (settings.conflicts, settings.retry.clone());
    let own = Settings { conflicts, retry, failed_files: FailedFiles::Refuse, ..theirs };
    Ok((own, Some(files.into_iter().map(|failed| failed.file).collect())))
}

/// Reads every file to its end, and tells those that can be taken, parents first, from those that cannot.
fn looked_through(
    incoming: &[Incoming],
    settings: &Settings,
    tables: &BTreeMap<TableName, Table>,
    voice: &mut dyn StepVoice,
) -> Result<(Vec<Ready>, Vec<Failed>), StepError> {
    let mut files: Vec<(&Path, Vec<&Incoming>)> = Vec::new();
    let mut places = BTreeMap::new();
    for one in incoming {
        let path = one.file.path.as_path();
        let place = *places.entry(path).or_insert(files.len());
        match files.get_mut(place) {
            Some((_, of_file)) => of_file.push(one),
            None => files.push((path, vec![one])),
        }
    }
    let (mut ready, mut failed) = (Vec::new(), Vec::new());
    for (path, of_file) in files {
        match incoming::inputs(&of_file, settings, tables, voice) {
            Ok(inputs) => {
                ready.push(Ready { path: path.to_owned(), inputs: merge::parents_first(inputs, std::slice::from_ref) })
            }
            Err(error) => failed.push(Failed { file: path.to_owned(), reason: reason(error)? }),
        }
    }
    Ok((merge::parents_first(ready, |one| &one.inputs), failed))
}

/// Takes one file after the other. What cannot be taken is left out; a retry ends with the first thing that it would
/// leave out.
async fn take(
    task: &StepTask,
    settings: &Settings,
    (ready, failed): (Vec<Ready>, Vec<Failed>),
    progress: &mut Progress,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    for failed in failed {
        progress.mark(Mark::Left(failed), voice).await?;
    }
    // What cannot even be read will not be mended by what comes before it.
    refused_again(settings, progress)?;
    for Ready { path, inputs } in ready {
        if voice.is_stopping() {
            return Err(StepError::Interrupted);
        }
        progress.mark(Mark::Taking(path.clone()), voice).await?;
        let mark = match merge::merge(task, settings, &inputs, voice).await {
            Ok(counts) => Mark::Taken { counts, notes: rejected(&inputs) },
            Err(error) => {
                let reason = reason(error)?;
                merge::clear(task, task.addresses.get(settings.side)).await?;
                Mark::Left(Failed { file: path, reason })
            }
        };
        progress.mark(mark, voice).await?;
    }
    refused_again(settings, progress)?;
    if settings.retry.is_none() {
        Failures { files: progress.failed.clone(), settings: settings.clone() }.keep(task)?;
    }
    Ok(())
}

/// Ends a retry of which files would be left out.
fn refused_again(settings: &Settings, progress: &Progress) -> Result<(), StepError> {
    let Some(step) = settings.retry.as_ref().filter(|_| !progress.failed.is_empty()) else { return Ok(()) };
    let count = progress.failed.len();
    let files = if count == 1 { "one file".to_owned() } else { format!("{count} files") };
    let what = format!("{files} that step `{step}` left out cannot be taken again:\n{}", lines(&progress.failed));
    Err(StepError::Rejected { what })
}

/// Why a file cannot be taken.
///
/// # Errors
/// An error that is none of the file's.
fn reason(error: StepError) -> Result<String, StepError> {
    match error {
        StepError::Rejected { what } => Ok(what),
        StepError::Engine(EngineError::RowSource { source, .. }) => Ok(source.to_string()),
        StepError::Engine(EngineError::Refused { .. }) => Ok(chain(&error)),
        other => Err(other),
    }
}

fn lines(failed: &[Failed]) -> String {
    let told: Vec<String> = failed.iter().map(|one| format!("`{}`: {}", one.name(), one.reason)).collect();
    incoming::listed(&told, "\n")
}

/// What an import did, once it came to its end.
fn done(task: &StepTask, settings: &Settings, progress: Progress) -> StepDone {
    let Progress { counts, mut notes, taken, failed, .. } = progress;
    if !failed.is_empty() {
        let (step, count) = (&task.name, failed.len());
        notes.push(format!("`{step}` left out {count} of {} files:\n{}", count + taken.len(), lines(&failed)));
    }
    let mut done = told(&counts, notes);
    let figure = |name: &str, value: usize| Figure { name: name.to_owned(), value: value as f64 };
    done.figures.extend([figure("files_taken", taken.len()), figure("files_failed", failed.len())]);
    let left_out =
        |one: Failed| LeftOut { step: task.name.clone(), side: settings.side, file: one.name(), reason: one.reason };
    done.left_out = failed.into_iter().map(left_out).collect();
    done.retried.clone_from(&settings.retry);
    done
}
