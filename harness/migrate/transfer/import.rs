//! Import: table by table in dependency order, a transaction a table, a batch at a time; on any error nothing stays.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    super::{
        StepError, StepTask, StepVoice,
        aside::{MANY_ROWS, with, without},
    },
    Settings, WhenNotEmpty,
    convert::convert,
    field::Field,
    manifest::{Manifest, ManifestTable},
    plan::{TableMove, TransferPlan},
    verify::ExportedRows,
};
use crate::{
    engine::{Aside, AsideScript, BoxedError, EngineError, RowSource, Session},
    model::{LogicalType, Side, TableName, Value, chain},
};

/// What the journal holds of an import. Each mark is on disk before the act that it announces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "import", rename_all = "snake_case")]
enum Mark {
    /// The target was empty and is about to be written to.
    Begun(Begun),
    /// All batches of this table are sent and its count is right; its transaction is about to commit.
    Committing {
        /// The target's table.
        table: TableName,
        /// Its rows.
        rows: u64,
    },
    /// Everything the import wrote was taken back.
    TakenBack,
}

/// What an import writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The target's tables, in dependency order.
    tables: Vec<TableName>,
    /// Keys and indexes that are set aside while the rows come: the server then makes each at once, and not row by row.
    #[serde(default)]
    aside: Vec<AsideScript>,
}

/// Imports a verified export. Tables that an earlier process of this step has committed are not done again. From the
/// moment at which `begun` holds something, an error leaves the undoing to the caller.
pub(super) async fn import(
    task: &StepTask,
    plan: &TransferPlan,
    manifest: &Manifest,
    settings: &Settings,
    begun: &mut Option<Begun>,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let mut session = task.connect(&task.addresses.target).await?;
    let committed = committed(task, plan, manifest, &mut *session).await?;
    make_empty(plan, &committed, settings, task, &mut *session).await?;
    let tables: Vec<TableName> = plan.tables.iter().map(|table| table.comparison.target.clone()).collect();
    let aside = match begun.take() {
        // An interrupted process of this step has set them aside already.
        Some(earlier) => earlier.aside,
        None if manifest.rows() >= MANY_ROWS => session.aside(Aside::Keys, &tables).await?,
        None => Vec::new(),
    };
    let scope = begun.insert(Begun { tables: tables.clone(), aside });
    voice.mark(mark(&Mark::Begun(scope.clone()))).await?;
    if without(&scope.aside, &mut *session).await.is_err() {
        // Something else in the database leans on a key: then all stay where they are.
        session.tx_rollback().await?;
        scope.aside.clear();
        voice.mark(mark(&Mark::Begun(scope.clone()))).await?;
    }
    let mut state = Import {
        task,
        session: &mut *session,
        voice,
        batch_rows: settings.batch_rows,
        keys_are_checked: scope.aside.is_empty(),
        done: committed.iter().map(|(_, rows)| rows).sum(),
        total: manifest.rows(),
    };
    for (table, listed) in plan.tables.iter().zip(&manifest.tables) {
        if committed.iter().all(|(name, _)| *name != table.comparison.target) {
            state.table(table, listed).await?;
        }
    }
    with(&scope.aside, &mut *session).await?;
    session.advance_sequences(&tables).await?;
    // Everything is committed and counted: a connection that breaks only now changes nothing any more.
    let _ = session.close().await;
    Ok(())
}

/// The import's rollback: empties the tables that it may have written to. Nothing, if it never began.
pub(super) async fn take_back(task: &StepTask, voice: &mut dyn StepVoice) -> Result<u64, StepError> {
    match begun(task) {
        Some(begun) => empty_again(task, &begun, voice).await,
        None => Ok(0),
    }
}

/// Takes back what was written, and gives the error that the step ends with.
pub(super) async fn undo(task: &StepTask, begun: &Begun, error: StepError, voice: &mut dyn StepVoice) -> StepError {
    match empty_again(task, begun, voice).await {
        Ok(_) => error,
        Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
    }
}

/// What earlier processes of this step announced to write to and have not taken back.
pub(super) fn begun(task: &StepTask) -> Option<Begun> {
    marks(task).fold(None, |begun, mark| match mark {
        Mark::Begun(scope) => Some(scope),
        Mark::TakenBack => None,
        Mark::Committing { .. } => begun,
    })
}

fn marks(task: &StepTask) -> impl Iterator<Item = Mark> + '_ {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok())
}

/// Tables that an interrupted process of this step committed: announced, and all of their rows there.
async fn committed(
    task: &StepTask,
    plan: &TransferPlan,
    manifest: &Manifest,
    session: &mut dyn Session,
) -> Result<Vec<(TableName, u64)>, StepError> {
    let mut announced = BTreeSet::new();
    for mark in marks(task) {
        match mark {
            Mark::Begun(_) => {}
            Mark::Committing { table, .. } => drop(announced.insert(table)),
            Mark::TakenBack => announced.clear(),
        }
    }
    let mut all = Vec::new();
    for (table, listed) in plan.tables.iter().zip(&manifest.tables) {
        let name = &table.comparison.target;
        if announced.contains(name) && task.rows(Side::Target, name, session).await? == listed.file.rows {
            all.push((name.clone(), listed.file.rows));
        }
    }
    Ok(all)
}

