//! Floor 3: kinds of steps, one file (or folder) each.
//!
//! A step kind knows how to go forward and how to go back. It runs in a child process of its own, so that a drill can
//! really kill it: everything it needs comes in a serialisable [`StepTask`], everything it has to say goes out through
//! a [`StepVoice`]. A new kind is one file and one line in [`ALL`].

mod aside;
pub mod backup;
pub mod command;
pub mod convert_uuid;
pub mod copy;
pub mod create_schema;
pub mod fence;
pub mod files;
pub mod layout;
pub mod migrations;
pub mod restore;
pub mod rollback;
pub mod sql;
pub mod switch;
pub mod transfer;
mod variables;

use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    canon::comparison::{Mapping, Stated},
    document::{Fields, Problem},
    engine::{self, Engine, EngineError, Session},
    model::{
        Address, EngineId, LossEntry, Side, Sides, TableName,
        event::{Direction, Figure},
    },
};

/// Every kind of step.
pub const ALL: &[&dyn StepKind] = &[
    &transfer::Transfer,
    &create_schema::CreateSchema,
    &convert_uuid::ConvertUuid,
    &command::Command,
    &sql::Sql,
    &switch::Switch,
    &backup::Backup,
    &restore::Restore,
    &files::Files,
    &copy::Copy,
    &migrations::Migrations,
    &fence::Fence,
];

/// The kind of this id.
pub fn by_id(id: &str) -> Option<&'static dyn StepKind> {
    ALL.iter().copied().find(|kind| kind.id() == id)
}

/// A kind of step.
#[async_trait]
pub trait StepKind: Sync {
    /// Its id in scenario files: `transfer`.
    fn id(&self) -> &'static str;

    /// One line on what it does.
    fn summary(&self) -> &'static str;

    /// Reads its own keys of a `[[step]]`; problems are collected by `fields`. The answer is its configuration as the
    /// child process will get it.
    fn configure(&self, fields: &mut Fields<'_>) -> Json;

    /// What it would do, for `rehearse plan`, one line each.
    fn describe(&self, config: &Json, direction: Direction) -> Vec<String>;

    /// What is wrong with a step at its place in the scenario, by key.
    fn misplaced(&self, _config: &Json, _around: &Around<'_>) -> Vec<Misplaced> {
        Vec::new()
    }

    /// Whether a scenario may state another way back in place of its own ([`rollback`]).
    fn may_go_back_otherwise(&self) -> bool {
        true
    }

    /// Whether there is a way back at all. Without one nothing behind the migration can be rehearsed.
    fn has_way_back(&self, _config: &Json) -> bool {
        true
    }

    /// Whether it writes to the source, so that the source's file does not stay the same to the bit.
    fn writes_source(&self, _config: &Json) -> bool {
        false
    }

    /// Whose database it backs up or restores by the product's own programs, where it does.
    fn dumps(&self, _config: &Json) -> Option<Side> {
        None
    }

    /// Beside whose database it needs a scratch database while it runs, where it does ([`StepTask::scratch`]).
    fn scratch(&self, _config: &Json) -> Option<Side> {
        None
    }

    /// The name of the backup of the user's that it restores into this database, looked at as before it is restored; `None`
    /// where it restores none of the user's.
    async fn given_backup(&self, _config: &Json, _address: &Address) -> Option<Result<String, StepError>> {
        None
    }

    /// What it states about how both sides compare, where its configuration says so.
    fn states(&self, _config: &Json) -> Option<Mapping> {
        None
    }

    /// Runs the step. On an error nothing of it stays, or the error says so ([`StepError::Unrestored`]).
    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError>;

    /// Takes the step back, from wherever it got to.
    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError>;

    /// Ends what of a step goes on outside of its own process. Called there when the step's work was dropped.
    async fn halt(&self) {}
}

/// What is around a step in its scenario.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The engines of both sides.
    pub engines: &'a Sides<EngineId>,
    /// The steps before it: name, kind and configuration.
    pub earlier: &'a [(String, &'static str, Json)],
}

/// What is wrong with a step at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The key that says so.
    pub key: &'static str,
    /// What is named there, in one word: `step`.
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// Which names would be right.
    pub known: Vec<String>,
}

/// Tells what is wrong with a step at its place.
pub fn misplaced(fields: &mut Fields<'_>, wrong: Vec<Misplaced>) {
    for Misplaced { key, what, name, known } in wrong {
        let place = fields.optional(key).map_or_else(|| fields.place().clone(), |entry| entry.place().clone());
        let problem = Problem::unknown(&place, what, &name, known.iter().map(String::as_str));
        fields.problem(if known.is_empty() { problem.expected("an earlier step of that kind") } else { problem });
    }
}

/// Everything that a step's own process needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepTask {
    /// The kind's id.
    pub kind: String,
    /// The step's name in the scenario.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// The kind's own configuration.
    pub config: Json,
    /// Both databases.
    pub addresses: Sides<Address>,
    /// What the scenario states about tables and columns.
    pub stated: Vec<Stated>,
    /// A folder for the step's own files, kept between going forward and going back.
    pub folder: PathBuf,
    /// The file in the run's own folder for what programs print that the step runs.
    #[serde(default)]
    pub log: Option<PathBuf>,
    /// Marks that an earlier, interrupted process of this step left.
    pub marks: Vec<Json>,
    /// How long to go on trying to reach a lost server, in milliseconds.
    pub reconnect_ms: u64,
    /// A database of the step's own, on the server of the side that it asked for ([`StepKind::scratch`]). It is for the step to
    /// make, and for the run to drop.
    #[serde(default)]
    pub scratch: Option<Address>,
}

