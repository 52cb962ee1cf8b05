//! The change itself, forward and back: a second column, filled in batches, takes the place of the first.

use std::time::Duration;

use super::{
    super::StepError,
    columns::Converted,
    plan::{Plan, State},
    settings::{BACKUP, Mode, Orphans},
    work::{Work, kept},
};
use crate::{
    engine::retype::{Retyping, Swap},
    model::{Catalogue, LogicalType},
};

/// Converts the key. In expand-and-contract mode nothing changes its place yet: see [`references`].
pub(super) async fn key(work: &mut Work<'_>) -> Result<u64, StepError> {
    let plan = work.planned().await?;
    match work.settings.mode {
        Mode::InTurn => convert(work, &plan, &[plan.key()]).await,
        Mode::ExpandAndContract => fill_all(work, &plan, &[plan.key()], true).await,
    }
}

/// Converts what refers to the key, and brings the foreign keys back.
pub(super) async fn references(work: &mut Work<'_>) -> Result<u64, StepError> {
    let plan = work.planned().await?;
    let others: Vec<&Converted> = plan.columns[1..].iter().collect();
    let rows = match work.settings.mode {
        Mode::InTurn => {
            let mut rows = 0;
            for column in &others {
                rows += convert(work, &plan, &[*column]).await?;
            }
            rows
        }
        Mode::ExpandAndContract => {
            let rows = fill_all(work, &plan, &others, true).await?;
            let all: Vec<&Converted> = plan.columns.iter().collect();
            swap_forward(work, &plan, &all).await?;
            rows
        }
    };
    refer(work, &plan).await?;
    for table in plan.tables() {
        work.retype.analyze(&mut *work.session, table).await?;
    }
    Ok(rows)
}

/// Goes back from wherever the conversion got to; the original spellings come from the backup.
pub(super) async fn back(work: &mut Work<'_>) -> Result<u64, StepError> {
    let Some(plan) = work.plan().await? else {
        if work.is_cleaned_up().await? {
            let what = "there is no way back: cleanup_backup has dropped the original rows".to_owned();
            return Err(StepError::Refused { what });
        }
        return Ok(0);
    };
    let catalogue = work.catalogue().await?;
    let was_changed =
        plan.columns.iter().any(|column| matches!(column.state(&catalogue), Some(State::Converted | State::Restoring)));
    if was_changed {
        drop_references(work, &plan).await?;
    }
    let mut rows = 0;
    for column in plan.columns.iter().rev() {
        let value = original(work, &plan, column);
        let retyping = column.retyping(&column.declared, &value);
        match column.state(&catalogue) {
            Some(State::Original) | None => {}
            Some(State::Filling) => {
                patiently(work, &Act::Contract(&retyping)).await?;
            }
            Some(State::Converted | State::Restoring) => {
                if !column.is_plain {
                    refuse_new_rows(work, &plan, column).await?;
                }
                patiently(work, &Act::Expand(&retyping)).await?;
                rows += fill(work, &retyping, "restore").await?;
                swap(work, &[(&retyping, column)], true).await?;
            }
        }
    }
    // Also those that an earlier process took away and did not bring back.
    if was_changed || lacks_references(work, &plan).await? {
        refer(work, &plan).await?;
    }
    for table in plan.tables() {
        work.retype.analyze(&mut *work.session, table).await?;
    }
    work.session.execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", work.dialect.quote(BACKUP))).await?;
    Ok(rows)
}

/// Fills and swaps these columns of one kind of turn.
async fn convert(work: &mut Work<'_>, plan: &Plan, columns: &[&Converted]) -> Result<u64, StepError> {
    let rows = fill_all(work, plan, columns, false).await?;
    swap_forward(work, plan, columns).await?;
    Ok(rows)
}

/// Expands these columns, as far as that is not done, and fills the second ones.
async fn fill_all(
    work: &mut Work<'_>,
    plan: &Plan,
    columns: &[&Converted],
    writers_go_on: bool,
) -> Result<u64, StepError> {
    let mut rows = 0;
    for column in columns {
        let catalogue = work.catalogue().await?;
        if column.state(&catalogue) == Some(State::Converted) {
            continue;
        }
        let value = converted(work, plan, column, &catalogue)?;
        let retyping = column.retyping(work.retype.uuid(), &value);
        patiently(work, &Act::Expand(&retyping)).await?;
        if writers_go_on {
            patiently(work, &Act::Synchronise(&retyping)).await?;
        }
        rows += fill(work, &retyping, "convert").await?;
    }
    Ok(rows)
}