async fn make_empty(
    plan: &TransferPlan,
    committed: &[(TableName, u64)],
    settings: &Settings,
    task: &StepTask,
    session: &mut dyn Session,
) -> Result<(), StepError> {
    let (mut open, mut full) = (Vec::new(), Vec::new());
    for table in &plan.tables {
        let name = &table.comparison.target;
        if committed.iter().any(|(known, _)| known == name) {
            continue;
        }
        let rows = task.rows(Side::Target, name, session).await?;
        if rows > 0 {
            full.push((name, rows));
        }
        open.push(name.clone());
    }
    match (settings.when_not_empty, full.first()) {
        (_, None) => Ok(()),
        // The empty ones, too: a table goes only together with those that refer to it.
        (WhenNotEmpty::Clear, Some(_)) => Ok(session.truncate(&open).await?),
        (WhenNotEmpty::Refuse, Some((name, rows))) => Err(StepError::Refused {
            what: format!(
                "the target is not empty: `{name}` holds {rows} rows ({} of its tables hold rows); \
                 nothing was written. `when_not_empty = \"clear\"` empties them first",
                full.len()
            ),
        }),
    }
}

/// An import under way.
struct Import<'a> {
    task: &'a StepTask,
    session: &'a mut dyn Session,
    voice: &'a mut dyn StepVoice,
    batch_rows: u64,
    /// Whether the server checks foreign keys as the rows come.
    keys_are_checked: bool,
    /// Rows of the tables that are committed.
    done: u64,
    total: u64,
}

impl Import<'_> {
    /// Imports one table in a transaction of its own.
    async fn table(&mut self, table: &TableMove, listed: &ManifestTable) -> Result<(), StepError> {
        let name = &table.comparison.target;
        let columns: Vec<String> = table.columns().map(|pair| pair.target.name.clone()).collect();
        let kinds = table.columns().map(|pair| pair.target.kind.clone()).collect();
        let rows = ExportedRows::open(&self.task.folder, listed)?;
        let mut batch = Batch { rows, kinds, fields: Vec::new(), left: 0, ended: false };
        // Keys are checked at the end of a batch: rows that refer to later ones of their own table go in one.
        let refers_to_itself = self.keys_are_checked && table.target.foreign_keys.iter().any(|key| key.parent == *name);
        let batch_rows = if refers_to_itself { u64::MAX } else { self.batch_rows };
        self.session.begin(false).await?;
        let mut loaded = 0;
        while !batch.ended {
            self.voice.progress("import", self.done + loaded, Some(self.total));
            batch.left = batch_rows;
            loaded += self.session.load(&table.target, &columns, &mut batch).await?;
        }
        let counted = self.task.rows(Side::Target, name, self.session).await?;
        if loaded != listed.file.rows || counted != listed.file.rows {
            let what = format!("{} rows were exported, {loaded} sent, {counted} counted", listed.file.rows);
            return Err(StepError::broken(format!("import `{name}`"), what));
        }
        self.voice.mark(mark(&Mark::Committing { table: name.clone(), rows: counted })).await?;
        self.session.commit().await?;
        self.done += loaded;
        Ok(())
    }
}

/// The next so many rows of an export file, brought to the target's types.
struct Batch {
    rows: ExportedRows,
    kinds: Vec<LogicalType>,
    fields: Vec<Field>,
    left: u64,
    ended: bool,
}

impl RowSource for Batch {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        if !self.rows.next(&mut self.fields)? {
            self.ended = true;
            return Ok(false);
        }
        for (field, kind) in self.fields.drain(..).zip(&self.kinds) {
            row.push(convert(field, kind)?);
        }
        Ok(true)
    }
}

/// Empties the tables on a fresh connection, and brings their keys back; goes on trying while the server is away, until
/// the deadline.
async fn empty_again(task: &StepTask, begun: &Begun, voice: &mut dyn StepVoice) -> Result<u64, StepError> {
    let tables = &begun.tables;
    let deadline = Instant::now() + Duration::from_millis(task.reconnect_ms);
    let mut pause = Duration::from_millis(50);
    loop {
        let attempt = async {
            let mut session = reach(task, deadline).await?;
            let mut rows = 0;
            for table in tables {
                rows += task.rows(Side::Target, table, &mut *session).await?;
            }
            session.truncate(tables).await?;
            with(&begun.aside, &mut *session).await?;
            session.close().await?;
            Ok(rows)
        };
        match attempt.await {
            Ok(rows) => {
                voice.mark(mark(&Mark::TakenBack)).await?;
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

/// Connects to the target; a host that is gone does not even say no.
async fn reach(task: &StepTask, deadline: Instant) -> Result<Box<dyn Session>, StepError> {
    let patience = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    tokio::time::timeout(patience, task.connect(&task.addresses.target)).await.unwrap_or_else(|_| {
        let place = task.addresses.target.to_string();
        let source = format!("no answer within {} s", patience.as_secs()).into();
        Err(EngineError::Unavailable { place, source }.into())
    })
}

fn mark(mark: &Mark) -> Json {
    serde_json::to_value(mark).expect("marks are plain JSON")
}
