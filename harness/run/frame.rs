//! What every run has around that which it plays: a directory with a journal, an entry in the registry, leases that are
//! given back at the end, and reports.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value as Json;

use super::{
    RunError, Stop, clock,
    journal::Journal,
    process,
    recorder::{EventSink, Recorder},
    registry::{Entry, Registry},
    release,
};
use crate::{
    model::{
        Event, EventKind, Lease, LeaseKind, Redaction, Report, RunId, Verdict,
        event::{JOURNAL_VERSION, RunStarted},
    },
    provision::UrlSource,
    report,
};

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Its report.
    pub report: Report,
    /// The directory that holds journal and reports.
    pub directory: PathBuf,
    /// The user's database was refused before a write.
    pub refused: bool,
    /// What could not be given back, and why: `clean` tries again.
    pub stuck: Vec<String>,
    /// Rehearse itself failed: the message of a panic.
    pub panicked: Option<String>,
}

/// What a rehearsal or an audit came to.
pub(super) struct Played {
    /// Its verdict.
    pub verdict: Verdict,
    /// The user's database was refused before a write.
    pub refused: bool,
}

impl Played {
    /// Nothing is known.
    pub const INCONCLUSIVE: Self = Self { verdict: Verdict::Inconclusive, refused: false };
}

/// What the journal's first event says about a run.
pub(super) struct Opening {
    /// The run.
    pub id: RunId,
    /// Where its reports go.
    pub directory: PathBuf,
    /// The seed that everything random derives from.
    pub root_seed: u64,
    /// The arguments, passwords removed.
    pub command: Vec<String>,
    /// The command that repeats it.
    pub repeat: String,
    /// What it was asked to do.
    pub options: Json,
}

/// Registers a run and begins its journal.
pub(super) fn open(
    opening: Opening,
    registry: &Registry,
    sinks: Vec<Box<dyn EventSink>>,
) -> Result<Recorder, RunError> {
    let Opening { id, directory, root_seed, command, repeat, options } = opening;
    fs::create_dir_all(&directory).map_err(|source| RunError::Journal { path: directory.clone(), source })?;
    let absolute = std::path::absolute(&directory).unwrap_or_else(|_| directory.clone());
    registry.register(&Entry { id: id.clone(), directory: absolute })?;
    let journal = Journal::create(&directory).or_else(|error| registry.forget(&id).and(Err(error)))?;
    let recorder = Recorder::new(journal, sinks, Vec::new());
    recorder.emit(EventKind::RunStarted(RunStarted {
        journal_version: JOURNAL_VERSION,
        id,
        root_seed,
        command,
        repeat,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        process: process::current(),
        options,
    }))?;
    Ok(recorder)
}

/// What is needed to end a run.
pub(super) struct Ending<'a> {
    /// The run.
    pub id: &'a RunId,
    /// Where its reports go.
    pub directory: &'a Path,
    /// Where events go.
    pub recorder: &'a Recorder,
    /// The wish to stop.
    pub stop: &'a Stop,
    /// Where the run is registered.
    pub registry: &'a Registry,
    /// Finds URLs again.
    pub urls: &'a (dyn UrlSource + Send + Sync),
    /// Whether what it holds may be left standing.
    pub keep: bool,
}

