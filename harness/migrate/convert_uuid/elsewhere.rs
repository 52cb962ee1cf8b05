//! Original rows in another database: brought there row by row, proven by fingerprints, and brought back before the way back
//! looks them up.
//!
//! There every column is a text but for those that are converted: types of the user's own need not be known there.

use std::{
    ops::ControlFlow,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use tokio::task::block_in_place;

use super::{super::StepError, backup, plan::Plan, work::Work};
use crate::{
    canon::{Cell, Form, RowDigester, RowSink, comparison::Expression, text_of},
    engine::{BoxedError, Dialect, EngineError, RowSource, Rowset, Session, retype::Keeping},
    model::{Fingerprint, TableName, Value, catalogue::Table},
};

/// What rows are called on their way back.
const RAW: &str = "brought back";
/// Rows that are sent together, and how often that may be before somebody takes them.
const ROWS: usize = 1000;
const CHUNKS: usize = 4;

/// Rows as texts.
type Rows = Vec<Vec<Value>>;

/// Brings a table's rows there and proves that they are the same, in one transaction there. Gives the rows.
pub(super) async fn keep(work: &mut Work<'_>, plan: &Plan, table: &Table) -> Result<u64, StepError> {
    // All that is read here is of one moment.
    work.session.begin(true).await?;
    let kept = keep_at_once(work, plan, table).await;
    // The first error is the one to tell.
    let ended = work.session.tx_rollback().await;
    let rows = kept?;
    ended?;
    // A session that only reads has patience of its own.
    work.session.execute(&work.retype.patience(work.settings.lock_ms)).await?;
    Ok(rows)
}

async fn keep_at_once(work: &mut Work<'_>, plan: &Plan, table: &Table) -> Result<u64, StepError> {
    let to = work.kept(&table.name);
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let converted = |name: &str| plan.of(&table.name).find(|column| column.name.column == name);
    let types = names.iter().map(|name| {
        let declared = converted(name).map_or("text", |column| column.declared.as_str());
        format!("{} {declared}", work.dialect.quote(name))
    });
    let makes = format!("CREATE TABLE {} ({})", work.dialect.table(&to), types.collect::<Vec<_>>().join(", "));
    let from = texts(Rowset::of(table.name.clone(), names.clone()), work.dialect, |name| converted(name).is_some());
    let mut vault = work.vault()?;
    vault.begin(false).await?;
    vault.execute(&makes).await?;
    let (made, columns) = (made(&mut *vault, &to).await?, names.clone());
    let (sender, receiver) = sync_channel(CHUNKS);
    let loading = tokio::spawn(async move {
        let loaded = vault.load(&made, &columns, &mut Taken::of(receiver)).await;
        (vault, loaded)
    });
    let sent = send(&mut *work.session, &from, sender).await;
    let (mut vault, loaded) = loading.await.map_err(|error| StepError::broken("keep rows elsewhere", error))?;
    // Where both ended, the one that was refused rows knows why.
    loaded.and(sent)?;
    let original = fingerprint(&mut *work.session, &from).await?;
    let copied = fingerprint(&mut *vault, &Rowset::of(to.clone(), names)).await?;
    if original != copied {
        let what = format!("the copy of {} in {to} holds other rows than the table", table.name);
        return Err(StepError::Rejected { what });
    }
    vault.commit().await?;
    work.vault = Some(vault);
    Ok(original.rows)
}

/// Brings back what the way back has to look up, into the schema of that name here.
pub(super) async fn bring_back(work: &mut Work<'_>, plan: &Plan) -> Result<(), StepError> {
    let catalogue = work.catalogue().await?;
    for table in plan.tables() {
        work.heed()?;
        let to = work.kept(table);
        let (uuids, indexes) = backup::looked_up(work, plan, table);
        if uuids.is_empty() || catalogue.tables.contains_key(&to) {
            continue;
        }
        let mut columns: Vec<(String, String)> =
            plan.of(table).map(|column| (column.name.column.clone(), column.declared.clone())).collect();
        for name in plan.of(table).flat_map(|column| &column.row_key) {
            let part = catalogue.tables.get(table).and_then(|table| table.column(name));
            if let Some(part) = part.filter(|_| columns.iter().all(|(known, _)| known != name)) {
                columns.push((name.clone(), part.declared.clone()));
            }
        }
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let raw = TableName::in_schema(&work.backup, RAW);
        let types = columns.iter().map(|(name, declared)| format!("{} {declared}", work.dialect.quote(name)));
        let types = types.collect::<Vec<_>>().join(", ");
        let drops = format!("DROP TABLE IF EXISTS {}", work.dialect.table(&raw));
        work.session.execute(&drops).await?;
        work.session.execute(&format!("CREATE TABLE {} ({types})", work.dialect.table(&raw))).await?;
        let made = made(&mut *work.session, &raw).await?;
        let there = Rowset::of(to.clone(), names.clone());
        let (sender, receiver) = sync_channel(CHUNKS);
        let mut vault = work.vault()?;
        let rowset = there.clone();
        let sending = tokio::spawn(async move {
            let sent = send(&mut *vault, &rowset, sender).await;
            (vault, sent)
        });
        let loaded = work.session.load(&made, &names, &mut Taken::of(receiver)).await;
        let (vault, sent) = sending.await.map_err(|error| StepError::broken("bring rows back", error))?;
        let vault = work.vault.insert(vault);
        loaded.and(sent)?;
        let original = fingerprint(&mut **vault, &there).await?;
        let is_text = |name: &str| plan.of(table).any(|column| column.name.column == name);
        let here = texts(Rowset::of(raw.clone(), names.clone()), work.dialect, is_text);
        if fingerprint(&mut *work.session, &here).await? != original {
            let what = format!("what was brought back of {table} is not what was kept");
            return Err(StepError::Rejected { what });
        }
        let keeping = Keeping { from: &raw, to: &to, columns: &names, uuids: &uuids, indexes: &indexes };
        backup::copy(work, &keeping, &names).await?;
        work.session.execute(&drops).await?;
    }
    Ok(())
}

/// A rowset whose columns are read as texts, but for some.
pub(super) fn texts(mut rowset: Rowset, dialect: &dyn Dialect, is_plain: impl Fn(&str) -> bool) -> Rowset {
    let read = rowset.columns.iter().filter(|name| !is_plain(name));
    let read = read.map(|name| (name.clone(), Expression::Sql(dialect.as_text(&dialect.quote(name)))));
    rowset.terms.expressions = read.collect();
    rowset
}

async fn fingerprint(session: &mut dyn Session, rowset: &Rowset) -> Result<Fingerprint, StepError> {
    let mut digester = RowDigester::new(vec![Form::Own; rowset.columns.len()], Vec::new(), false).with_buckets(1);
    session.scan(rowset, &mut digester).await?;
    Ok(digester.finish().fingerprint)
}

async fn send(session: &mut dyn Session, rowset: &Rowset, to: SyncSender<Rows>) -> Result<u64, EngineError> {
    let mut sink = Sent { to, rows: Vec::new(), row: Vec::new() };
    let rows = session.scan(rowset, &mut sink).await?;
    // Whoever wants no more rows says why.
    let _ = sink.hand_on();
    Ok(rows)
}

/// A table that was made just now.
async fn made(session: &mut dyn Session, name: &TableName) -> Result<Table, StepError> {
    let missing = || StepError::broken(format!("make {name}"), "the catalogue does not have it");
    session.introspect().await?.tables.remove(name).ok_or_else(missing)
}

/// Hands rows on as they come.
struct Sent {
    to: SyncSender<Rows>,
    rows: Rows,
    row: Vec<Value>,
}

impl Sent {
    fn hand_on(&mut self) -> ControlFlow<()> {
        let rows = std::mem::take(&mut self.rows);
        match block_in_place(|| self.to.send(rows)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl RowSink for Sent {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        self.row.push(match cell {
            Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Cell::Integer(number) => Value::Integer(number),
            other => text_of(&other).map_or(Value::Null, Value::Text),
        });
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows.push(std::mem::take(&mut self.row));
        if self.rows.len() < ROWS { ControlFlow::Continue(()) } else { self.hand_on() }
    }
}

/// Takes them.
struct Taken {
    from: Receiver<Rows>,
    rows: std::vec::IntoIter<Vec<Value>>,
}

impl Taken {
    fn of(from: Receiver<Rows>) -> Self {
        Self { from, rows: Vec::new().into_iter() }
    }
}

impl RowSource for Taken {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        loop {
            if let Some(next) = self.rows.next() {
                *row = next;
                return Ok(true);
            }
            match block_in_place(|| self.from.recv()) {
                Ok(rows) => self.rows = rows.into_iter(),
                Err(_) => return Ok(false),
            }
        }
    }
}
