//! Whether the rows are still what they were, by the rule of comparison and not by the server's own conversion.

use super::{
    super::StepError,
    columns::Converted,
    elsewhere,
    plan::Plan,
    settings::{Mode, Orphans},
    work::Work,
};
use crate::{
    canon::{Form, RowDigester, Rule},
    engine::{Rowset, Session},
    model::Fingerprint,
};

/// Compares each column with its second one, row by row in one snapshot, before they change places. An application writes
/// meanwhile, so that later the rows are no longer those of the backup; these two have to agree at every moment.
pub(super) async fn second_columns(work: &mut Work<'_>, plan: &Plan, columns: &[&Converted]) -> Result<(), StepError> {
    if !work.retype.keeps_up() {
        return Ok(());
    }
    let mut wrong = Vec::new();
    for column in columns {
        // Derived UUIDs and assigned parents are no other spelling of what is there.
        let is_assigned = *column != plan.key() && work.settings.orphans != Orphans::Reject;
        if work.retype.derives(&column.kind) || is_assigned {
            continue;
        }
        let forms = || column.row_key.iter().map(|_| Form::Own).chain([Form::Common(Rule::Uuid)]).collect();
        let with = |value: &String| column.row_key.iter().chain([value]).cloned().collect();
        let (first, second): (Vec<String>, Vec<String>) = (with(&column.name.column), with(&column.temporary));
        work.session.begin(true).await?;
        let table = &column.name.table;
        let first = digest(&mut *work.session, &Rowset::of(table.clone(), first), forms()).await?;
        let second = digest(&mut *work.session, &Rowset::of(table.clone(), second), forms()).await?;
        work.session.tx_rollback().await?;
        if first != second {
            wrong.push(format!("the second column of {} does not hold what the first one does", column.name));
        }
    }
    // A session that only reads has patience of its own.
    work.session.execute(&work.retype.patience(work.settings.lock_ms)).await?;
    if wrong.is_empty() { Ok(()) } else { Err(StepError::Rejected { what: wrong.join("; ") }) }
}

/// The fingerprint of some columns of a table.
async fn digest(session: &mut dyn Session, rowset: &Rowset, forms: Vec<Form>) -> Result<Fingerprint, StepError> {
    let mut digester = RowDigester::new(forms, Vec::new(), false).with_buckets(1);
    session.scan(rowset, &mut digester).await?;
    Ok(digester.finish().fingerprint)
}

/// Compares a table with its original rows. Gives the rows that it has now.
pub(super) async fn with_backup(
    work: &mut Work<'_>,
    plan: &Plan,
    columns: &[&Converted],
    wrong: &mut Vec<String>,
) -> Result<u64, StepError> {
    let table = &columns[0].name.table;
    let catalogue = work.catalogue().await?;
    let names: Vec<String> = catalogue.tables[table].columns.iter().map(|column| column.name.clone()).collect();
    let kept = work.kept(table);
    let (mut of_backup, mut of_table) = (Vec::new(), Vec::new());
    let mut compared = Vec::new();
    for name in names {
        let converted = columns.iter().find(|column| column.name.column == name);
        let forms = match converted {
            None => (Form::Own, Form::Own),
            // Derived UUIDs and assigned parents are no other spelling of what was there.
            Some(column) if work.retype.derives(&column.kind) => continue,
            Some(column) if *column != plan.key() && work.settings.orphans != Orphans::Reject => continue,
            Some(_) => (Form::Common(Rule::Uuid), Form::Common(Rule::Uuid)),
        };
        of_backup.push(forms.0);
        of_table.push(forms.1);
        compared.push(name);
    }
    let there = Rowset::of(kept, compared.clone());
    let mut here = Rowset::of(table.clone(), compared);
    if work.vault.is_some() {
        here = elsewhere::texts(here, work.dialect, |name| columns.iter().any(|column| column.name.column == name));
    }
    let before = digest(work.keeper(), &there, of_backup).await?;
    let now = digest(&mut *work.session, &here, of_table).await?;
    if before != now {
        let what = format!("the rows of {table} are not those of the backup ({} then, {} now)", before.rows, now.rows);
        // What an application wrote meanwhile is no fault.
        let seen = if work.retype.keeps_up() {
            "the UUIDs were compared with the texts before the swap"
        } else {
            "the values of this table were not checked"
        };
        match work.settings.mode {
            Mode::InTurn => wrong.push(what),
            Mode::ExpandAndContract => work.remarks.push(format!("{what}: somebody wrote meanwhile; {seen}")),
        }
    }
    Ok(now.rows)
}
