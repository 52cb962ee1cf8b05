//! The change itself, forward and back: a second column, filled in batches, takes the place of the first.

use std::{collections::BTreeSet, time::Duration};

use super::{
    super::StepError,
    columns::Converted,
    compare, elsewhere,
    operation::Operation,
    plan::{Plan, State},
    settings::{Mode, Orphans},
    work::Work,
};
use crate::{
    engine::{
        EngineError,
        retype::{Act, AttachedClass, Filled, Retyping},
    },
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
            let catalogue = work.catalogue().await?;
            let filled = |column: &&Converted| column.state(&catalogue) == Some(State::Filling);
            let filled: Vec<&Converted> = all.iter().copied().filter(filled).collect();
            compare::second_columns(work, &plan, &filled).await?;
            swap_forward(work, &plan, &all, true).await?;
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
        if work.vault.is_some() {
            elsewhere::bring_back(work, &plan).await?;
        }
        drop_references(work, &plan).await?;
    }
    // All of them before any row is written: what filled one column is in the way of all others of its table.
    for column in plan.columns.iter().filter(|column| column.state(&catalogue) == Some(State::Converted)) {
        settle(work, &column.retyping(&column.declared, "NULL")).await?;
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
                let swap = column.swap(&retyping, column.default.as_deref(), true);
                patiently(work, &Act::Swap(&[swap])).await?;
            }
        }
    }
    // Also those that an earlier process took away and did not bring back.
    refer(work, &plan).await?;
    for table in plan.tables() {
        work.retype.analyze(&mut *work.session, table).await?;
    }
    work.drop_backup(&plan, Operation::Rollback).await?;
    Ok(rows)
}

/// Fills and swaps these columns of one kind of turn.
async fn convert(work: &mut Work<'_>, plan: &Plan, columns: &[&Converted]) -> Result<u64, StepError> {
    let rows = fill_all(work, plan, columns, false).await?;
    swap_forward(work, plan, columns, false).await?;
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
        let value = converted(work, plan, column, &catalogue)?;
        let retyping = forward(work, plan, column, &value);
        if column.state(&catalogue) == Some(State::Converted) {
            settle(work, &retyping).await?;
            continue;
        }
        patiently(work, &Act::Expand(&retyping)).await?;
        if writers_go_on {
            patiently(work, &Act::Synchronise(&retyping)).await?;
        }
        rows += fill(work, &retyping, "convert").await?;
    }
    Ok(rows)
}

/// The way of a column to UUIDs, by a value.
fn forward<'a>(work: &Work<'_>, plan: &'a Plan, column: &'a Converted, value: &'a str) -> Retyping<'a> {
    let is_assigned = column != plan.key() && matches!(work.settings.orphans, Orphans::Assign(_));
    let beside = is_assigned.then_some(&plan.key().name.table);
    Retyping { beside, ..column.retyping(work.retype.uuid(), value) }
}

/// Takes away what filled the second column of a column that is converted already: where an engine does not swap columns and
/// drop that in one act, an earlier process may have been cut off in between.
async fn settle(work: &mut Work<'_>, retyping: &Retyping<'_>) -> Result<(), StepError> {
    patiently(work, &Act::Contract(retyping)).await
}

async fn swap_forward(
    work: &mut Work<'_>,
    plan: &Plan,
    columns: &[&Converted],
    writers_go_on: bool,
) -> Result<(), StepError> {
    let catalogue = work.catalogue().await?;
    let left = columns.iter().filter(|column| column.state(&catalogue) == Some(State::Filling));
    let mut values = Vec::new();
    for column in left {
        let default = column.default.as_deref().map(|default| work.retype.default_uuid(&column.kind, default));
        values.push((*column, converted(work, plan, column, &catalogue)?, default));
    }
    let retypings: Vec<_> = values.iter().map(|(column, value, _)| forward(work, plan, column, value)).collect();
    let swaps: Vec<_> = values
        .iter()
        .zip(&retypings)
        .map(|((column, _, default), retyping)| column.swap(retyping, default.as_deref(), false))
        .collect();
    if swaps.is_empty() {
        return Ok(());
    }
    if writers_go_on {
        patiently(work, &Act::Prepare(&swaps)).await?;
    }
    patiently(work, &Act::Swap(&swaps)).await
}