impl StepTask {
    /// Whether it is to look, and to change nothing.
    pub fn is_setup(&self) -> bool {
        self.direction == Direction::Setup
    }

    /// Opens a session of one side.
    ///
    /// # Errors
    /// Those of [`Engine::connect`].
    pub async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, StepError> {
        Ok(engine_of(address)?.connect(address).await?)
    }

    /// Rows of a whole table of one side, as its server counts them.
    ///
    /// # Errors
    /// If the session does not answer with a number.
    pub async fn rows(&self, side: Side, table: &TableName, session: &mut dyn Session) -> Result<u64, StepError> {
        let dialect = engine_of(self.addresses.get(side))?.dialect();
        let answer = session.query(&format!("SELECT count(*) FROM {}", dialect.table(table))).await?;
        let text = answer.into_iter().flatten().next().flatten().unwrap_or_default();
        text.parse().map_err(|error| StepError::broken(format!("count the rows of `{table}`"), error))
    }
}

/// The engine of an address.
///
/// # Errors
/// If the address names an engine that is not registered: a journal of another version.
pub fn engine_of(address: &Address) -> Result<&'static dyn Engine, StepError> {
    engine::by_id(address.engine.as_str())
        .ok_or_else(|| StepError::broken("find the engine", format!("no engine is called `{}`", address.engine)))
}

/// How a step talks to the run that waits for it.
#[async_trait]
pub trait StepVoice: Send {
    /// A durable mark: returns when it is on disk, so that it can be made before the act that it announces.
    async fn mark(&mut self, mark: Json) -> Result<(), StepError>;

    /// Rows so far, for whoever watches.
    fn progress(&mut self, doing: &str, done: u64, total: Option<u64>);

    /// Whether the run wants the step to stop. Long stretches without an `await` ask now and then, and end with
    /// [`StepError::Interrupted`].
    fn is_stopping(&self) -> bool;
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    /// Rows that it moved.
    pub rows: u64,
    /// Figures of its own.
    pub figures: Vec<Figure>,
    /// What a reader of the report should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What it did not carry over, as sentences for the report.
    pub not_carried: Vec<NotCarried>,
    /// What it knows about tables and columns of the target that it made, where names and types alone would pair or
    /// compare them in another way.
    #[serde(default)]
    pub stated: Vec<Stated>,
    /// Rules by which what it held to be the same is the same.
    #[serde(default)]
    pub loss_ledger: Vec<LossEntry>,
    /// Files that it left out, and that a later step may take.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// The step whose left-out files it took, all of them.
    #[serde(default)]
    pub retried: Option<String>,
}

impl StepDone {
    /// Whether it tells what those who look at the result have to know.
    pub fn tells_later(&self) -> bool {
        let Self { not_carried, stated, loss_ledger, left_out, retried, .. } = self;
        let is_silent = not_carried.is_empty() && stated.is_empty() && loss_ledger.is_empty();
        !(is_silent && left_out.is_empty() && retried.is_none())
    }
}

/// A file that a step left out whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The step.
    pub step: String,
    /// Whose tables its rows are for.
    pub side: Side,
    /// The file's name.
    pub file: String,
    /// Why it could not be taken.
    pub reason: String,
}

impl LeftOut {
    /// Adds what a step left out, and takes away what it took of an earlier one.
    pub fn learn(known: &mut Vec<Self>, left_out: Vec<Self>, retried: Option<&str>) {
        known.retain(|one| Some(one.step.as_str()) != retried);
        let unknown: Vec<Self> = left_out.into_iter().filter(|one| !known.contains(one)).collect();
        known.extend(unknown);
    }
}

/// Something that a step did not carry over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// The object, as `class:name`.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// Why a step did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// It found the data wrong and stopped before changing anything: a check in the step's own right.
    #[error("{what}")]
    Rejected {
        /// What is wrong, naming file, table, row.
        what: String,
    },
    /// The target is not what the step may write to; nothing was written.
    #[error("{what}")]
    Refused {
        /// Why.
        what: String,
    },
    /// It failed; both databases are as they were.
    #[error("failed to {doing}")]
    Broken {
        /// What was being done.
        doing: String,
        /// Why.
        #[source]
        source: engine::BoxedError,
    },
    /// It failed, and what it had done could not be taken back.
    #[error("{what}; what was already written could not be taken back")]
    Unrestored {
        /// The first error.
        what: String,
        /// Why it could not be taken back.
        #[source]
        source: engine::BoxedError,
    },
    /// It failed, and whatever it had done stands until its way back.
    #[error("{what}")]
    Standing {
        /// What failed.
        what: String,
    },
    /// The engine failed; both databases are as they were.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The run asked it to stop.
    #[error("interrupted")]
    Interrupted,
}

impl StepError {
    /// A failure with its cause.
    pub fn broken(doing: impl Into<String>, source: impl Into<engine::BoxedError>) -> Self {
        Self::Broken { doing: doing.into(), source: source.into() }
    }
}
