//! Plays a run from its first event to its last: whatever happens in between, leases are given back and reports written.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    Options, Plan, RunError, Stop, clock,
    journal::Journal,
    process,
    recorder::{EventSink, Recorder},
    registry::{Entry, Registry},
    rehearsal::{Played, Rehearsal, Run},
    release,
    resume::Earlier,
};
use crate::{
    model::{
        Event, EventKind, Lease, LeaseKind, Redaction, Report, RunId, Verdict,
        event::{JOURNAL_VERSION, RunStarted},
    },
    provision::{External, UrlSource},
    report,
    scenario::Scenario,
};

/// How long a rehearsal that was asked to stop may take before it is left behind and its leases are given back anyway.
const GRACE: Duration = Duration::from_secs(120);

/// Everything that a run needs.
pub struct Job {
    /// The run.
    pub id: RunId,
    /// What it was asked to do.
    pub options: Options,
    /// What is rehearsed.
    pub scenario: Scenario,
    /// The folder below which each scenario has one for its runs.
    pub out: PathBuf,
    /// Where runs that hold something are registered.
    pub registry: Registry,
    /// The arguments, passwords removed.
    pub command: Vec<String>,
    /// The command that repeats it with the same seed.
    pub repeat: String,
    /// The user's own target, if there is one.
    pub external: Option<External>,
    /// Finds URLs again.
    pub urls: Arc<dyn UrlSource + Send + Sync>,
    /// Whoever watches.
    pub sinks: Vec<Box<dyn EventSink>>,
    /// The wish to stop.
    pub stop: Stop,
}

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

/// Plays a run.
///
/// # Errors
/// Only if the run's own directory or journal cannot be written; everything else is in the report.
pub async fn execute(job: Job) -> Result<Finished, RunError> {
    let directory = job.out.join(&job.scenario.name).join(job.id.as_str());
    fs::create_dir_all(&directory).map_err(|source| RunError::Journal { path: directory.clone(), source })?;
    job.registry.register(&Entry { id: job.id.clone(), directory: absolute(&directory) })?;
    let journal = Journal::create(&directory).or_else(|error| job.registry.forget(&job.id).and(Err(error)))?;
    let recorder = Recorder::new(journal, job.sinks, Vec::new());
    recorder.emit(EventKind::RunStarted(RunStarted {
        journal_version: JOURNAL_VERSION,
        id: job.id.clone(),
        root_seed: job.options.root_seed,
        command: job.command,
        repeat: job.repeat,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        process: process::current(),
        options: serde_json::to_value(&job.options).unwrap_or_default(),
    }))?;
    let work = job.options.work_root.join(format!("rehearse-{}", job.id));
    let run = Arc::new(Run {
        id: job.id.clone(),
        directory: directory.clone(),
        work,
        redaction: redaction(&job.options),
        options: job.options,
        scenario: job.scenario,
        recorder: recorder.clone(),
        stop: job.stop,
        external: job.external,
    });
    Play { run, urls: job.urls, registry: job.registry, first: 0, earlier: None }.play_out().await
}

pub(super) fn redaction(options: &Options) -> Redaction {
    if options.show_values { Redaction::Show } else { Redaction::Redact { salt: clock::salt() } }
}

/// A run that is being played, from whichever process.
pub(super) struct Play {
    pub run: Arc<Run>,
    pub urls: Arc<dyn UrlSource + Send + Sync>,
    pub registry: Registry,
    /// Position of the first rehearsal that is still to be played.
    pub first: usize,
    /// What an earlier process of the run had done of that rehearsal.
    pub earlier: Option<Earlier>,
}