/// Fills the second column batch by batch.
async fn fill(work: &mut Work<'_>, retyping: &Retyping<'_>, doing: &str) -> Result<u64, StepError> {
    let table = work.dialect.table(retyping.table);
    let total = work.count(&format!("SELECT COUNT(*) FROM {table}")).await?;
    let doing = format!("{doing} {}.{}", retyping.table, retyping.column);
    let (mut done, mut cursor) = (0, String::new());
    loop {
        let filled = attempt(work, &Attempt::Fill(retyping, &cursor)).await?;
        let Some(filled) = filled else { return Ok(done) };
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
    let is_none = format!("{} IS NULL", work.of_row(&column.name.column));
    let has_parent = format!("EXISTS (SELECT 1 FROM {table} k WHERE k.{holds} = {own})");
    Ok(format!("CASE WHEN {is_none} THEN NULL WHEN {has_parent} THEN {own} ELSE {assigned} END"))
}

/// What a column's value was before it was a UUID, by a row called `t`: as the backup has it, as long as the row still means
/// the same; otherwise as the server spells it.
fn original(work: &Work<'_>, plan: &Plan, column: &Converted) -> String {
    let now = work.of_row(&column.name.column);
    let spelled = work.retype.spelled(&now, &column.declared);
    if !plan.needs_kept(column, &work.settings.orphans) {
        return spelled;
    }
    let kept_value = kept_value(work, plan, column);
    // A value cannot be told from a UUID that was derived.
    if work.retype.derives(&column.kind) { kept_value } else { format!("COALESCE({kept_value}, {spelled})") }
}

/// The value that the backup has for the row called `t`.
fn kept_value(work: &Work<'_>, plan: &Plan, column: &Converted) -> String {
    let quote = |name: &str| work.dialect.quote(name);
    let of_backup = |name: &str| format!("b.{}", quote(name));
    let uuid = |column: &Converted| of_backup(&column.temporary);
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
    let table = work.dialect.table(&work.kept(&column.name.table));
    // Without a key the UUID has to tell the value: before anything began it was made sure that it does.
    let value = of_backup(&column.name.column);
    let value = if column.row_key.is_empty() { format!("MIN({value})") } else { value };
    format!("(SELECT {value} FROM {table} b WHERE {})", conditions.join(" AND "))
}

/// Refuses to bring integers back where rows were written since that never had one.
async fn refuse_new_rows(work: &mut Work<'_>, plan: &Plan, column: &Converted) -> Result<(), StepError> {
    if !work.retype.derives(&column.kind) {
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

/// Brings the foreign keys back that are not there: first for new rows, then proven on those that are there, which does not
/// keep writers out.
async fn refer(work: &mut Work<'_>, plan: &Plan) -> Result<(), StepError> {
    let there = references_there(work, plan).await?;
    for attached in plan.references().into_iter().filter(|attached| !there.contains(&attached.comes)) {
        patiently(work, &Act::Say(&attached.comes)).await?;
    }
    let all = plan.columns.iter().flat_map(|column| &column.attached);
    let proofs: BTreeSet<&String> = all.filter_map(|attached| attached.proves.as_ref()).collect();
    for proves in proofs {
        patiently(work, &Act::Say(proves)).await?;
    }
    Ok(())
}

/// The references that hang on the columns now, each as the statement that would bring it.
async fn references_there(work: &mut Work<'_>, plan: &Plan) -> Result<BTreeSet<String>, StepError> {
    let mut there = BTreeSet::new();
    for column in &plan.columns {
        let attached = work.retype.attached(&mut *work.session, &column.name.table, &column.name.column).await?;
        let references = attached.into_iter().filter(|attached| attached.class == AttachedClass::Reference);
        there.extend(references.map(|attached| attached.comes));
    }
    Ok(there)
}

/// What may have to wait for a lock.
enum Attempt<'a> {
    Act(&'a Act<'a>),
    Fill(&'a Retyping<'a>, &'a str),
}

async fn patiently(work: &mut Work<'_>, act: &Act<'_>) -> Result<(), StepError> {
    attempt(work, &Attempt::Act(act)).await.map(drop)
}

/// Does what may have to wait for a lock. While others hold it, it lets those who queue behind go first, and tries again; in
/// the end it gives up, and has changed nothing.
async fn attempt(work: &mut Work<'_>, attempt: &Attempt<'_>) -> Result<Option<Filled>, StepError> {
    let (lock_ms, retype) = (work.settings.lock_ms, work.retype);
    let mut tries = 0;
    loop {
        work.heed()?;
        let session = &mut *work.session;
        let outcome: Result<_, EngineError> = match attempt {
            Attempt::Act(act) => retype.act(session, act, &work.backup).await.map(|()| None),
            Attempt::Fill(retyping, cursor) => retype.fill(session, retyping, cursor, work.settings.batch_rows).await,
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
