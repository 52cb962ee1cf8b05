//! What became of a script, as told by the marks that its processes left and by the server.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Settings, address};
use crate::{
    engine::{Became, EngineError},
    migrate::{StepError, StepTask, StepVoice},
    model::event::Direction,
};

/// What a process leaves on disk before it does what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// All statements ran in a transaction that is committed next.
    Committing {
        /// Which way.
        direction: Direction,
        /// The transaction's name, where the engine tells later what became of it.
        transaction: Option<String>,
    },
    /// A statement on its own is run next.
    Running {
        /// Which way.
        direction: Direction,
        /// Its line.
        line: usize,
    },
    /// The script was carried out.
    Ran {
        /// Which way.
        direction: Direction,
    },
    /// Nothing of the script was carried out: its first statement was refused, or its transaction.
    Nothing {
        /// Which way.
        direction: Direction,
    },
}

impl Mark {
    /// As it goes on disk.
    pub(super) fn json(&self) -> Json {
        serde_json::to_value(self).expect("marks are plain JSON")
    }
}

/// What became of the step so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing of it stands.
    Nothing,
    /// The way up was carried out.
    Done,
    /// A script ended in its middle, or nobody can tell whether it did: where it was last.
    Unknown(String),
}

/// What the last mark leaves open.
enum Open {
    Transaction(Direction, Option<String>),
    Statement(Direction, usize),
}

impl Past {
    /// What stands after a script that was carried out.
    const fn after(direction: Direction) -> Self {
        match direction {
            Direction::Back => Self::Nothing,
            Direction::Forward | Direction::Setup => Self::Done,
        }
    }

    /// Reads the marks, and asks the server what the last one leaves open; what it answers is marked.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub(super) async fn of(task: &StepTask, settings: &Settings, voice: &mut dyn StepVoice) -> Result<Self, StepError> {
        let (mut past, mut open) = (Self::Nothing, None);
        for mark in task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()) {
            open = match mark {
                Mark::Committing { direction, transaction } => Some(Open::Transaction(direction, transaction)),
                Mark::Running { direction, line } => Some(Open::Statement(direction, line)),
                Mark::Ran { direction } => {
                    past = Self::after(direction);
                    None
                }
                Mark::Nothing { .. } => None,
            };
        }
        let Some(open) = open else { return Ok(past) };
        let file = |direction| &settings.text(direction).file;
        Ok(match open {
            Open::Statement(direction, line) => Self::Unknown(format!("{}:{line}", file(direction))),
            Open::Transaction(direction, name) => match became(task, settings, name.as_deref()).await? {
                None => Self::Unknown(format!("the end of {}", file(direction))),
                Some(true) => {
                    voice.mark(Mark::Ran { direction }.json()).await?;
                    Self::after(direction)
                }
                Some(false) => {
                    voice.mark(Mark::Nothing { direction }.json()).await?;
                    past
                }
            },
        })
    }
}

/// Whether a transaction was committed; `None` where nobody can tell. A server that is away, or still busy with it, is
/// waited for.
///
/// # Errors
/// If that takes too long.
pub(super) async fn became(
    task: &StepTask,
    settings: &Settings,
    transaction: Option<&str>,
) -> Result<Option<bool>, StepError> {
    let Some(transaction) = transaction else { return Ok(None) };
    let deadline = Instant::now() + Duration::from_millis(task.reconnect_ms);
    let mut pause = Duration::from_millis(50);
    loop {
        let asked = async {
            let mut session = task.connect(address(task, settings)).await?;
            let became = session.became(transaction).await?;
            session.close().await?;
            Ok(became)
        };
        let is_over = Instant::now() >= deadline;
        match asked.await {
            Ok(Became::Committed) => return Ok(Some(true)),
            Ok(Became::Nothing) => return Ok(Some(false)),
            Ok(Became::Unknown) => return Ok(None),
            Ok(Became::Open) if is_over => {
                let why = format!("transaction {transaction} of an earlier process is still open");
                return Err(StepError::broken("learn what became of the script", why));
            }
            Err(error) if is_over || !matches!(error, StepError::Engine(EngineError::Unavailable { .. })) => {
                return Err(error);
            }
            Ok(Became::Open) | Err(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
        }
    }
}
