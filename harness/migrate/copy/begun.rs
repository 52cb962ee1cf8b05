//! What the journal holds of a copy, and how everything that it wrote is taken back.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ledger::Ledger;
use crate::{
    engine::{AsideScript, EngineError, Session},
    migrate::{StepError, StepTask, StepVoice, aside, engine_of},
    model::{Side, TableName, chain},
};

/// Each mark is on disk before the act that it announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "copy", rename_all = "snake_case")]
pub(super) enum Mark {
    /// The target's tables were empty and are about to be written to.
    Begun(Begun),
    /// All parts are there, and the rows of both sides account for each other.
    Whole {
        /// Rows that were loaded.
        rows: u64,
    },
    /// Everything that was written was taken back.
    TakenBack,
}

impl Mark {
    /// As it goes on disk.
    pub fn json(&self) -> Json {
        serde_json::to_value(self).expect("marks are plain JSON")
    }
}

/// What a copy writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The target's tables, parents before children.
    pub tables: Vec<TableName>,
    /// Keys and indexes that are set aside while the rows come.
    pub aside: Vec<AsideScript>,
    /// Triggers that are off while rows come, and while they go.
    #[serde(default)]
    pub triggers: Vec<AsideScript>,
    /// Tables that the copy makes and that stay.
    #[serde(default)]
    pub made: Vec<TableName>,
    /// Rows in all, once everything is there.
    #[serde(skip)]
    pub whole: Option<u64>,
}

/// What earlier processes of this step announced to write to and have not taken back.
pub(super) fn of(task: &StepTask) -> Option<Begun> {
    let marks = task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok());
    marks.fold(None, |begun, mark| match mark {
        Mark::Begun(scope) => Some(scope),
        Mark::Whole { rows } => begun.map(|begun| Begun { whole: Some(rows), ..begun }),
        Mark::TakenBack => None,
    })
}

/// Takes back what was written, and gives the error that the step ends with.
pub(super) async fn undo(task: &StepTask, begun: &Begun, error: StepError, voice: &mut dyn StepVoice) -> StepError {
    match take_back(task, begun, voice).await {
        Ok(_) => error,
        Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
    }
}

/// Empties the tables on a fresh connection, and brings their keys back; goes on trying while the server is away, until
/// the deadline. Tells how many rows there were.
pub(super) async fn take_back(task: &StepTask, begun: &Begun, voice: &mut dyn StepVoice) -> Result<u64, StepError> {
    let deadline = Instant::now() + Duration::from_millis(task.reconnect_ms);
    let mut pause = Duration::from_millis(50);
    loop {
        match emptied(task, begun, deadline).await {
            Ok(rows) => {
                voice.mark(Mark::TakenBack.json()).await?;
                return Ok(rows);
            }
            Err(StepError::Engine(EngineError::Unavailable { .. })) if Instant::now() < deadline => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(error) => return Err(error),
        }
    }
}

async fn emptied(task: &StepTask, begun: &Begun, deadline: Instant) -> Result<u64, StepError> {
    let mut session = reach(task, deadline).await?;
    aside::without(&begun.triggers, &mut *session).await?;
    let mut rows = 0;
    for table in &begun.tables {
        rows += task.rows(Side::Target, table, &mut *session).await?;
    }
    session.truncate(&begun.tables).await?;
    aside::with(&begun.aside, &mut *session).await?;
    aside::with(&begun.triggers, &mut *session).await?;
    let dialect = engine_of(&task.addresses.target)?.dialect();
    for table in &begun.made {
        session.execute(&format!("DROP TABLE IF EXISTS {}", dialect.table(table))).await?;
    }
    Ledger::of(&task.name, dialect).remove(&mut *session).await?;
    session.close().await?;
    Ok(rows)
}

/// Connects to the target; a host that is gone does not even say no.
async fn reach(task: &StepTask, deadline: Instant) -> Result<Box<dyn Session>, StepError> {
    let patience = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    tokio::time::timeout(patience, task.connect(&task.addresses.target)).await.unwrap_or_else(|_| {
        let place = task.addresses.target.to_string();
        let source = format!("no answer within {} s", patience.as_secs()).into();
        Err(EngineError::Unavailable { place, source }.into())
    })
}