impl Play {
    /// Plays the rehearsals, gives everything back, writes the reports.
    pub async fn play_out(self) -> Result<Finished, RunError> {
        let Self { run, urls, registry, first, earlier } = self;
        // A task of its own: a panic ends the task and not the run, which still has leases to give back.
        let mut task = tokio::spawn(rehearsals(Arc::clone(&run), Arc::clone(&urls), first, earlier));
        let grace = GRACE + Duration::from_millis(run.options.limits.reconnect_ms);
        let joined = tokio::select! {
            joined = &mut task => Some(joined),
            () = async { run.stop.asked().await; tokio::time::sleep(grace).await } => None,
        };
        let inconclusive = || Ok(Played { verdict: Verdict::Inconclusive, refused: false });
        let (played, panicked) = match joined {
            Some(Ok(played)) => (played, None),
            Some(Err(error)) => (inconclusive(), Some(panic_text(error))),
            None => {
                task.abort();
                (inconclusive(), None)
            }
        };
        match played {
            Ok(played) => end(&run, &*urls, &registry, played, panicked).await,
            // Nothing was done: the run stands as it stood, and can be taken up again or cleaned away.
            Err(error @ RunError::WrongState(_)) => Err(error),
            Err(error) => {
                let text = crate::model::chain(&error);
                let played = Played { verdict: Verdict::Inconclusive, refused: false };
                // The first error is the one to tell; this one is mostly the same, a journal that cannot be written.
                let _ = end(&run, &*urls, &registry, played, Some(text)).await;
                Err(error)
            }
        }
    }
}

/// Ends a run: leases first, whatever else may fail.
async fn end(
    run: &Run,
    urls: &dyn UrlSource,
    registry: &Registry,
    played: Played,
    failed: Option<String>,
) -> Result<Finished, RunError> {
    let recorder = &run.recorder;
    let has_begun = recorder.events().iter().any(|event| matches!(event.kind, EventKind::ScenarioStarted { .. }));
    let is_kept = run.options.keep && has_begun && !run.stop.is_asked() && failed.is_none();
    let stuck = if is_kept { Vec::new() } else { release::release_all(recorder, urls).await? };
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
        registry.forget(&run.id)?;
    }
    let report = write_reports(&run.directory, &recorder.events())?;
    Ok(Finished { report, directory: run.directory.clone(), refused: played.refused, stuck, panicked: failed })
}

async fn rehearsals(
    run: Arc<Run>,
    urls: Arc<dyn UrlSource + Send + Sync>,
    first: usize,
    mut earlier: Option<Earlier>,
) -> Result<Played, RunError> {
    make_work(&run).await?;
    let plan = Plan::of(&run.scenario, &run.options);
    let mut all = Played { verdict: Verdict::Pass, refused: false };
    for (position, rehearsal) in plan.rehearsals.into_iter().enumerate().skip(first) {
        let reason = match &earlier {
            _ if run.stop.is_asked() => Some("the run was interrupted".to_owned()),
            Some(_) => None,
            None => between(&run, &*urls).await?,
        };
        if let Some(reason) = reason {
            let (name, title) = (rehearsal.name, run.scenario.title.clone());
            run.recorder.emit(EventKind::ScenarioSkipped { name, title, reason, waived: false })?;
            all.verdict = all.verdict.merge(Verdict::Inconclusive);
            continue;
        }
        let rehearsal = Rehearsal::new(Arc::clone(&run), rehearsal, position);
        let played = match earlier.take() {
            Some(earlier) => rehearsal.go_on(earlier).await?,
            None => rehearsal.play().await?,
        };
        all.verdict = all.verdict.merge(played.verdict);
        all.refused |= played.refused;
    }
    Ok(all)
}

/// Makes the folder of the run's own files.
async fn make_work(run: &Run) -> Result<(), RunError> {
    let kind = LeaseKind::Directory { path: run.work.clone() };
    if run.recorder.leases().iter().all(|lease| lease.kind != kind) {
        run.recorder.emit(EventKind::LeaseTaken { lease: Lease { id: "directory-work".to_owned(), kind } })?;
    }
    // Servers of another account pass through this folder to their own.
    let made = fs::DirBuilder::new().recursive(true).mode(0o711).create(&run.work);
    made.map_err(|source| RunError::Journal { path: run.work.clone(), source })
}

/// Gives the servers of one rehearsal back before the next begins; the run's own folder stays. The answer is why the next
/// one cannot begin: its servers have the names of those that would not go.
async fn between(run: &Run, urls: &dyn UrlSource) -> Result<Option<String>, RunError> {
    let is_server = |kind: &LeaseKind| !matches!(kind, LeaseKind::Directory { .. });
    // The end of the run tries again, and tells.
    Ok(release::release(&run.recorder, urls, is_server).await?.into_iter().next())
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

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

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
