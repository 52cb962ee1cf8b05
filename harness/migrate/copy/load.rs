//! Loads parts: one after the other, or several at the same time, each by sessions of its own that see one state of the source.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value as Json;
use tokio::task::JoinSet;

use super::{
    cut::Cuts,
    ledger::{Entry, Ledger},
    parents::Parents,
    plan::TablePlan,
    rejects::Rejects,
    stream::{self, Incoming},
};
use crate::{
    engine::{Dialect, Session},
    migrate::{StepError, StepTask, StepVoice, engine_of},
    model::{Side, Sides, catalogue::Table},
};

/// How often those who load are asked how far they are.
const PAUSE: Duration = Duration::from_millis(100);

/// A part that is not there yet.
pub(super) struct Part {
    /// The table's place among the plans.
    table: usize,
    /// The part's number in the step.
    number: u64,
    /// Which rows.
    condition: Option<String>,
}

/// What is to be loaded, and what is there.
pub(super) struct Parts {
    /// Of each table, in the order of the plans.
    pub entries: Vec<Entry>,
    /// Parts that may be loaded beside each other; no table refers to another one of its round.
    rounds: Vec<VecDeque<Part>>,
}

impl Parts {
    /// All parts, without those that an earlier process entered.
    pub fn of(
        tables: &[TablePlan],
        cuts: &[Cuts],
        mut entered: BTreeMap<u64, Entry>,
        dialect: &'static dyn Dialect,
    ) -> Self {
        let rounds = rounds(tables);
        let mut parts = Self { entries: vec![Entry::default(); tables.len()], rounds: Vec::new() };
        let mut number = 0;
        for (table, cut) in cuts.iter().enumerate() {
            let round = rounds[table];
            parts.rounds.resize_with(parts.rounds.len().max(round + 1), VecDeque::new);
            for condition in cut.conditions(dialect) {
                match entered.remove(&number) {
                    Some(entry) => parts.entries[table].add(entry),
                    None => parts.rounds[round].push_back(Part { table, number, condition }),
                }
                number += 1;
            }
        }
        parts
    }

    /// Rows that are there.
    fn done(&self) -> u64 {
        self.entries.iter().map(|entry| entry.loaded).sum()
    }
}

/// The round of each table: behind those of the tables that it refers to and that come before it.
fn rounds(tables: &[TablePlan]) -> Vec<usize> {
    let mut rounds: Vec<usize> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let behind = (0..at).filter(|earlier| {
            let earlier = tables[*earlier].name(Side::Target);
            earlier != table.name(Side::Target) && table.target.foreign_keys.iter().any(|key| key.parent == *earlier)
        });
        let round = behind.map(|earlier| rounds[earlier] + 1).max().unwrap_or(0);
        rounds.push(round);
    }
    rounds
}

/// What everybody who loads needs.
pub(super) struct Loading {
    /// The plans.
    pub tables: Vec<TablePlan>,
    /// The keys that their rows refer to.
    pub parents: Parents,
    /// Where parts are entered.
    pub ledger: Ledger,
    /// Where rejected rows go.
    pub rejects: Rejects,
    /// The source's.
    pub dialect: &'static dyn Dialect,
    /// Rows in all.
    pub total: u64,
}

/// A pair of sessions by which parts are loaded.
pub(super) struct Carrier {
    /// Away while it is read from.
    pub source: Option<Box<dyn Session>>,
    /// Where rows go.
    pub target: Box<dyn Session>,
}

impl Carrier {
    /// Opens a pair that sees the state of the source that another session shares.
    async fn open(task: &StepTask, snapshot: &str, dialects: Sides<&'static dyn Dialect>) -> Result<Self, StepError> {
        let mut source = task.connect(&task.addresses.source).await?;
        source.begin_at(snapshot).await?;
        let mut target = task.connect(&task.addresses.target).await?;
        if let Some(sql) = dialects.target.heeds_references(false) {
            target.execute(sql).await?;
        }
        Ok(Self { source: Some(source), target })
    }

    /// Loads all parts, one after the other.
    pub async fn all(
        &mut self,
        loading: &Loading,
        mut parts: Parts,
        voice: &mut dyn StepVoice,
    ) -> Result<Vec<Entry>, StepError> {
        for part in std::mem::take(&mut parts.rounds).into_iter().flatten() {
            let entry = self.part(loading, &part, parts.done(), voice).await?;
            parts.entries[part.table].add(entry);
        }
        Ok(parts.entries)
    }

