//! Records the state of one side: the whole catalogue, and every table's rows in own form.

use std::{
    fs::File,
    io::{self, Write},
    ops::ControlFlow,
    path::Path,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    canon::{self, Cell, Form, RowDigester, RowSink},
    check::difference::{Keeper, KeptRows, TableKeeper},
    engine::{self, EngineError, Guard, Rowset, Session, emptiness::empty_tables, spawned},
    model::{Address, Endpoint, Fingerprint, Snapshot, catalogue::Table, chain, snapshot::TableSnapshot},
};

/// How often it is told how far the reading of a table is.
const TELL: Duration = Duration::from_millis(100);

/// Records one side in a fresh read-only session. Now and then `told` hears how many rows of a table were read so far.
///
/// # Errors
/// If the database cannot be reached or read.
///
/// # Panics
/// For a database in a file, outside a runtime with several threads.
pub async fn record(address: &Address, told: &(dyn Fn(u64) + Sync)) -> Result<Snapshot, EngineError> {
    record_guarded(address, &Guard::default(), told).await
}

/// The same, with the rows kept in a file of this folder.
pub(super) async fn record_and_keep(address: &Address, folder: &Path) -> Result<(Snapshot, KeptRows), EngineError> {
    let failed = |error: io::Error| not_kept(folder, error);
    let mut keeper = Some(Keeper::new(folder).map_err(failed)?);
    let state = record_into(address, &Guard::default(), &|_| (), &mut keeper, folder).await?;
    let keeper = keeper.ok_or_else(|| failed(io::Error::other("who keeps them is gone")))?;
    Ok((state, keeper.finish().map_err(failed)?))
}

/// The same within bounds.
pub(super) async fn record_guarded(
    address: &Address,
    guard: &Guard,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Snapshot, EngineError> {
    record_into(address, guard, told, &mut None, Path::new("")).await
}

/// Why rows could not be kept.
fn not_kept(folder: &Path, error: io::Error) -> EngineError {
    let doing = format!("keeping the rows of a state in `{}`", folder.display());
    if error.kind() == io::ErrorKind::StorageFull {
        return EngineError::Full { doing, source: error.into() };
    }
    EngineError::Unexpected { doing, what: error.to_string() }
}

async fn record_into(
    address: &Address,
    guard: &Guard,
    told: &(dyn Fn(u64) + Sync),
    keeper: &mut Option<Keeper>,
    folder: &Path,
) -> Result<Snapshot, EngineError> {
    let unknown = || EngineError::Unexpected {
        doing: "opening a session".to_owned(),
        what: format!("no engine is called `{}`", address.engine),
    };
    let engine = engine::by_id(address.engine.as_str()).ok_or_else(unknown)?;
    let mut session = engine.connect(address).await?;
    if *guard != Guard::default() {
        session.guard(guard).await?;
    }
    session.begin(true).await?;
    let catalogue = session.introspect().await?;
    let mut snapshot = Snapshot::default();
    let readable: Vec<_> = catalogue.tables.values().filter(|table| table.unreadable.is_none()).collect();
    let names: Vec<_> = readable.iter().map(|table| &table.name).collect();
    let empty = empty_tables(&mut *session, engine.dialect(), &names).await?;
    for table in catalogue.tables.values() {
        let state = match &table.unreadable {
            Some(reason) => unreadable(reason.clone()),
            None if empty.contains(&table.name) => without_rows(table),
            None => {
                let (back, read, kept) = rows(session, table, told, keeper.take()).await?;
                session = back;
                *keeper = kept.map_err(|error| not_kept(folder, error))?;
                match read {
                    Ok(state) => state,
                    // One table that cannot be read does not keep the others from being read.
                    Err(error) if error.is_about_the_question() => {
                        session.recover().await?;
                        unreadable(chain(&error))
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        snapshot.tables.insert(table.name.clone(), state);
    }
    snapshot.catalogue = catalogue;
    session.commit().await?;
    session.close().await?;
    if let Endpoint::File(path) = &address.endpoint {
        snapshot.file_sha256 = Some(tokio::task::block_in_place(|| sha256(path)).map_err(|error| {
            EngineError::BadFile { path: path.display().to_string(), problem: format!("cannot be read: {error}") }
        })?);
    }
    Ok(snapshot)
}

fn unreadable(reason: String) -> TableSnapshot {
    TableSnapshot { unreadable: Some(reason), ..TableSnapshot::default() }
}

fn without_rows(table: &Table) -> TableSnapshot {
    let columns = table.columns.iter().map(|column| (column.name.clone(), Fingerprint::default()));
    TableSnapshot { columns: columns.collect(), ..TableSnapshot::default() }
}

/// Writes a recorded state; on disk when this returns, because `resume` and `rollback` prove by it.
pub(super) fn store(state: &Snapshot, path: &Path) -> Result<(), String> {
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_all()
    };
    write().map_err(|error| format!("failed to write `{}`: {error}", path.display()))
}

/// The session again, the state of a table or why it could not be read, and who keeps its rows.
type Read = (Box<dyn Session>, Result<TableSnapshot, EngineError>, io::Result<Option<Keeper>>);

/// Reads the rows of a table in a task of its own, so that who waits for it can also stop waiting where the engine blocks
/// its thread.
async fn rows(
    session: Box<dyn Session>,
    table: &Table,
    told: &(dyn Fn(u64) + Sync),
    keeper: Option<Keeper>,
) -> Result<Read, EngineError> {
    let mut columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    // By name, because the order of the columns is an object of the catalogue and no property of a row.
    columns.sort_unstable();
    // No key and one bucket: nothing is located here, only compared with another state of the same side.
    let digester = RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), true).with_buckets(1);
    let seen = Arc::new(AtomicU64::new(0));
    let sink = Counted { sink: digester, kept: keeper.map(Keeper::begin), rows: 0, seen: Arc::clone(&seen) };
    let mut scan = pin!(spawned::scan(session, Rowset::of(table.name.clone(), columns.clone()), sink));
    let scanned = loop {
        tokio::select! {
            scanned = &mut scan => break scanned?,
            () = tokio::time::sleep(TELL) => told(seen.load(Ordering::Relaxed)),
        }
    };
    let Counted { sink, kept, .. } = scanned.sink;
    let digest = sink.finish();
    let whole = scanned.outcome.is_ok().then_some((&table.name, columns.as_slice()));
    let kept = kept.map(|kept| kept.end(whole)).transpose();
    let state = scanned.outcome.map(|_| TableSnapshot {
        rows: digest.fingerprint,
        columns: columns.into_iter().zip(digest.columns).collect(),
        unreadable: None,
    });
    Ok((scanned.session, state, kept))
}

/// A sink that lets others see how far it is.
struct Counted {
    sink: RowDigester,
    kept: Option<TableKeeper>,
    rows: u64,
    seen: Arc<AtomicU64>,
}

impl RowSink for Counted {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        if let Some(kept) = &mut self.kept {
            kept.cell(column, cell);
        }
        self.sink.cell(column, cell);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows += 1;
        self.seen.store(self.rows, Ordering::Relaxed);
        let kept = self.kept.as_mut().map_or(ControlFlow::Continue(()), RowSink::end_row);
        match self.sink.end_row() {
            ControlFlow::Continue(()) => kept,
            stop @ ControlFlow::Break(()) => stop,
        }
    }
}

/// SHA-256 of a file in hexadecimal.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    canon::sha256(File::open(path)?)
}