impl Ending<'_> {
    /// Plays the run's work and ends the run, whatever becomes of the work. `grace` is how long work that was asked to stop
    /// may take before it is left behind.
    pub async fn after<W>(self, work: W, grace: Duration) -> Result<Finished, RunError>
    where
        W: Future<Output = Result<Played, RunError>> + Send + 'static,
    {
        // A task of its own: a panic ends the task and not the run, which still has leases to give back.
        let mut task = tokio::spawn(work);
        let joined = tokio::select! {
            joined = &mut task => Some(joined),
            () = async { self.stop.asked().await; tokio::time::sleep(grace).await } => None,
        };
        let (played, panicked) = match joined {
            Some(Ok(played)) => (played, None),
            Some(Err(error)) => (Ok(Played::INCONCLUSIVE), Some(panic_text(error))),
            None => {
                task.abort();
                (Ok(Played::INCONCLUSIVE), None)
            }
        };
        match played {
            Ok(played) => self.end(played, panicked).await,
            // Nothing was done: the run stands as it stood, and can be taken up again or cleaned away.
            Err(error @ RunError::WrongState(_)) => Err(error),
            Err(error) => {
                let text = crate::model::chain(&error);
                // The first error is the one to tell; this one is mostly the same, a journal that cannot be written.
                let _ = self.end(Played::INCONCLUSIVE, Some(text)).await;
                Err(error)
            }
        }
    }

    /// Ends the run: leases first, whatever else may fail.
    async fn end(self, played: Played, failed: Option<String>) -> Result<Finished, RunError> {
        let recorder = self.recorder;
        let has_begun = recorder.events().iter().any(|event| matches!(event.kind, EventKind::ScenarioStarted { .. }));
        let is_kept = self.keep && has_begun && !self.stop.is_asked() && failed.is_none();
        let stuck = if is_kept { Vec::new() } else { release::release_all(recorder, self.urls).await? };
        let failure = failed.iter().map(|text| format!("rehearse itself failed: {text}"));
        for text in failure.chain(stuck.iter().cloned()) {
            recorder.emit(EventKind::Note { text })?;
        }
        let mut verdict = if stuck.is_empty() { played.verdict } else { played.verdict.merge(Verdict::Inconclusive) };
        // Rehearsals that earlier processes of the run played count, too.
        for scenario in Report::from_events(&recorder.events()).iter().flat_map(|report| &report.scenarios) {
            verdict = verdict.merge(scenario.verdict);
        }
        if !has_begun {
            // Skips can be waived; that nothing was proven cannot.
            recorder.emit(EventKind::Note { text: "nothing ran, so nothing was proven".to_owned() })?;
            verdict = verdict.merge(Verdict::Inconclusive);
        }
        recorder.emit(EventKind::RunFinished { verdict, kept: is_kept })?;
        if stuck.is_empty() && !is_kept {
            self.registry.forget(self.id)?;
        }
        let report = write_reports(self.directory, &recorder.events())?;
        Ok(Finished { report, directory: self.directory.to_owned(), refused: played.refused, stuck, panicked: failed })
    }
}

/// Makes the folder of a run's own files.
pub(super) fn make_work(recorder: &Recorder, work: &Path) -> Result<(), RunError> {
    let kind = LeaseKind::Directory { path: work.to_owned() };
    if recorder.leases().iter().all(|lease| lease.kind != kind) {
        recorder.emit(EventKind::LeaseTaken { lease: Lease { id: "directory-work".to_owned(), kind } })?;
    }
    // Servers of another account pass through this folder to their own.
    let made = fs::DirBuilder::new().recursive(true).mode(0o711).create(work);
    made.map_err(|source| RunError::Journal { path: work.to_owned(), source })
}

/// How rows' values may be shown.
pub(super) fn redaction(show_values: bool) -> Redaction {
    if show_values { Redaction::Show } else { Redaction::Redact { salt: clock::salt() } }
}

/// Writes every report of a run into its directory, and points `latest` at it.
///
/// # Errors
/// If the journal names no run, or a file cannot be written.
pub fn write_reports(directory: &Path, events: &[Event]) -> Result<Report, RunError> {
    let report = Report::from_events(events).ok_or_else(|| RunError::UnreadableJournal {
        path: directory.to_owned(),
        problem: "names no run".to_owned(),
    })?;
    for format in report::ALL {
        let path = directory.join(format.file_name());
        let mut text = Vec::new();
        let written = format.render(&report, &mut text).map_err(io::Error::other).and_then(|()| fs::write(&path, text));
        written.map_err(|source| RunError::Journal { path, source })?;
    }
    latest(directory).map_err(|source| RunError::Journal { path: directory.to_owned(), source })?;
    Ok(report)
}

/// Replaces the link `latest` beside the run's directory in one act.
fn latest(directory: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else { return Ok(()) };
    let fresh = parent.join(format!(".latest-{}", std::process::id()));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(name, &fresh)?;
    fs::rename(fresh, parent.join("latest"))
}

/// What a task that panicked said.
fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned()),
        Err(error) => error.to_string(),
    }
}
