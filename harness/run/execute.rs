//! Plays a run from its first event to its last: whatever happens in between, leases are given back and reports written.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    Finished, Options, Plan, RunError, Stop,
    frame::{self, Ending, Opening, Played, redaction},
    recorder::EventSink,
    registry::Registry,
    rehearsal::{Rehearsal, Run},
    release,
    resume::Earlier,
};
use crate::{
    model::{EventKind, LeaseKind, RunId, Verdict},
    provision::{External, UrlSource},
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

/// Plays a run.
///
/// # Errors
/// Only if the run's own directory or journal cannot be written; everything else is in the report.
pub async fn execute(job: Job) -> Result<Finished, RunError> {
    let directory = job.out.join(&job.scenario.name).join(job.id.as_str());
    let opening = Opening {
        id: job.id.clone(),
        directory: directory.clone(),
        root_seed: job.options.root_seed,
        command: job.command,
        repeat: job.repeat,
        options: serde_json::to_value(&job.options).unwrap_or_default(),
    };
    let recorder = frame::open(opening, &job.registry, job.sinks)?;
    let work = job.options.work_root.join(format!("rehearse-{}", job.id));
    let run = Arc::new(Run {
        id: job.id.clone(),
        directory: directory.clone(),
        work,
        redaction: redaction(job.options.show_values),
        options: job.options,
        scenario: job.scenario,
        recorder: recorder.clone(),
        stop: job.stop,
        external: job.external,
    });
    Play { run, urls: job.urls, registry: job.registry, first: 0, earlier: None }.play_out().await
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
        let work = rehearsals(Arc::clone(&run), Arc::clone(&urls), first, earlier);
        let grace = GRACE + Duration::from_millis(run.options.limits.reconnect_ms);
        let ending = Ending {
            id: &run.id,
            directory: &run.directory,
            recorder: &run.recorder,
            stop: &run.stop,
            registry: &registry,
            urls: &*urls,
            keep: run.options.keep,
        };
        ending.after(work, grace).await
    }
}

async fn rehearsals(
    run: Arc<Run>,
    urls: Arc<dyn UrlSource + Send + Sync>,
    first: usize,
    mut earlier: Option<Earlier>,
) -> Result<Played, RunError> {
    frame::make_work(&run.recorder, &run.work)?;
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

/// Gives the servers of one rehearsal back before the next begins; the run's own folder stays. The answer is why the next
/// one cannot begin: its servers have the names of those that would not go.
async fn between(run: &Run, urls: &dyn UrlSource) -> Result<Option<String>, RunError> {
    let is_server = |kind: &LeaseKind| !matches!(kind, LeaseKind::Directory { .. });
    // The end of the run tries again, and tells.
    Ok(release::release(&run.recorder, urls, is_server).await?.into_iter().next())
}
