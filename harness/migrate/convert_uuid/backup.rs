//! The original rows, and the plan of the way back.

use std::collections::BTreeSet;

use super::{
    super::StepError,
    columns::{Converted, following, temporary},
    elsewhere,
    operation::Operation,
    plan::{Plan, State},
    settings::ColumnName,
    work::Work,
};
use crate::{
    canon::{Form, RowDigester},
    engine::{Rowset, Session, retype::Keeping},
    model::{
        Catalogue, Fingerprint, LogicalType, TableName,
        catalogue::{Generation, Table},
    },
};

/// Keeps the plan and the original rows; each table is copied and compared in a transaction of its own. Tables that an
/// earlier process has kept are not copied again. Gives the rows.
pub(super) async fn keep(work: &mut Work<'_>) -> Result<u64, StepError> {
    let catalogue = work.catalogue().await?;
    work.refuse_foreign_backup().await?;
    let plan = match work.plan().await? {
        Some(plan) => plan,
        None => {
            let names = following(&catalogue, work.settings).map_err(|what| StepError::Rejected { what })?;
            // Plans afterwards are held against those of now, both made by somebody who knows the rows.
            for table in names.iter().map(|name| &name.table).collect::<BTreeSet<_>>() {
                work.retype.analyze(&mut *work.session, table).await?;
            }
            let plan = make(work, &catalogue).await?;
            work.keep_plan(&plan).await?;
            plan
        }
    };
    work.keep_place().await?;
    let mut rows = 0;
    for table in plan.tables() {
        work.heed()?;
        if work.is_kept(table).await? {
            continue;
        }
        if plan.of(table).any(|column| column.state(&catalogue) != Some(State::Original)) {
            let what = format!("{table} was changed already and its original rows were not kept");
            return Err(StepError::Refused { what });
        }
        work.voice.progress(&format!("keep {table}"), rows, None);
        let table = &catalogue.tables[table];
        rows += if work.vault.is_some() {
            elsewhere::keep(work, &plan, table).await?
        } else {
            let to = work.kept(&table.name);
            let (columns, (uuids, indexes)) = (writable(table), looked_up(work, &plan, &table.name));
            let keeping = Keeping { from: &table.name, to: &to, columns: &columns, uuids: &uuids, indexes: &indexes };
            let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            copy(work, &keeping, &all).await?
        };
    }
    Ok(rows)
}

/// Drops plan and rows. From here on there is no way back.
pub(super) async fn drop(work: &mut Work<'_>) -> Result<u64, StepError> {
    let plan = work.planned().await?;
    let catalogue = work.catalogue().await?;
    let not_yet = plan.columns.iter().find(|column| column.state(&catalogue) != Some(State::Converted));
    if let Some(column) = not_yet {
        let what = format!("{} is no UUID yet, and the backup is the only way back", column.name);
        return Err(StepError::Refused { what });
    }
    work.drop_backup(&plan, Operation::CleanupBackup).await?;
    Ok(0)
}

/// What is to be converted, as it is now.
pub(super) async fn make(work: &mut Work<'_>, catalogue: &Catalogue) -> Result<Plan, StepError> {
    let names = following(catalogue, work.settings).map_err(|what| StepError::Rejected { what })?;
    let mut columns = Vec::new();
    for name in names {
        columns.push(column(work, catalogue, name).await?);
    }
    let of = work.vault.is_some().then(|| work.place.clone());
    Ok(Plan { columns, leaving: None, of })
}

