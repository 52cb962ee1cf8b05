//! The whole history of somebody's migrations: each of them up, down and up again on a database that holds rows from
//! before it, then all of them down in a row and up again.
//!
//! Everything happens in databases of the run's own. The state before a migration is never reached by its way down, which
//! is what is under suspicion: where the engine can copy a database, the history goes on from a copy that was taken
//! behind the way up; elsewhere it is made anew from the ways up alone.

mod again;
mod chain;
mod command;
mod databases;
mod given;
mod judge;
mod kept;
mod moment;
mod play;
mod probe;
mod ready;
mod recorded;
mod round;
mod script;
mod verdict;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    Finished, Limits, RunError, Stop,
    frame::{self, Ending, Opening},
    recorder::EventSink,
    registry::Registry,
};
use crate::{
    migrate::layout,
    model::{Disorder, EngineId, RunId, Unchecked},
    provision::{External, UrlSource},
    scenario::Acceptance,
};

pub use given::{Given, given};
pub use verdict::accepts;

/// The name under which histories are reported.
pub const NAME: &str = "migrations";

/// How long a rehearsal that was asked to stop may take before it is left behind.
const GRACE: Duration = Duration::from_secs(10);

/// What the rehearsal of a history was asked to do, in a form that the journal keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryOptions {
    /// The folder of the migrations.
    pub folder: PathBuf,
    /// The engine that they are for.
    pub engine: EngineId,
    /// The version of its server.
    pub version: Option<String>,
    /// The provisioner, or `auto`.
    pub provider: Option<String>,
    /// An image for the container.
    pub image: Option<String>,
    /// The folder of rows that the user gives.
    pub rows_from: Option<PathBuf>,
    /// Rows that every table holds before a migration, as far as it can be filled.
    pub rows: u64,
    /// The root seed.
    pub root_seed: u64,
    /// Leave the database standing at the end.
    pub keep: bool,
    /// The least coverage, in per cent, that a pass needs.
    pub require_coverage: f64,
    /// Limits.
    pub limits: Limits,
    /// Where the run's own files go while it lasts.
    pub work_root: PathBuf,
    /// The program that step processes are started from.
    pub program: PathBuf,
}

/// Everything that the rehearsal of a history needs.
pub struct HistoryJob {
    /// The run.
    pub id: RunId,
    /// What it was asked to do.
    pub options: HistoryOptions,
    /// The migrations.
    pub history: layout::History,
    /// Positions of those to rehearse; the others are only gone through on the way to them.
    pub selected: BTreeSet<usize>,
    /// The revision with which the folder was compared.
    pub since: Option<String>,
    /// What is in disorder since then.
    pub disorder: Vec<Disorder>,
    /// What nobody can tell of that.
    pub unchecked: Vec<Unchecked>,
    /// Rows that the user gives.
    pub given: Given,
    /// What is known and accepted.
    pub acceptances: Vec<Acceptance>,
    /// The folder below which histories have one for their runs.
    pub out: PathBuf,
    /// Where runs that hold something are registered.
    pub registry: Registry,
    /// The arguments, passwords removed.
    pub command: Vec<String>,
    /// The command that repeats it.
    pub repeat: String,
    /// A server of the user's, if there is one.
    pub external: Option<External>,
    /// Finds URLs again.
    pub urls: Arc<dyn UrlSource + Send + Sync>,
    /// Whoever watches.
    pub sinks: Vec<Box<dyn EventSink>>,
    /// The wish to stop.
    pub stop: Stop,
}

/// Rehearses a history.
///
/// # Errors
/// Only if the run's own directory or journal cannot be written; everything else is in the report.
pub async fn history(job: HistoryJob) -> Result<Finished, RunError> {
    let directory = job.out.join(NAME).join(job.id.as_str());
    let opening = Opening {
        id: job.id.clone(),
        directory: directory.clone(),
        root_seed: job.options.root_seed,
        command: job.command,
        repeat: job.repeat,
        options: serde_json::json!({ NAME: job.options }),
    };
    let recorder = frame::open(opening, &job.registry, job.sinks)?;
    let work = job.options.work_root.join(format!("rehearse-{}", job.id));
    let (stop, keep) = (job.stop.clone(), job.options.keep);
    let subject = play::Subject {
        id: job.id.clone(),
        options: job.options,
        history: job.history,
        selected: job.selected,
        since: job.since,
        disorder: job.disorder,
        unchecked: job.unchecked,
        given: job.given,
        acceptances: job.acceptances,
        external: job.external,
        directory: directory.clone(),
        work,
        recorder: recorder.clone(),
        stop: job.stop,
    };
    let ending = Ending {
        id: &job.id,
        directory: &directory,
        recorder: &recorder,
        stop: &stop,
        registry: &job.registry,
        urls: &*job.urls,
        keep,
    };
    ending.after(play::play(subject), GRACE).await
}

/// What is wrong with the scripts that run when these migrations are rehearsed, found out without a server: each file, line
/// and problem. Those before them go up, and those behind them have no part in it.
pub fn preflight(
    folder: &Path,
    history: &layout::History,
    selected: &BTreeSet<usize>,
    engine: &dyn crate::engine::Engine,
) -> Vec<String> {
    let dialect = engine.dialect();
    let upto = selected.last().map_or(0, |last| last + 1);
    let scripts = history.migrations[..upto].iter().enumerate().flat_map(|(at, one)| {
        let others = [one.down.as_ref(), one.verify.as_ref()].into_iter().flatten();
        std::iter::once(&one.up).chain(others.filter(move |_| selected.contains(&at)))
    });
    let problems = scripts.filter_map(|script| {
        let error = script.statements(dialect).err()?;
        Some(format!("{}:{}: {}", folder.join(&script.file).display(), error.line, error.problem))
    });
    problems.collect()
}
