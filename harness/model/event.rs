//! The one stream of events that a run emits: the journal stores it, progress and reports are folds over it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    Address, ChainReport, EngineId, Finding, HistoryReport, Lease, LossEntry, MigrationReport, Outcome, RunId, Side,
    Stage, StaleAcceptance, Unchecked, Verdict,
    coverage::Coverage,
    probe::Probed,
    report::{FileWitness, TableFingerprint},
};

/// Version of the journal's form. A journal of another version is refused with both numbers.
pub const JOURNAL_VERSION: u32 = 1;

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the stream, from 0 without holes.
    pub seq: u64,
    /// Wall clock, RFC 3339 in UTC.
    pub at: String,
    /// Milliseconds since the run started, over all of its processes.
    pub elapsed_ms: u64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// First of every journal.
    RunStarted(RunStarted),
    /// The run goes on in another process (`resume`, `rollback`).
    RunResumed {
        /// The verb that goes on with it.
        verb: String,
        /// Process id and start time of the process that now owns the run.
        process: ProcessStamp,
    },
    /// A rehearsal of one scenario on one pair of servers begins.
    ScenarioStarted {
        /// The scenario, with the target's version where it is rehearsed on several.
        name: String,
        /// Its title.
        title: String,
        /// Why the migration is done, where the scenario says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the target is going to be, who gives it, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<String>,
    },
    /// A server or file was found for one side.
    SideReady {
        /// Which side.
        side: Side,
        /// The engine.
        engine: EngineId,
        /// The version that the server or library says it has.
        version: String,
        /// The provisioner that gave it.
        provider: String,
        /// Why that provisioner.
        why: String,
        /// Where it is, for `status` and for resuming; without passwords.
        place: String,
        /// How the sessions to a server of the user's are encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        encryption: Option<String>,
    },
    /// A file of the user's that is read and must not change.
    FileWitnessed(FileWitness),
    /// Written and synced before the lease is taken.
    LeaseTaken {
        /// What will be held.
        lease: Lease,
    },
    /// Written after the lease was given back.
    LeaseReleased {
        /// Which one.
        lease: String,
    },
    /// Written and synced before a step starts.
    StepStarted(StepStamp),
    /// A durable mark inside a step, such as a finished batch. Its form is the step kind's own.
    StepMark {
        /// The step's id in the plan.
        step: String,
        /// The mark.
        mark: Json,
    },
    /// Rows so far. For progress only; never written to the journal.
    Progress {
        /// What is being done, as a reader would say it.
        doing: String,
        /// Rows so far.
        done: u64,
        /// Rows in all, where that is known.
        total: Option<u64>,
    },
    /// A step ended.
    StepFinished {
        /// The step's id in the plan.
        step: String,
        /// What became of it.
        outcome: Outcome,
        /// Rows that it moved.
        rows: u64,
        /// How long it took.
        duration_ms: u64,
        /// Figures of the step's own, by name (`export_rows_per_second`).
        figures: Vec<Figure>,
    },
    /// The state of one side was recorded.
    SnapshotTaken {
        /// At which stage.
        stage: Stage,
        /// Of which side.
        side: Side,
        /// The file in the run's directory that holds it whole.
        file: PathBuf,
        /// The fingerprints of its tables.
        tables: Vec<TableFingerprint>,
    },
    /// A check ended.
    CheckFinished(Box<CheckFinished>),
    /// A history of migrations was read, and its rehearsal begins.
    HistoryStarted(Box<HistoryReport>),
    /// One migration of it was rehearsed, or could not be.
    MigrationRehearsed(Box<MigrationReport>),
    /// All of its migrations went down in a row and up again.
    ChainRehearsed(Box<ChainReport>),
    /// An acceptance accepts nothing.
    AcceptanceStale(StaleAcceptance),
    /// A rehearsal ended.
    ScenarioFinished {
        /// The verdict after the scenario's expectation was applied.
        verdict: Verdict,
        /// What made the verdict worse than pass, one sentence each.
        reasons: Vec<String>,
        /// The rehearsal's coverage.
        coverage: Coverage,
    },
    /// A rehearsal could not be done here.
    ScenarioSkipped {
        /// The scenario.
        name: String,
        /// Its title.
        title: String,
        /// Why.
        reason: String,
        /// Waived by `--only-runnable`.
        waived: bool,
    },
    /// Something that a reader should know and that no other event carries.
    Note {
        /// A sentence.
        text: String,
    },
    /// Last of every whole journal.
    RunFinished {
        /// The run's verdict.
        verdict: Verdict,
        /// Databases were left standing on request.
        kept: bool,
    },
}

impl EventKind {
    /// Events that the journal must hold on disk before the act that they announce.
    pub const fn is_durable(&self) -> bool {
        matches!(
            self,
            Self::RunStarted(_)
                | Self::RunResumed { .. }
                | Self::LeaseTaken { .. }
                | Self::StepStarted(_)
                | Self::StepMark { .. }
                | Self::StepFinished { .. }
                | Self::RunFinished { .. }
        )
    }

    /// Events for progress alone, which the journal does not hold.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Progress { .. })
    }
}

/// The head of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`JOURNAL_VERSION`] of the tool that wrote it.
    pub journal_version: u32,
    /// The run.
    pub id: RunId,
    /// The root seed, below 2^53 so that every JSON reader keeps it.
    pub root_seed: u64,
    /// The arguments, passwords in URLs removed.
    pub command: Vec<String>,
    /// The command that repeats the run with the same seed.
    pub repeat: String,
    /// The tool's version.
    pub tool_version: String,
    /// The process that owns the run.
    pub process: ProcessStamp,
    /// What `resume` and `rollback` need: the run's options, in the runner's own form.
    pub options: Json,
}

/// A process that cannot be mistaken for another one that got the same number later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStamp {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)); 0 where there is no `/proc`.
    pub started: u64,
}

/// Which way a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Makes ready or releases; no part of the migration.
    Setup,
    /// The migration.
    Forward,
    /// The rollback.
    Back,
}

/// A step about to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStamp {
    /// Unique within the plan, such as `migrate/transfer` or `reapply/transfer`.
    pub step: String,
    /// The step's name in the scenario.
    pub name: String,
    /// Its kind, such as `transfer`.
    pub kind: String,
    /// Which way it runs.
    pub direction: Direction,
}

/// A figure of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Figure {
    /// Its name, with the unit last: `export_ms`.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// A check that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckFinished {
    /// The check's id.
    pub id: String,
    /// The stage that it looked at.
    pub stage: Stage,
    /// What became of it.
    pub outcome: Outcome,
    /// What it found.
    pub findings: Vec<Finding>,
    /// What it could not look at.
    pub unchecked: Vec<Unchecked>,
    /// Its part of the loss ledger.
    pub loss_ledger: Vec<LossEntry>,
    /// Its part of the coverage.
    pub coverage: Coverage,
    /// What probes saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probed: Vec<Probed>,
    /// How long it took.
    pub duration_ms: u64,
}

/// Connections to reattach to after an interruption are never in the journal; this is what a step's own process gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connections {
    /// The source.
    pub source: Address,
    /// The target.
    pub target: Address,
}
