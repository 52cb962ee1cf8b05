//! Who waits while a migration goes up: a second and a third session that go on reading and writing the tables that are
//! there, as an application would, and tell how long each was kept waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use super::play::Play;
use crate::{
    engine::{Engine, EngineError},
    model::{Address, TableName, chain, footprint::Waited},
};

/// Pause between two rounds through all tables: two sessions that never rest would take the server from the migration.
const PAUSE: Duration = Duration::from_millis(2);
/// What takes less is no waiting: a busy machine takes as long to answer at all.
const NOTHING: Duration = Duration::from_millis(50);

/// Sessions that are at it.
pub(super) struct Probe {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Result<Option<Waited>, EngineError>>>,
}

impl Play {
    /// Begins to read and write the tables that are there, and answers as soon as both are at it. `None` where nobody else
    /// could be at work: in a file, or without a table.
    pub(super) async fn probe(&self, address: &Address) -> Result<Option<Probe>, String> {
        let Some(spec) = self.engine.server() else { return Ok(None) };
        let tables: Vec<TableName> = self.known.keys().filter(|name| !self.is_ledger(name)).cloned().collect();
        if tables.is_empty() {
            return Ok(None);
        }
        let over = Arc::new(AtomicBool::new(false));
        let mut probe = Probe { over: Arc::clone(&over), tasks: Vec::new() };
        for (is_write, act) in [(false, spec.databases.reads), (true, spec.databases.writes)] {
            let dialect = self.engine.dialect();
            let acts = tables.iter().map(|table| (table.clone(), act(&dialect.table(table)))).collect();
            let at_it =
                Session { engine: self.engine, address: address.clone(), acts, is_write, over: Arc::clone(&over) };
            probe.tasks.push(at_it.start().await.map_err(|error| chain(&error))?);
        }
        Ok(Some(probe))
    }
}

impl Probe {
    /// Ends them, and tells who waited longest.
    pub async fn end(self) -> Result<Vec<Waited>, String> {
        self.over.store(true, Ordering::Relaxed);
        let mut waited = Vec::new();
        for task in self.tasks {
            let ended = task.await.map_err(|error| format!("a session that watches ended: {error}"))?;
            waited.extend(ended.map_err(|error| chain(&error))?);
        }
        Ok(waited)
    }
}

struct Session {
    engine: &'static dyn Engine,
    address: Address,
    acts: Vec<(TableName, String)>,
    is_write: bool,
    over: Arc<AtomicBool>,
}

impl Session {
    /// Goes once through all tables, so that whoever waits now waits for the migration, and then on and on.
    async fn start(self) -> Result<JoinHandle<Result<Option<Waited>, EngineError>>, EngineError> {
        let Self { engine, address, acts, is_write, over } = self;
        let mut session = engine.connect(&address).await?;
        Ok(tokio::spawn(async move {
            let mut longest: Option<(Duration, TableName)> = None;
            while !over.load(Ordering::Relaxed) {
                for (table, act) in &acts {
                    let since = Instant::now();
                    // A table that is gone by now, or another one, is none that could be waited for.
                    let is_refused = session.execute(act).await.is_err();
                    let took = since.elapsed();
                    if took >= NOTHING && longest.as_ref().is_none_or(|(longest, _)| took > *longest) {
                        longest = Some((took, table.clone()));
                    }
                    if is_refused {
                        // Whatever transaction it left open is over.
                        let _ = session.execute("ROLLBACK").await;
                    }
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
            session.close().await?;
            Ok(longest.map(|(took, table)| Waited { table, is_write, ms: millis_of(took) }))
        }))
    }
}

fn millis_of(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
