//! `fence`: nobody writes to a database any more, and readers go on.
//!
//! Triggers stop whoever writes, its owner as well, and no setting of a session is a way around them; what an engine cannot stop
//! is told as a note. Whoever is in the middle of a transaction that writes is waited for, and not for ever: a fence that cannot
//! be put up leaves nothing. Every database of a rehearsal is a copy or a scratch database of the run's own, on servers of the
//! user's as well: the fence goes with the way back, and at the latest with its database, whose lease the run's end or `clean`
//! gives back. With `--keep` both stand until then.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{StepDone, StepError, StepKind, StepTask, StepVoice, command::deadline, engine_of};
use crate::{
    document::Fields,
    engine::{Dialect, EngineError, Session, fence::FenceScript},
    model::{
        Side, TableName, chain,
        event::{Direction, Figure},
    },
};

/// A fence around all tables of a side.
pub struct Fence;

/// How long a lock is waited for, where that is not said, in milliseconds.
const PATIENCE_MS: u64 = 10_000;
/// How long it takes a server to end a session, about.
const PAUSE: Duration = Duration::from_millis(20);

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Whose tables are fenced.
    side: Side,
    /// How long each lock is waited for.
    lock_timeout_ms: u64,
}

/// What the journal knows about a fence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// It is put up next, in the session of this number where the server may go on without its client.
    Raising(Option<u64>),
    /// It is up.
    Raised,
    /// It is down.
    Lowered,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }
}

#[async_trait]
impl StepKind for Fence {
    fn id(&self) -> &'static str {
        "fence"
    }

    fn summary(&self) -> &'static str {
        "keeps writers out of all tables of a side by triggers that no session can switch off, until the way back"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = fields.optional_one_of("side", "side", &["source", "target"]).map_or("source", |side| side.value);
        let lock_timeout = fields.optional("lock_timeout").and_then(|entry| deadline(&entry));
        json!({ "side": side, "lock_timeout_ms": lock_timeout.unwrap_or(PATIENCE_MS) })
    }

    fn may_go_back_otherwise(&self) -> bool {
        false
    }

    fn writes_source(&self, config: &Json) -> bool {
        Settings::of(config).is_ok_and(|settings| settings.side == Side::Source)
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(Settings { side, lock_timeout_ms }) = Settings::of(config) else { return Vec::new() };
        vec![match direction {
            Direction::Back => format!("take down the fence around the {side}"),
            _ => format!(
                "fence all tables of the {side} off from writers, waiting {} s for a lock at most",
                lock_timeout_ms.div_ceil(1000)
            ),
        }]
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let work = Work::of(task)?;
        if last(task) == Some(Mark::Raised) {
            return Ok(StepDone::default());
        }
        work.end_earlier().await?;
        let mut session = task.connect(task.addresses.get(work.settings.side)).await?;
        let tables = session.introspect().await?.tables;
        let (fenced, open): (Vec<_>, Vec<_>) = tables.values().partition(|table| table.unreadable.is_none());
        let names: Vec<&TableName> = fenced.iter().map(|table| &table.name).collect();
        let script = work.script(&names);
        let stands = !session.query(script.standing).await?.is_empty();
        if stands && !matches!(last(task), Some(Mark::Raising(_))) {
            let what = format!("a fence that is none of this step's stands around the {} already", work.settings.side);
            return Err(StepError::Refused { what });
        }
        voice.mark(Mark::Raising(work.number(&mut *session).await?).json()).await?;
        if let Err(error) = work.raise(&mut *session, &script).await {
            work.lower(&script).await.map_err(|source| unrestored(&error, source))?;
            voice.mark(Mark::Lowered.json()).await?;
            return Err(StepError::broken(format!("fence the {} off", work.settings.side), error));
        }
        voice.mark(Mark::Raised.json()).await?;
        session.close().await?;
        Ok(told(work.settings.side, names.len(), &open.iter().map(|table| &table.name).collect::<Vec<_>>(), &script))
    }

    /// What stands is asked of the database: an earlier process may have come anywhere.
    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        if matches!(last(task), Some(Mark::Raising(_) | Mark::Raised)) {
            let work = Work::of(task)?;
            work.end_earlier().await?;
            work.lower(&work.script(&[])).await?;
            voice.mark(Mark::Lowered.json()).await?;
        }
        Ok(StepDone::default())
    }
}

