//! An audit: the checks alone, read-only, on two databases that are there already.
//!
//! Nothing is provisioned and nothing is written to either side. Both sides are read in one read-only transaction each,
//! so that all checks see the state of one moment; a SQLite file is read in a private copy, because a reader of the file
//! itself would keep its writers waiting for as long as the audit lasts.

mod act;
mod baseline;
mod settle;
mod side;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    FailOn, Finished, RunError, Stop,
    frame::{self, Ending, Opening},
    recorder::{EventSink, Recorder},
    registry::Registry,
};
use crate::{
    canon::comparison::Mapping,
    check::{Manner, Resources},
    model::{Redaction, RunId, Side, Sides},
    provision::UrlSource,
};
pub use baseline::{Baseline, Single, load};
pub use side::Given;

/// The name under which audits are reported.
pub const NAME: &str = "audit";

/// How long an audit that was asked to stop may take before it is left behind.
const GRACE: Duration = Duration::from_secs(10);

/// What an audit was asked to do, in a form that the journal keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditOptions {
    /// Show rows' values in reports.
    pub show_values: bool,
    /// The least coverage, in per cent, that a pass needs.
    pub require_coverage: f64,
    /// Which findings make a check fail.
    pub fail_on: FailOn,
    /// How considerately the sides are read.
    pub manner: Manner,
    /// A role that could write is refused.
    pub require_readonly_role: bool,
    /// How long to wait before rows that differ are read again, in milliseconds; 0: they are read once.
    pub settle_ms: u64,
    /// What is stated about how the sides compare, and what of them was asked for.
    pub mapping: Mapping,
    /// The longest that one check may take, in milliseconds.
    pub act_ms: u64,
    /// Where the run's own files go while it lasts.
    pub work_root: PathBuf,
    /// What a check may take of this machine.
    pub resources: Resources,
}

/// Everything that an audit needs.
pub struct AuditJob {
    /// The run.
    pub id: RunId,
    /// What it was asked to do.
    pub options: AuditOptions,
    /// The databases.
    pub sides: Sides<Given>,
    /// One of them alone, and its baseline.
    pub single: Option<(Side, Single)>,
    /// The folder below which audits have one for their runs.
    pub out: PathBuf,
    /// Where runs that hold something are registered.
    pub registry: Registry,
    /// The arguments, passwords removed.
    pub command: Vec<String>,
    /// The command that repeats it.
    pub repeat: String,
    /// Finds URLs again.
    pub urls: Arc<dyn UrlSource + Send + Sync>,
    /// Whoever watches.
    pub sinks: Vec<Box<dyn EventSink>>,
    /// The wish to stop.
    pub stop: Stop,
}

/// An audit that is being played.
struct Audit {
    id: RunId,
    options: AuditOptions,
    sides: Sides<Given>,
    single: Option<(Side, Single)>,
    /// The folder of its own files.
    work: PathBuf,
    recorder: Recorder,
    redaction: Redaction,
    stop: Stop,
}

/// Plays an audit.
///
/// # Errors
/// Only if the run's own directory or journal cannot be written; everything else is in the report.
pub async fn audit(job: AuditJob) -> Result<Finished, RunError> {
    let directory = job.out.join(NAME).join(job.id.as_str());
    let opening = Opening {
        id: job.id.clone(),
        directory: directory.clone(),
        root_seed: 0,
        command: job.command,
        repeat: job.repeat,
        options: serde_json::json!({ NAME: job.options }),
    };
    let recorder = frame::open(opening, &job.registry, job.sinks)?;
    let audit = Audit {
        id: job.id.clone(),
        work: job.options.work_root.join(format!("rehearse-{}", job.id)),
        redaction: frame::redaction(job.options.show_values),
        options: job.options,
        sides: job.sides,
        single: job.single,
        recorder: recorder.clone(),
        stop: job.stop.clone(),
    };
    let ending = Ending {
        id: &job.id,
        directory: &directory,
        recorder: &recorder,
        stop: &job.stop,
        registry: &job.registry,
        urls: &*job.urls,
        keep: false,
    };
    ending.after(audit.play(), GRACE).await
}