    /// Loads one part in a transaction that also says so.
    async fn part(
        &mut self,
        loading: &Loading,
        part: &Part,
        done: u64,
        voice: &mut dyn StepVoice,
    ) -> Result<Entry, StepError> {
        let gone = || StepError::broken("read the source", "its session is gone");
        let session = self.source.take().ok_or_else(gone)?;
        let table = &loading.tables[part.table];
        let parents = loading.parents.by_column(part.table, table, &mut *self.target).await?;
        self.target.begin(false).await?;
        let columns = table.filled();
        // References are looked at behind the last row, or by the keys when they come back.
        let bare = Table { foreign_keys: Vec::new(), ..table.target.clone() };
        let rowset = table.rowset(part.condition.clone(), loading.dialect);
        let (ended, receiver) = stream::read(session, table, rowset, parents);
        let mut rows = Incoming::new(receiver, columns.len(), voice, table, done, loading.total);
        let loaded = self.target.load(&bare, &columns, &mut rows).await;
        let is_stopped = rows.is_stopped;
        // Whoever still reads has nobody to read for.
        drop(rows);
        let read = ended.await?;
        if is_stopped {
            return Err(StepError::Interrupted);
        }
        if let Some(unfit) = read.unfit {
            let (name, row, number) = (table.name(Side::Source), unfit.row, part.number + 1);
            let what = format!("row {row} of part {number} of `{name}`: `{}` {}", unfit.column, unfit.what);
            return Err(StepError::Rejected { what });
        }
        let loaded = loaded?;
        let rejected = read.rejects.len() as u64;
        let entry = Entry { read: read.outcome?, loaded, rejected };
        if entry.read != loaded + rejected {
            let what = format!("{} rows were read, {loaded} loaded and {rejected} rejected", entry.read);
            return Err(StepError::broken(format!("copy `{}`", table.name(Side::Source)), what));
        }
        let tables = Side::BOTH.map(|side| table.name(side));
        loading.rejects.keep(&mut *self.target, part.number, tables, &read.rejects).await?;
        loading.ledger.enter(&mut *self.target, part.number, entry).await?;
        self.target.commit().await?;
        self.source = Some(read.session);
        Ok(entry)
    }
}

/// Loads all parts by so many carriers, round by round. `snapshot` is the state of the source that all of them see.
pub(super) async fn beside_each_other(
    task: &StepTask,
    loading: Arc<Loading>,
    mut parts: Parts,
    snapshot: &str,
    jobs: u64,
    voice: &mut dyn StepVoice,
) -> Result<Vec<Entry>, StepError> {
    let dialects =
        Sides::new(engine_of(&task.addresses.source)?.dialect(), engine_of(&task.addresses.target)?.dialect());
    let mut carriers = Vec::new();
    for _ in 0..jobs {
        carriers.push(Carrier::open(task, snapshot, dialects).await?);
    }
    let shared = Arc::new(Shared { done: AtomicU64::new(parts.done()), is_over: AtomicBool::new(false) });
    for round in std::mem::take(&mut parts.rounds) {
        let round = Arc::new(Mutex::new(round));
        let mut working = JoinSet::new();
        for carrier in carriers.drain(..) {
            let (loading, round, shared) = (Arc::clone(&loading), Arc::clone(&round), Arc::clone(&shared));
            working.spawn(round_of(carrier, loading, round, shared));
        }
        for (carrier, entries) in settle(&mut working, &shared, loading.total, voice).await? {
            carriers.push(carrier);
            entries.into_iter().for_each(|(table, entry)| parts.entries[table].add(entry));
        }
    }
    for carrier in carriers {
        // Everything is committed: a connection that breaks only now changes nothing any more.
        if let Some(source) = carrier.source {
            let _ = source.close().await;
        }
        let _ = carrier.target.close().await;
    }
    Ok(parts.entries)
}

/// What one carrier loaded, with itself.
type Carried = (Carrier, Vec<(usize, Entry)>);

/// Loads parts of a round until none is left.
async fn round_of(
    mut carrier: Carrier,
    loading: Arc<Loading>,
    round: Arc<Mutex<VecDeque<Part>>>,
    shared: Arc<Shared>,
) -> Result<Carried, StepError> {
    let mut entries = Vec::new();
    let next = || round.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    while let Some(part) = next() {
        let mut relay = Relay { shared: Arc::clone(&shared), told: 0 };
        entries.push((part.table, carrier.part(&loading, &part, 0, &mut relay).await?));
    }
    Ok((carrier, entries))
}

/// Waits for everybody. The first error ends the others, and is the one that is told.
async fn settle(
    working: &mut JoinSet<Result<Carried, StepError>>,
    shared: &Shared,
    total: u64,
    voice: &mut dyn StepVoice,
) -> Result<Vec<Carried>, StepError> {
    let (mut carried, mut first) = (Vec::new(), None);
    loop {
        match tokio::time::timeout(PAUSE, working.join_next()).await {
            Err(_) => {
                voice.progress("copy", shared.done.load(Ordering::Relaxed), Some(total));
                if voice.is_stopping() {
                    shared.is_over.store(true, Ordering::Relaxed);
                }
            }
            Ok(None) => break,
            Ok(Some(ended)) => match ended.unwrap_or_else(|error| Err(StepError::broken("copy", error))) {
                Ok(one) => carried.push(one),
                Err(error) => {
                    shared.is_over.store(true, Ordering::Relaxed);
                    first.get_or_insert(error);
                }
            },
        }
    }
    match first {
        Some(error) => Err(error),
        None => Ok(carried),
    }
}

/// What those who load tell and are told.
struct Shared {
    /// Rows that came.
    done: AtomicU64,
    /// Whether they are to end.
    is_over: AtomicBool,
}

/// The voice of one who loads beside others.
struct Relay {
    shared: Arc<Shared>,
    told: u64,
}

#[async_trait]
impl StepVoice for Relay {
    async fn mark(&mut self, _mark: Json) -> Result<(), StepError> {
        Err(StepError::broken("note a mark", "parts are entered in the target"))
    }

    fn progress(&mut self, _doing: &str, done: u64, _total: Option<u64>) {
        self.shared.done.fetch_add(done.saturating_sub(self.told), Ordering::Relaxed);
        self.told = done;
    }

    fn is_stopping(&self) -> bool {
        self.shared.is_over.load(Ordering::Relaxed)
    }
}