impl Mark {
    fn json(&self) -> Json {
        serde_json::to_value(self).expect("marks are plain JSON")
    }
}

/// A fence that is put up or taken down.
struct Work<'t> {
    task: &'t StepTask,
    settings: Settings,
    dialect: &'static dyn Dialect,
}

impl<'t> Work<'t> {
    fn of(task: &'t StepTask) -> Result<Self, StepError> {
        let settings = Settings::of(&task.config)?;
        let dialect = engine_of(task.addresses.get(settings.side))?.dialect();
        Ok(Self { task, settings, dialect })
    }

    fn script(&self, tables: &[&TableName]) -> FenceScript {
        self.dialect.fence(tables)
    }

    /// The number of a session, where somebody may have to end it.
    async fn number(&self, session: &mut dyn Session) -> Result<Option<u64>, EngineError> {
        let Some(abandoned) = self.dialect.abandoned() else { return Ok(None) };
        let answer = session.query(abandoned.number).await?.into_iter().flatten().next().flatten();
        Ok(answer.and_then(|number| number.parse().ok()))
    }

    /// Ends the session of an earlier process, with whose statement the server may go on.
    async fn end_earlier(&self) -> Result<(), StepError> {
        let (Some(Mark::Raising(Some(number))), Some(abandoned)) = (last(self.task), self.dialect.abandoned()) else {
            return Ok(());
        };
        let mut session = self.task.connect(self.task.addresses.get(self.settings.side)).await?;
        session.execute(&(abandoned.end)(number)).await?;
        let deadline = Instant::now() + Duration::from_millis(self.task.reconnect_ms);
        while !session.query(&(abandoned.is_there)(number)).await?.is_empty() {
            if Instant::now() >= deadline {
                return Err(StepError::broken("end the session of an earlier process", "the server goes on with it"));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(session.close().await?)
    }

    /// Takes down what an earlier process left, and puts the fence up.
    async fn raise(&self, session: &mut dyn Session, script: &FenceScript) -> Result<(), EngineError> {
        session.execute(&self.dialect.waits_for_locks(self.settings.lock_timeout_ms)).await?;
        session.begin(false).await?;
        let left = standing(session, script).await?;
        for statement in left.iter().chain(&script.up) {
            if let Err(error) = session.execute(statement).await {
                // A server that is away takes it back by itself; the first error is the one to tell.
                let _ = session.tx_rollback().await;
                return Err(error);
            }
        }
        session.commit().await
    }

    /// Takes down whatever of it stands, in a session of its own.
    async fn lower(&self, script: &FenceScript) -> Result<(), StepError> {
        let mut session = self.task.connect(self.task.addresses.get(self.settings.side)).await?;
        // Where nothing stands no lock is asked for, which somebody else may hold.
        if !standing(&mut *session, script).await?.is_empty() {
            session.begin(false).await?;
            for statement in standing(&mut *session, script).await? {
                session.execute(&statement).await?;
            }
            session.commit().await?;
        }
        Ok(session.close().await?)
    }
}

/// The statements that take down what stands.
async fn standing(session: &mut dyn Session, script: &FenceScript) -> Result<Vec<String>, EngineError> {
    Ok(session.query(script.standing).await?.into_iter().flatten().flatten().collect())
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}

fn unrestored(first: &EngineError, source: StepError) -> StepError {
    StepError::Unrestored { what: chain(first), source: Box::new(source) }
}

fn told(side: Side, fenced: usize, open: &[&TableName], script: &FenceScript) -> StepDone {
    let up = format!("writers are fenced off from the {fenced} tables of the {side} until the way back");
    let open = open.iter().map(|table| format!("{table} of the {side} has no fence: it holds no rows of its own"));
    let passes = script.passes.iter().map(|passes| format!("the fence around the {side}: {passes}"));
    StepDone {
        figures: vec![Figure { name: "fenced_tables".to_owned(), value: fenced as f64 }],
        notes: [up].into_iter().chain(open).chain(passes).collect(),
        ..StepDone::default()
    }
}