async fn swap_forward(work: &mut Work<'_>, plan: &Plan, columns: &[&Converted]) -> Result<(), StepError> {
    let catalogue = work.catalogue().await?;
    let left = columns.iter().filter(|column| column.state(&catalogue) == Some(State::Filling));
    let mut values = Vec::new();
    for column in left {
        values.push((*column, converted(work, plan, column, &catalogue)?));
    }
    let retypings: Vec<_> =
        values.iter().map(|(column, value)| (column.retyping(work.retype.uuid(), value), *column)).collect();
    let swaps: Vec<_> = retypings.iter().map(|(retyping, column)| (retyping, *column)).collect();
    if swaps.is_empty() { Ok(()) } else { swap(work, &swaps, false).await }
}

async fn swap(work: &mut Work<'_>, swaps: &[(&Retyping<'_>, &Converted)], restores: bool) -> Result<(), StepError> {
    let defaults: Vec<Option<String>> = swaps
        .iter()
        .map(|(_, column)| {
            let default = column.default.as_deref()?;
            Some(if restores { default.to_owned() } else { work.retype.default_uuid(&column.kind, default) })
        })
        .collect();
    let swaps: Vec<Swap<'_>> = swaps
        .iter()
        .zip(&defaults)
        .map(|((retyping, column), default)| column.swap(retyping, default.as_deref(), restores))
        .collect();
    patiently(work, &Act::Swap(&swaps)).await
}

/// Fills the second column batch by batch.
async fn fill(work: &mut Work<'_>, retyping: &Retyping<'_>, doing: &str) -> Result<u64, StepError> {
    let table = work.dialect.table(retyping.table);
    let total = work.count(&format!("SELECT COUNT(*) FROM {table}")).await?;
    let doing = format!("{doing} {}.{}", retyping.table, retyping.column);
    let (mut done, mut cursor) = (0, 0);
    loop {
        work.heed()?;
        let filled = work.retype.fill(&mut *work.session, retyping, cursor, work.settings.batch_rows).await;
        let Some(filled) = filled? else { return Ok(done) };
        done += filled.rows;
        cursor = filled.cursor;
        work.voice.progress(&doing, done, Some(total));
        if work.settings.pause_ms > 0 {
            tokio::time::sleep(Duration::from_millis(work.settings.pause_ms)).await;
        }
    }
}

/// The UUID of a column's value, by a row called `t`.
fn converted(work: &Work<'_>, plan: &Plan, column: &Converted, catalogue: &Catalogue) -> Result<String, StepError> {
    // References take their value from the key's name, so that what was equal stays equal.
    let seed = work.settings.key.to_string();
    let not_convertible = || StepError::Rejected { what: format!("{} is of type {}", column.name, column.declared) };
    let uuid = |kind: &LogicalType, value: &str| work.retype.to_uuid(kind, value, &seed).ok_or_else(not_convertible);
    let own = uuid(&column.kind, &work.of_row(&column.name.column))?;
    let (Orphans::Assign(parent), false) = (&work.settings.orphans, column == plan.key()) else { return Ok(own) };
    let key = plan.key();
    // While the application runs on, the key's UUID stands in its second column; a key in turn is a UUID by now.
    let holds = match key.state(catalogue) {
        Some(State::Filling) => &key.temporary,
        _ => &key.name.column,
    };
    let (table, holds) = (work.dialect.table(&key.name.table), work.dialect.quote(holds));
    let assigned = uuid(&LogicalType::Text { limit: None }, &work.dialect.literal(parent))?;
    Ok(format!("CASE WHEN EXISTS (SELECT 1 FROM {table} k WHERE k.{holds} = {own}) THEN {own} ELSE {assigned} END"))
}

/// What a column's value was before it was a UUID, by a row called `t`: as the backup has it, as long as the row still means
/// the same; otherwise as the server spells it.
fn original(work: &Work<'_>, plan: &Plan, column: &Converted) -> String {
    let now = work.of_row(&column.name.column);
    let spelled = work.retype.spelled(&now, &column.declared);
    let is_assigned = column != plan.key() && matches!(work.settings.orphans, Orphans::Assign(_));
    if column.is_plain && !is_assigned {
        return spelled;
    }
    let kept_value = kept_value(work, plan, column);
    match column.kind {
        // An integer cannot be told from its UUID.
        LogicalType::Integer { .. } => kept_value,
        _ => format!("COALESCE({kept_value}, {spelled})"),
    }
}