async fn column(work: &mut Work<'_>, catalogue: &Catalogue, name: ColumnName) -> Result<Converted, StepError> {
    let table = &catalogue.tables[&name.table];
    let column = table.column(&name.column).ok_or_else(|| StepError::Rejected { what: format!("no {name}") })?;
    let value = work.dialect.quote(&name.column);
    let is_plain = match work.retype.to_uuid(&column.kind, &value, "") {
        // Only of texts can a UUID tell how it was spelled, and only if it was spelled as the server does.
        Some(uuid) if matches!(column.kind, LogicalType::Text { .. } | LogicalType::PaddedText { .. }) => {
            let exact = |sql: &str| work.retype.exact(&work.dialect.as_text(sql));
            let table = work.dialect.table(&name.table);
            let odd = format!("SELECT 1 FROM {table} WHERE {} <> {} LIMIT 1", exact(&value), exact(&uuid));
            work.one(&odd).await?.is_none()
        }
        _ => column.kind == LogicalType::Bytes,
    };
    let lookup = work.retype.lookup(&mut *work.session, &name.table, &name.column).await?;
    Ok(Converted {
        declared: column.declared.clone(),
        kind: column.kind.clone(),
        default: column.default.clone(),
        temporary: temporary(catalogue, &name),
        row_key: table.row_key().map(<[String]>::to_vec).unwrap_or_default(),
        is_plain,
        lookup,
        attached: work.retype.attached(&mut *work.session, &name.table, &name.column).await?,
        name,
    })
}

/// Copies a table and proves the copy by all of these columns, in one transaction.
pub(super) async fn copy(work: &mut Work<'_>, keeping: &Keeping<'_>, columns: &[String]) -> Result<u64, StepError> {
    let kept = work.retype.keep(keeping);
    for statement in &kept.before {
        work.session.execute(statement).await?;
    }
    work.session.begin(false).await?;
    let answer = async {
        for statement in &kept.copies {
            work.session.execute(statement).await?;
        }
        let original = fingerprint(&mut *work.session, keeping.from, columns).await?;
        let copied = fingerprint(&mut *work.session, &kept.place, columns).await?;
        if original != copied {
            let what = format!("the copy of {} in {} holds other rows than the table", keeping.from, keeping.to);
            return Err(StepError::Rejected { what });
        }
        for statement in &kept.proven {
            work.session.execute(statement).await?;
        }
        Ok(original.rows)
    }
    .await;
    match answer {
        Ok(rows) => {
            work.session.commit().await?;
            for statement in &kept.after {
                work.session.execute(statement).await?;
            }
            Ok(rows)
        }
        Err(error) => {
            // The first error is the one to tell.
            let _ = work.session.tx_rollback().await;
            Err(error)
        }
    }
}

/// The columns of a table that can be written.
pub(super) fn writable(table: &Table) -> Vec<String> {
    let columns = table.columns.iter().filter(|column| !matches!(column.generation, Generation::Computed { .. }));
    columns.map(|column| column.name.clone()).collect()
}

/// What the way back will ask for, where a UUID does not tell what was there: the UUIDs of the kept rows, under the names of
/// the second columns, and by which columns rows will be looked up: by the row's key as it will be then, or else by the UUID.
pub(super) fn looked_up(work: &Work<'_>, plan: &Plan, table: &TableName) -> (Vec<(String, String)>, Vec<Vec<String>>) {
    let odd: Vec<_> = plan.of(table).filter(|column| plan.needs_kept(column, &work.settings.orphans)).collect();
    let Some(first) = odd.first() else { return (Vec::new(), Vec::new()) };
    let seed = work.settings.key.to_string();
    let uuid = |column: &Converted| {
        let value = work.retype.to_uuid(&column.kind, &work.of_row(&column.name.column), &seed)?;
        Some((column.temporary.clone(), value))
    };
    let as_kept = |name: &String| {
        let converted = plan.of(table).find(|column| column.name.column == *name);
        converted.map_or_else(|| name.clone(), |column| column.temporary.clone())
    };
    let indexes = if first.row_key.is_empty() {
        odd.iter().map(|column| vec![column.temporary.clone()]).collect()
    } else {
        vec![first.row_key.iter().map(as_kept).collect()]
    };
    (plan.of(table).filter_map(uuid).collect(), indexes)
}

/// The rows of a table by these columns, in own form.
async fn fingerprint(
    session: &mut dyn Session,
    table: &TableName,
    columns: &[String],
) -> Result<Fingerprint, StepError> {
    let mut digester = RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), false).with_buckets(1);
    session.scan(&Rowset::of(table.clone(), columns.to_vec()), &mut digester).await?;
    Ok(digester.finish().fingerprint)
}
