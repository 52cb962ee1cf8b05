//! The original rows, and the plan of the way back.

use super::{
    super::StepError,
    columns::{Converted, following, temporary},
    plan::{Plan, State},
    settings::{BACKUP, ColumnName},
    work::{Work, kept},
};
use crate::{
    canon::{Form, RowDigester},
    engine::{Rowset, Session},
    model::{Catalogue, Fingerprint, LogicalType, TableName, catalogue::Table},
};

/// Keeps the plan and the original rows; each table is copied and compared in a transaction of its own. Tables that an
/// earlier process has kept are not copied again. Gives the rows.
pub(super) async fn keep(work: &mut Work<'_>) -> Result<u64, StepError> {
    let catalogue = work.catalogue().await?;
    work.refuse_foreign_backup(&catalogue)?;
    let plan = match work.plan().await? {
        Some(plan) => plan,
        None => {
            let plan = make(work, &catalogue).await?;
            work.keep_plan(&plan).await?;
            plan
        }
    };
    let mut rows = 0;
    for table in plan.tables() {
        work.heed()?;
        let of_table: Vec<&Converted> = plan.columns.iter().filter(|column| column.name.table == *table).collect();
        let is_kept = catalogue.tables.contains_key(&kept(table));
        if is_kept {
            continue;
        }
        if of_table.iter().any(|column| column.state(&catalogue) != Some(State::Original)) {
            let what = format!("{table} was changed already and its original rows were not kept");
            return Err(StepError::Refused { what });
        }
        work.voice.progress(&format!("keep {table}"), rows, None);
        rows += copy(work, &catalogue.tables[table], &of_table).await?;
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
    work.session.execute(&format!("DROP SCHEMA IF EXISTS {} CASCADE", work.dialect.quote(BACKUP))).await?;
    Ok(0)
}

/// What is to be converted, as it is now.
async fn make(work: &mut Work<'_>, catalogue: &Catalogue) -> Result<Plan, StepError> {
    let names = following(catalogue, work.settings).map_err(|what| StepError::Rejected { what })?;
    let mut columns = Vec::new();
    for name in names {
        columns.push(column(work, catalogue, name).await?);
    }
    Ok(Plan { columns })
}

async fn column(work: &mut Work<'_>, catalogue: &Catalogue, name: ColumnName) -> Result<Converted, StepError> {
    let table = &catalogue.tables[&name.table];
    let column = table.column(&name.column).ok_or_else(|| StepError::Rejected { what: format!("no {name}") })?;
    let value = work.dialect.quote(&name.column);
    let is_plain = match work.retype.to_uuid(&column.kind, &value, "") {
        // Only of texts can a UUID tell how it was spelled, and only if it was spelled as the server does.
        Some(uuid) if matches!(column.kind, LogicalType::Text { .. }) => {
            let spelled = work.dialect.as_text(&uuid);
            let odd = format!("SELECT 1 FROM {} WHERE {value} <> {spelled} LIMIT 1", work.dialect.table(&name.table));
            work.one(&odd).await?.is_none()
        }
        _ => column.kind == LogicalType::Bytes,
    };
    let plan = work.retype.plan(&mut *work.session, &name.table, &name.column).await?;
    Ok(Converted {
        declared: column.declared.clone(),
        kind: column.kind.clone(),
        default: column.default.clone(),
        temporary: temporary(catalogue, &name),
        row_key: table.row_key().map(<[String]>::to_vec).unwrap_or_default(),
        is_plain,
        uses_index: uses_index(&plan),
        attached: work.retype.attached(&mut *work.session, &name.table, &name.column).await?,
        name,
    })
}

/// Whether a plan finds rows by an index.
pub(super) fn uses_index(plan: &[String]) -> bool {
    plan.iter().any(|line| line.contains("Index") || line.contains("index"))
}

/// Copies a table and proves the copy, in one transaction that keeps writers out.
async fn copy(work: &mut Work<'_>, table: &Table, columns: &[&Converted]) -> Result<u64, StepError> {
    let copy = kept(&table.name);
    let (from, to) = (work.dialect.table(&table.name), work.dialect.table(&copy));
    work.session.begin(false).await?;
    let answer = async {
        for statement in work.retype.keep(&from, &to) {
            work.session.execute(&statement).await?;
        }
        let original = fingerprint(&mut *work.session, table, &table.name).await?;
        let copied = fingerprint(&mut *work.session, table, &copy).await?;
        if original != copied {
            let what = format!("the copy of {} in {copy} holds other rows than the table", table.name);
            return Err(StepError::Rejected { what });
        }
        for index in indexes(work, columns) {
            work.session.execute(&format!("CREATE INDEX ON {to} ({index})")).await?;
        }
        Ok(original.rows)
    }
    .await;
    match answer {
        Ok(rows) => {
            work.session.commit().await?;
            Ok(rows)
        }
        Err(error) => {
            let _ = work.session.tx_rollback().await;
            Err(error)
        }
    }
}

/// What the way back will ask for, where a UUID does not tell what was there: the row's key as it will be then, or else the
/// UUID itself.
fn indexes(work: &Work<'_>, columns: &[&Converted]) -> Vec<String> {
    let as_uuid = |name: &String| {
        let quoted = work.dialect.quote(name);
        let converted = columns.iter().find(|column| column.name.column == *name);
        let seed = work.settings.key.to_string();
        let uuid = converted.and_then(|column| work.retype.to_uuid(&column.kind, &quoted, &seed));
        uuid.map_or(quoted, |uuid| format!("({uuid})"))
    };
    let odd: Vec<&&Converted> = columns.iter().filter(|column| !column.is_plain).collect();
    match odd.first() {
        None => Vec::new(),
        Some(first) if first.row_key.is_empty() => odd.iter().map(|column| as_uuid(&column.name.column)).collect(),
        Some(first) => vec![first.row_key.iter().map(as_uuid).collect::<Vec<_>>().join(", ")],
    }
}

/// The rows of a table's columns, in own form, read from a table that has the same.
async fn fingerprint(session: &mut dyn Session, table: &Table, from: &TableName) -> Result<Fingerprint, StepError> {
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let mut digester = RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), false).with_buckets(1);
    session.scan(&Rowset::of(from.clone(), columns), &mut digester).await?;
    Ok(digester.finish().fingerprint)
}