/// The value that the backup has for the row called `t`.
fn kept_value(work: &Work<'_>, plan: &Plan, column: &Converted) -> String {
    let quote = |name: &str| work.dialect.quote(name);
    let seed = work.settings.key.to_string();
    let of_backup = |name: &str| format!("b.{}", quote(name));
    let uuid = |column: &Converted| {
        let value = of_backup(&column.name.column);
        work.retype.to_uuid(&column.kind, &value, &seed).unwrap_or(value)
    };
    let same_row = column.row_key.iter().map(|name| {
        let part = plan.columns.iter().find(|one| one.name.table == column.name.table && one.name.column == *name);
        // A part of the key that was converted may have been brought back already; both spell one UUID.
        match part {
            Some(part) => {
                let now = work.of_row(name);
                let as_uuid = |value: &str| work.retype.as_uuid(value);
                format!("{} = {}", uuid(part), as_uuid(&now))
            }
            None => format!("{} = {}", of_backup(name), work.of_row(name)),
        }
    });
    let mut conditions: Vec<String> = same_row.collect();
    if !column.row_key.contains(&column.name.column) {
        let now = work.of_row(&column.name.column);
        let same = format!("{} = {now}", uuid(column));
        conditions.push(match &work.settings.orphans {
            Orphans::Assign(parent) if column != plan.key() && !column.row_key.is_empty() => {
                let assigned = work.retype.as_uuid(&work.dialect.literal(parent));
                format!("({same} OR {now} = {assigned})")
            }
            _ => same,
        });
    }
    let table = work.dialect.table(&kept(&column.name.table));
    // Without a key the UUID has to tell the value: before anything began it was made sure that it does.
    let value = of_backup(&column.name.column);
    let value = if column.row_key.is_empty() { format!("MIN({value})") } else { value };
    format!("(SELECT {value} FROM {table} b WHERE {})", conditions.join(" AND "))
}

/// Refuses to bring integers back where rows were written since that never had one.
async fn refuse_new_rows(work: &mut Work<'_>, plan: &Plan, column: &Converted) -> Result<(), StepError> {
    if !matches!(column.kind, LogicalType::Integer { .. }) {
        return Ok(());
    }
    let sql = format!(
        "SELECT COUNT(*) FROM {} t WHERE {} IS NOT NULL AND {} IS NULL",
        work.dialect.table(&column.name.table),
        work.of_row(&column.name.column),
        kept_value(work, plan, column)
    );
    match work.count(&sql).await? {
        0 => Ok(()),
        rows => {
            let what = format!("{rows} rows of {} were written since and have no integer to go back to", column.name);
            Err(StepError::Rejected { what })
        }
    }
}

async fn drop_references(work: &mut Work<'_>, plan: &Plan) -> Result<(), StepError> {
    for attached in plan.references() {
        if let Some(goes) = &attached.goes {
            patiently(work, &Act::Say(goes)).await?;
        }
    }
    Ok(())
}

/// Brings the foreign keys back: first for new rows, then proven on those that are there, which does not keep writers out.
async fn refer(work: &mut Work<'_>, plan: &Plan) -> Result<(), StepError> {
    drop_references(work, plan).await?;
    for attached in plan.references() {
        patiently(work, &Act::Say(&attached.comes)).await?;
    }
    for proves in plan.references().iter().filter_map(|attached| attached.proves.as_ref()) {
        patiently(work, &Act::Say(proves)).await?;
    }
    Ok(())
}

async fn lacks_references(work: &mut Work<'_>, plan: &Plan) -> Result<bool, StepError> {
    let catalogue = work.catalogue().await?;
    let names: Vec<_> =
        catalogue.tables.values().flat_map(|table| &table.foreign_keys).filter_map(|key| key.name.as_ref()).collect();
    Ok(plan.references().iter().any(|attached| !names.contains(&&attached.name)))
}

/// An act that needs a lock.
enum Act<'a> {
    Expand(&'a Retyping<'a>),
    Synchronise(&'a Retyping<'a>),
    Contract(&'a Retyping<'a>),
    Swap(&'a [Swap<'a>]),
    Say(&'a str),
}

/// Does an act that needs a lock. While others hold it, it lets those who queue behind go first, and tries again; in the end
/// it gives up, and has changed nothing.
async fn patiently(work: &mut Work<'_>, act: &Act<'_>) -> Result<(), StepError> {
    let (lock_ms, retype) = (work.settings.lock_ms, work.retype);
    let mut tries = 0;
    loop {
        work.heed()?;
        let session = &mut *work.session;
        let outcome = match act {
            Act::Expand(retyping) => retype.expand(session, retyping, lock_ms).await,
            Act::Synchronise(retyping) => retype.synchronise(session, retyping, BACKUP, lock_ms).await,
            Act::Contract(retyping) => retype.contract(session, retyping, BACKUP, lock_ms).await,
            Act::Swap(swaps) => retype.swap(session, swaps, BACKUP, lock_ms).await,
            Act::Say(statement) => retype.say(session, statement, lock_ms).await,
        };
        tries += 1;
        match outcome {
            Err(error) if retype.is_lock_timeout(&error) && tries < work.settings.lock_tries => {
                tokio::time::sleep(Duration::from_millis(lock_ms)).await;
            }
            Err(error) if retype.is_lock_timeout(&error) => {
                let doing = format!("get a lock in {tries} tries of {lock_ms} ms; another session holds it");
                return Err(StepError::broken(doing, error));
            }
            other => return Ok(other?),
        }
    }
}
