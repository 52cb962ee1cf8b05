//! Read-only sessions of both sides, read at the same time, and each side in parts where its engine can.

use futures_util::future::join_all;

use serde::{Deserialize, Serialize};

use super::pace::Paced;
use crate::{
    canon::RowSink,
    engine::{self, Engine, EngineError, Guard, Part, Rowset, Session, spawned},
    model::{Address, Side, Sides},
};

/// One session a side, and more where a side is read in parts. Checks ask one side at a time, or scan both at once.
pub struct Readers {
    /// The first of a side is the one that is asked; the others share its snapshot.
    sessions: Sides<Vec<Option<Box<dyn Session>>>>,
    engines: Sides<&'static dyn Engine>,
    addresses: Sides<Address>,
    jobs: usize,
    manner: Manner,
    rows_read: u64,
    /// The sides of which a session was lost and begun anew, and nobody was told yet.
    renewed: Vec<Side>,
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
        let sessions = Sides::new(vec![Some(source)], vec![Some(target)]);
        Ok(Self {
            sessions,
            engines,
            addresses: addresses.clone(),
            jobs: 1,
            manner: manner.clone(),
            rows_read: 0,
            renewed: Vec::new(),
        })
    }

    /// The same in place of sessions that were lost.
    ///
    /// # Errors
    /// If a side cannot be reached.
    pub async fn open_again(addresses: &Sides<Address>, manner: &Manner) -> Result<Self, EngineError> {
        Ok(Self { renewed: Side::BOTH.to_vec(), ..Self::open_with(addresses, manner).await? })
    }

    /// The sides that are read in a later snapshot than before, because a session was lost: each is told once.
    pub fn take_renewed(&mut self) -> Vec<Side> {
        std::mem::take(&mut self.renewed)
    }

    /// Says by how many sessions each side may be read at the same time (at least one).
    pub fn set_jobs(&mut self, jobs: usize) {
        self.jobs = jobs.max(1);
    }

    /// How many rows all scans of both sides have read so far. A row that was read twice counts twice.
    pub const fn rows_read(&self) -> u64 {
        self.rows_read
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
        match self.sessions.get_mut(side).first_mut() {
            Some(Some(session)) => Ok(&mut **session),
            _ => Err(lost(side)),
        }
    }

    /// The sessions of both sides, to be asked at the same time.
    ///
    /// # Errors
    /// If an earlier scan was cut off together with its session.
    pub fn both(&mut self) -> Result<Sides<&mut dyn Session>, EngineError> {
        let Sides { source, target } = &mut self.sessions;
        match (source.first_mut(), target.first_mut()) {
            (Some(Some(source)), Some(Some(target))) => Ok(Sides::new(&mut **source, &mut **target)),
            (Some(Some(_)), _) => Err(lost(Side::Target)),
            _ => Err(lost(Side::Source)),
        }
    }

    /// Makes both sessions ready for the next question after one was refused.
    ///
    /// # Errors
    /// If a side is gone.
    pub async fn recover(&mut self) -> Result<(), EngineError> {
        for side in Side::BOTH {
            let sessions = self.sessions.get_mut(side);
            // The others of its snapshot are of no use to one that begins anew.
            sessions.truncate(1);
            let recovered = match sessions.first_mut() {
                Some(Some(session)) => session.recover().await,
                _ => Err(lost(side)),
            };
            // One that was cut off together with its session gets a new one.
            if recovered.is_err() {
                let session = open_one(*self.engines.get(side), self.addresses.get(side), &self.manner).await?;
                *self.sessions.get_mut(side) = vec![Some(session)];
                self.renewed.push(side);
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
        let (source, target) = ((rowsets.source, sinks.source), (rowsets.target, sinks.target));
        let sinks = self.scan_some(Sides::new(Some(source), Some(target))).await?;
        let sink = |side, sink: Option<S>| sink.ok_or_else(|| lost(side));
        Ok(Sides::new(sink(Side::Source, sinks.source)?, sink(Side::Target, sinks.target)?))
    }

    /// The same for one side, both or none.
    ///
    /// # Errors
    /// The first side's error, if one fails.
    pub async fn scan_some<S: RowSink + 'static>(
        &mut self,
        work: Sides<Option<(Rowset, S)>>,
    ) -> Result<Sides<Option<S>>, EngineError> {
        let sinks = self.scan_all(work.map(|one| one.into_iter().collect())).await?;
        Ok(sinks.map(|sinks| sinks.into_iter().next()))
    }

    /// Scans a rowset of each side at the same time, in as many parts as the side can be read in, and gives back a sink for
    /// each part. How many parts there may be is told to who makes the sinks.
    ///
    /// # Errors
    /// The first error of any part.
    pub async fn scan_parts<S: RowSink + 'static>(
        &mut self,
        rowsets: &Sides<Rowset>,
        mut make: impl FnMut(Side, usize) -> Result<S, EngineError>,
    ) -> Result<Sides<Vec<S>>, EngineError> {
        let mut work: Sides<Vec<(Rowset, S)>> = Sides::default();
        for (side, rowset) in rowsets.iter() {
            let parts = self.parts(side, rowset).await?;
            let count = parts.len();
            for part in parts {
                work.get_mut(side).push((rowset.clone().part(part), make(side, count)?));
            }
        }
        self.scan_all(work).await
    }

    /// The parts in which a rowset is read, and the sessions that it takes.
    async fn parts(&mut self, side: Side, rowset: &Rowset) -> Result<Vec<Part>, EngineError> {
        if self.jobs < 2 || rowset.part != Part::Whole || !rowset.terms.is_plain() {
            return Ok(vec![rowset.part.clone()]);
        }
        let jobs = self.jobs;
        let parts = self.side(side)?.parts(rowset, jobs).await?;
        if parts.len() > self.sessions.get(side).len() && !self.open_more(side).await? {
            return Ok(vec![Part::Whole]);
        }
        Ok(parts)
    }

    /// Opens the sessions that share the first one's snapshot. Where they cannot be had, one has to do, from now on.
    async fn open_more(&mut self, side: Side) -> Result<bool, EngineError> {
        let Some(snapshot) = self.side(side)?.share_snapshot().await? else { return Ok(false) };
        let mut more = Vec::new();
        while more.len() + 1 < self.jobs {
            let Ok(mut session) = connect(self.engine(side), self.addresses.get(side), &self.manner).await else {
                break;
            };
            if session.begin_at(&snapshot).await.is_err() {
                break;
            }
            more.push(Some(session));
        }
        // A server that is short of connections gives fewer; then each scan is one.
        let is_whole = more.len() + 1 == self.jobs;
        if is_whole {
            self.sessions.get_mut(side).extend(more);
        } else {
            for session in more.into_iter().flatten() {
                session.close().await?;
            }
        }
        Ok(is_whole)
    }

    /// Scans, each with a session of its own.
    async fn scan_all<S: RowSink + 'static>(
        &mut self,
        work: Sides<Vec<(Rowset, S)>>,
    ) -> Result<Sides<Vec<S>>, EngineError> {
        for side in Side::BOTH {
            let sessions = self.sessions.get(side);
            if sessions.iter().take(work.get(side).len()).any(Option::is_none) {
                return Err(lost(side));
            }
        }
        let rows_per_second = self.manner.rows_per_second;
        let mut start = |side: Side, work: Vec<(Rowset, S)>| {
            // The parts of a side share its pace.
            let pace = rows_per_second.map(|rows| (rows / work.len().max(1) as u64).max(1));
            let sessions = self.sessions.get_mut(side).iter_mut().filter_map(Option::take);
            // Nothing may stop between here and the sessions' coming back.
            join_all(
                work.into_iter()
                    .zip(sessions)
                    .map(move |((rowset, sink), session)| spawned::scan(session, rowset, Paced::new(sink, pace))),
            )
        };
        let (source, target) = (start(Side::Source, work.source), start(Side::Target, work.target));
        let (source, target) = tokio::join!(source, target);
        let mut sinks: Sides<Vec<S>> = Sides::default();
        let mut failed = None;
        for (side, scanned) in [(Side::Source, source), (Side::Target, target)] {
            for (at, scanned) in scanned.into_iter().enumerate() {
                match scanned {
                    Ok(scanned) => {
                        self.sessions.get_mut(side)[at] = Some(scanned.session);
                        sinks.get_mut(side).push(scanned.sink.into_inner());
                        match scanned.outcome {
                            Ok(rows) => self.rows_read += rows,
                            Err(error) => failed = failed.or(Some(error)),
                        }
                    }
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        failed.map_or(Ok(sinks), Err)
    }

    /// Ends all sessions.
    ///
    /// # Errors
    /// If a side had gone away meanwhile.
    pub async fn close(self) -> Result<(), EngineError> {
        let Sides { mut source, mut target } = self.sessions;
        source.append(&mut target);
        while let Some(session) = source.pop() {
            if let Some(session) = session {
                session.close().await?;
            }
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

async fn connect(engine: &dyn Engine, address: &Address, manner: &Manner) -> Result<Box<dyn Session>, EngineError> {
    let mut session = engine.connect(address).await?;
    if *manner != Manner::default() {
        session.guard(&manner.guard).await?;
    }
    Ok(session)
}

async fn open_one(engine: &dyn Engine, address: &Address, manner: &Manner) -> Result<Box<dyn Session>, EngineError> {
    let mut session = connect(engine, address, manner).await?;
    session.begin(true).await?;
    Ok(session)
}

fn lost(side: Side) -> EngineError {
    EngineError::Unexpected {
        doing: format!("reading the {side}"),
        what: "its session was lost in an earlier scan".to_owned(),
    }
}
