//! Read-only sessions of both sides, read at the same time.

use serde::{Deserialize, Serialize};

use super::pace::Paced;
use crate::{
    canon::RowSink,
    engine::{self, Engine, EngineError, Guard, Rowset, Session},
    model::{Address, Side, Sides},
};

/// What a scan's task gives back: the session, the sink, and how the scan ended.
type Scanned<S> = (Box<dyn Session>, S, Result<u64, EngineError>);

/// One session a side. Checks ask one side at a time, or scan both at once.
pub struct Readers {
    addresses: Sides<Address>,
    sessions: Sides<Option<Box<dyn Session>>>,
    engines: Sides<&'static dyn Engine>,
    manner: Manner,
}

/// How considerately the databases are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// Bounds on each session.
    pub guard: Guard,
    /// Rows a second that are read of a side at most.
    pub rows_per_second: Option<u64>,
}

impl Readers {
    /// Opens a fresh read-only session on each side.
    ///
    /// # Errors
    /// If a side cannot be reached.
    pub async fn open(addresses: &Sides<Address>) -> Result<Self, EngineError> {
        Self::open_with(addresses, &Manner::default()).await
    }

    /// The same in a considerate manner.
    ///
    /// # Errors
    /// If a side cannot be reached.
    pub async fn open_with(addresses: &Sides<Address>, manner: &Manner) -> Result<Self, EngineError> {
        let engines = Sides::new(engine_of(&addresses.source)?, engine_of(&addresses.target)?);
        let (source, target) = tokio::try_join!(
            open_one(engines.source, &addresses.source, manner),
            open_one(engines.target, &addresses.target, manner)
        )?;
        let addresses = addresses.clone();
        Ok(Self { addresses, sessions: Sides::new(Some(source), Some(target)), engines, manner: manner.clone() })
    }

    /// The engine of one side.
    pub const fn engine(&self, side: Side) -> &'static dyn Engine {
        *self.engines.get(side)
    }

    /// The session of one side.
    ///
    /// # Errors
    /// If an earlier scan was cut off together with its session.
    pub fn side(&mut self, side: Side) -> Result<&mut dyn Session, EngineError> {
        match self.sessions.get_mut(side) {
            Some(session) => Ok(&mut **session),
            None => Err(lost(side)),
        }
    }

    /// Makes both sessions ready for the next question after one was refused.
    ///
    /// # Errors
    /// If a side is gone.
    pub async fn recover(&mut self) -> Result<(), EngineError> {
        for side in Side::BOTH {
            let recovered = match self.sessions.get_mut(side) {
                Some(session) => session.recover().await,
                None => Err(lost(side)),
            };
            // One that was cut off together with its session gets a new one.
            if recovered.is_err() {
                let session = open_one(*self.engines.get(side), self.addresses.get(side), &self.manner).await?;
                *self.sessions.get_mut(side) = Some(session);
            }
        }
        Ok(())
    }

    /// Scans a rowset of each side at the same time and gives the sinks back.
    ///
    /// # Errors
    /// The first side's error, if one fails.
    pub async fn scan<S: RowSink + 'static>(
        &mut self,
        rowsets: Sides<Rowset>,
        sinks: Sides<S>,
    ) -> Result<Sides<S>, EngineError> {
        let rows_per_second = self.manner.rows_per_second;
        let start = |side: Side, session: Option<Box<dyn Session>>, rowset: Rowset, mut sink: S| {
            tokio::spawn(async move {
                let mut session = session.ok_or_else(|| lost(side))?;
                let result = session.scan(&rowset, &mut Paced::new(&mut sink, rows_per_second)).await;
                Ok::<_, EngineError>((session, sink, result))
            })
        };
        let source = start(Side::Source, self.sessions.source.take(), rowsets.source, sinks.source);
        let target = start(Side::Target, self.sessions.target.take(), rowsets.target, sinks.target);
        let (source, target) = tokio::join!(source, target);
        let mut finish = |side: Side, joined: Result<Result<Scanned<S>, EngineError>, tokio::task::JoinError>| {
            let (session, sink, result) = joined.map_err(|error| stopped(side, error))??;
            *self.sessions.get_mut(side) = Some(session);
            result.map(|_| sink)
        };
        let (source, target) = (finish(Side::Source, source), finish(Side::Target, target));
        Ok(Sides::new(source?, target?))
    }

    /// Ends both sessions.
    ///
    /// # Errors
    /// If a side had gone away meanwhile.
    pub async fn close(self) -> Result<(), EngineError> {
        for session in [self.sessions.source, self.sessions.target].into_iter().flatten() {
            session.close().await?;
        }
        Ok(())
    }
}

fn engine_of(address: &Address) -> Result<&'static dyn Engine, EngineError> {
    engine::by_id(address.engine.as_str()).ok_or_else(|| EngineError::Unexpected {
        doing: "opening a session".to_owned(),
        what: format!("no engine is called `{}`", address.engine),
    })
}

async fn open_one(engine: &dyn Engine, address: &Address, manner: &Manner) -> Result<Box<dyn Session>, EngineError> {
    let mut session = engine.connect(address).await?;
    if *manner != Manner::default() {
        session.guard(&manner.guard).await?;
    }
    session.begin(true).await?;
    Ok(session)
}

fn lost(side: Side) -> EngineError {
    EngineError::Unexpected {
        doing: format!("reading the {side}"),
        what: "its session was lost in an earlier scan".to_owned(),
    }
}

fn stopped(side: Side, error: tokio::task::JoinError) -> EngineError {
    EngineError::Unexpected { doing: format!("reading the {side}"), what: format!("the scan stopped: {error}") }
}
