//! What has to hold before a conversion, and after it.

use super::{
    super::StepError,
    backup,
    columns::{Converted, following},
    compare,
    plan::Plan,
    settings::{ColumnName, Orphans},
    work::Work,
};
use crate::{
    engine::{
        EngineError,
        retype::{AttachedClass, Lookup},
    },
    model::{Catalogue, LogicalType, catalogue::Reference, chain},
};

/// Values that the log names for each column.
const NAMED: u64 = 100;
/// How many times as much as before a lookup may cost, as the planner estimates it. Batches leave room for dead rows
/// behind, over which rows lie scattered until they are vacuumed.
const DEARER: u64 = 4;

/// Whether the columns can be converted: obstacles, types, values, spellings, orphans. Everything that is wrong is told at
/// once. Gives the number of columns to convert.
pub(super) async fn before(work: &mut Work<'_>) -> Result<u64, StepError> {
    let catalogue = work.catalogue().await?;
    if work.plan().await?.is_some() {
        // An earlier process began; what it found then holds for the rows that it kept.
        return Ok(0);
    }
    let names = following(&catalogue, work.settings).map_err(|what| StepError::Rejected { what })?;
    let mut found = Found::default();
    for name in &names {
        column(work, &catalogue, name, &mut found).await?;
    }
    if found.short.is_empty() {
        for name in &names {
            collisions(work, &catalogue, name, &names, &mut found).await?;
        }
        for name in &names {
            keyless(work, &catalogue, name, &mut found).await?;
        }
        for name in &names[1..] {
            orphans(work, &catalogue, name, &mut found).await?;
        }
    }
    if found.short.is_empty() {
        try_out(work, &catalogue, &mut found).await?;
    }
    if found.short.is_empty() {
        return Ok(names.len() as u64);
    }
    // Values of rows are told in the database that they are from, and nowhere else.
    work.told = Some(found.long.join("\n"));
    Err(StepError::Rejected { what: found.short.join("; ") })
}

/// Tries the change of each table on a copy with a few rows: CHECKs, indexes and defaults that need a text.
async fn try_out(work: &mut Work<'_>, catalogue: &Catalogue, found: &mut Found) -> Result<(), StepError> {
    let plan = backup::make(work, catalogue).await?;
    for table in plan.tables() {
        let of_table: Vec<&Converted> = plan.of(table).collect();
        let mut values = Vec::new();
        for column in &of_table {
            let default = column.default.as_deref().map(|default| work.retype.default_uuid(&column.kind, default));
            // Whoever an orphan is assigned to is a UUID like any other.
            let value = work.of_row(&column.name.column);
            values.push((work.retype.to_uuid(&column.kind, &value, "").unwrap_or(value), default));
        }
        let retypings: Vec<_> = of_table
            .iter()
            .zip(&values)
            .map(|(column, (value, _))| column.retyping(work.retype.uuid(), value))
            .collect();
        let swaps: Vec<_> = of_table
            .iter()
            .zip(&values)
            .zip(&retypings)
            .map(|((column, (_, default)), retyping)| column.swap(retyping, default.as_deref(), false))
            .collect();
        let statements = work.retype.trial(&backup::writable(&catalogue.tables[table]), &swaps);
        work.session.begin(false).await?;
        let mut outcome = Ok(());
        for statement in &statements {
            outcome = work.session.execute(statement).await;
            if outcome.is_err() {
                break;
            }
        }
        work.session.tx_rollback().await?;
        match outcome {
            Ok(()) => {}
            Err(error @ EngineError::Refused { .. }) => {
                found.add(format!("{table} cannot be changed where it stands: {}", chain(&error)), &[]);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What is wrong, for reports and for the database's own log.
#[derive(Default)]
struct Found {
    short: Vec<String>,
    long: Vec<String>,
}

impl Found {
    fn add(&mut self, what: String, values: &[String]) {
        let listed = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        self.long.push(format!("{what}{listed}"));
        self.short.push(what);
    }
}

async fn column(
    work: &mut Work<'_>,
    catalogue: &Catalogue,
    name: &ColumnName,
    found: &mut Found,
) -> Result<(), StepError> {
    let Some(column) = catalogue.tables[&name.table].column(&name.column) else { return Ok(()) };
    if column.kind == LogicalType::Uuid {
        found.add(format!("{name} is a UUID already"), &[]);
        return Ok(());
    }
    let value = work.dialect.quote(&name.column);
    if work.retype.to_uuid(&column.kind, &value, "").is_none() {
        found.add(format!("{name} is of type {}, whose values are no UUIDs", column.declared), &[]);
        return Ok(());
    }
    for obstacle in work.retype.obstacles(&mut *work.session, &name.table, &name.column).await? {
        found.add(format!("{name} cannot be changed where it stands: {obstacle}"), &[]);
    }
    if matches!(column.kind, LogicalType::Text { .. } | LogicalType::PaddedText { .. }) {
        let text = work.dialect.as_text(&value);
        let is_uuid = work.retype.is_uuid(&text);
        let wrong = format!("FROM {} WHERE {value} IS NOT NULL AND NOT ({is_uuid})", work.dialect.table(&name.table));
        let rows = work.count(&format!("SELECT COUNT(*) {wrong}")).await?;
        if rows > 0 {
            let values = named(work, &format!("SELECT DISTINCT {text} {wrong}")).await?;
            found.add(format!("{rows} values of {name} are no UUIDs"), &values);
        }
    }
    if column.kind == LogicalType::Bytes {
        let wrong = format!("FROM {} WHERE LENGTH({value}) <> 16", work.dialect.table(&name.table));
        match work.count(&format!("SELECT COUNT(*) {wrong}")).await? {
            0 => {}
            rows => {
                found.add(format!("{rows} values of {name} are not 16 bytes long"), &[]);
                return Ok(());
            }
        }
        let uuid = work.retype.to_uuid(&column.kind, &value, "").unwrap_or_default();
        let table = work.dialect.table(&name.table);
        let unread = format!("SELECT COUNT(*) FROM {table} WHERE {value} IS NOT NULL AND {uuid} IS NULL");
        match work.count(&unread).await? {
            0 => {}
            rows => found.add(format!("{rows} values of {name} are no UUIDs"), &[]),
        }
    }
    Ok(())
}

/// The first values of a query, and how many more there are.
async fn named(work: &mut Work<'_>, sql: &str) -> Result<Vec<String>, StepError> {
    let first = format!("{sql} ORDER BY 1 LIMIT {NAMED}");
    let mut values: Vec<String> = work.session.query(&first).await?.into_iter().flatten().flatten().collect();
    if values.len() as u64 == NAMED {
        let more = work.count(&format!("SELECT COUNT(*) FROM ({sql}) AS named")).await? - NAMED;
        values.extend((more > 0).then(|| format!("and {more} more")));
    }
    Ok(values)
}

/// Keys that are different texts and one UUID.
async fn collisions(
    work: &mut Work<'_>,
    catalogue: &Catalogue,
    name: &ColumnName,
    all: &[ColumnName],
    found: &mut Found,
) -> Result<(), StepError> {
    let table = &catalogue.tables[&name.table];
    let keys: Vec<&Vec<String>> =
        table.unique_keys().map(|key| &key.columns).filter(|columns| columns.contains(&name.column)).collect();
    let place = work.dialect.table(&name.table);
    for columns in keys {
        // A key of several of the columns is looked at with the first of them.
        let converted = |column: &&String| all.iter().any(|one| one.table == name.table && one.column == **column);
        if columns.iter().find(converted) != Some(&name.column) {
            continue;
        }
        let parts = columns.iter().map(|column| {
            let quoted = work.dialect.quote(column);
            let kind = table.column(column).map(|column| &column.kind).filter(|_| converted(&column));
            kind.and_then(|kind| work.retype.to_uuid(kind, &quoted, "")).unwrap_or(quoted)
        });
        let parts: Vec<String> = parts.collect();
        let not_null: Vec<String> =
            columns.iter().map(|column| format!("{} IS NOT NULL", work.dialect.quote(column))).collect();
        let groups = format!(
            "SELECT {} FROM {place} WHERE {} GROUP BY {} HAVING COUNT(*) > 1",
            work.dialect.as_text(&parts[0]),
            not_null.join(" AND "),
            parts.join(", ")
        );
        let count = work.count(&format!("SELECT COUNT(*) FROM ({groups}) AS twice")).await?;
        if count > 0 {
            let values = named(work, &groups).await?;
            let what = format!("{count} UUIDs stand in {}({}) in several spellings", name.table, columns.join(", "));
            found.add(what, &values);
        }
    }
    Ok(())
}

/// Tables without a key, whose rows cannot be found again: there a UUID has to tell how it was spelled.
async fn keyless(
    work: &mut Work<'_>,
    catalogue: &Catalogue,
    name: &ColumnName,
    found: &mut Found,
) -> Result<(), StepError> {
    let table = &catalogue.tables[&name.table];
    let kind = table.column(&name.column).map(|column| column.kind.clone());
    let value = work.dialect.quote(&name.column);
    let uuid = kind.and_then(|kind| work.retype.to_uuid(&kind, &value, ""));
    let (Some(uuid), None) = (uuid, table.row_key()) else { return Ok(()) };
    let twice = format!(
        "SELECT COUNT(*) FROM (SELECT {uuid} AS u FROM {} GROUP BY {uuid} HAVING COUNT(DISTINCT {}) > 1) AS twice",
        work.dialect.table(&name.table),
        work.retype.exact(&value)
    );
    match work.count(&twice).await? {
        0 => {}
        count => {
            found.add(format!("{count} UUIDs stand in {name} in several spellings, and {} has no key", name.table), &[])
        }
    }
    Ok(())
}

/// References without a parent, by the UUID and not by its spelling.
async fn orphans(
    work: &mut Work<'_>,
    catalogue: &Catalogue,
    name: &ColumnName,
    found: &mut Found,
) -> Result<(), StepError> {
    let uuid = |work: &Work<'_>, name: &ColumnName, alias: &str| {
        let kind = catalogue.tables[&name.table].column(&name.column).map(|column| column.kind.clone());
        let value = format!("{alias}.{}", work.dialect.quote(&name.column));
        kind.and_then(|kind| work.retype.to_uuid(&kind, &value, "")).unwrap_or(value)
    };
    let key = work.settings.key.clone();
    let (child, parent) = (uuid(work, name, "t"), uuid(work, &key, "k"));
    let (of_child, of_parent) = (work.dialect.table(&name.table), work.dialect.table(&key.table));
    if let Orphans::Assign(assigned) = &work.settings.orphans {
        let wanted = work.retype.as_uuid(&work.dialect.literal(assigned));
        let there = format!("SELECT COUNT(*) FROM {of_parent} k WHERE {parent} = {wanted}");
        if work.count(&there).await? == 0 {
            found.add(format!("orphans were to be assigned to {assigned}, which is no {key}"), &[]);
        }
        if catalogue.tables[&name.table].row_key().is_some() {
            return Ok(());
        }
        // Without a key nobody could tell afterwards which rows were orphans.
    }
    let wrong = format!(
        "FROM {of_child} t WHERE t.{} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {of_parent} k WHERE {parent} = {child})",
        work.dialect.quote(&name.column)
    );
    let rows = work.count(&format!("SELECT COUNT(*) {wrong}")).await?;
    if rows > 0 {
        let values = named(work, &format!("SELECT DISTINCT {} {wrong}", work.dialect.as_text(&child))).await?;
        found.add(format!("{rows} rows of {name} refer to no {key}"), &values);
    }
    Ok(())
}

/// Whether everything is there that was there before: types, rows, references, indexes. Gives the rows.
pub(super) async fn after(work: &mut Work<'_>) -> Result<u64, StepError> {
    let plan = work.planned().await?;
    let catalogue = work.catalogue().await?;
    let mut wrong = Vec::new();
    let mut rows = 0;
    for table in plan.tables() {
        work.retype.analyze(&mut *work.session, table).await?;
    }
    for column in &plan.columns {
        let now = catalogue.tables.get(&column.name.table).and_then(|table| table.column(&column.name.column));
        if now.is_none_or(|now| now.kind != LogicalType::Uuid) {
            wrong.push(format!("{} is no native UUID", column.name));
            continue;
        }
        let lookup = work.retype.lookup(&mut *work.session, &column.name.table, &column.name.column).await?;
        wrong.extend(worse(column, &lookup));
        let indexes = work.retype.attached(&mut *work.session, &column.name.table, &column.name.column).await?;
        let kinds = [AttachedClass::Constraint, AttachedClass::Index, AttachedClass::Reference];
        for lost in column.attached.iter().filter(|one| kinds.contains(&one.class)) {
            if !indexes.iter().any(|one| one.class == lost.class && one.name == lost.name) {
                wrong.push(format!("{} of {} did not come back", lost.name, column.name));
            }
        }
    }
    if wrong.is_empty() {
        for column in &plan.columns[1..] {
            dangling(work, &plan, column, &mut wrong).await?;
        }
        for table in plan.tables() {
            let of_table = plan.columns.iter().filter(|column| column.name.table == *table).collect::<Vec<_>>();
            rows += compare::with_backup(work, &plan, &of_table, &mut wrong).await?;
        }
    }
    if wrong.is_empty() { Ok(rows) } else { Err(StepError::Rejected { what: wrong.join("; ") }) }
}

/// What is worse about finding rows by a column than it was before.
fn worse(column: &Converted, now: &Lookup) -> Option<String> {
    let (name, then) = (&column.name, &column.lookup);
    if !then.uses_index {
        return None;
    }
    if !now.uses_index {
        return Some(format!("rows are not found by an index on {name} any more"));
    }
    let (then, now) = then.cost.zip(now.cost)?;
    let told = |cost: u64| format!("{}.{:02}", cost / 100, cost % 100);
    (now > then.saturating_mul(DEARER)).then(|| {
        let (then, now) = (told(then), told(now));
        format!(
            "to find rows by {name} costs more than {DEARER} times as much ({then} then, {now} now, by the planner)"
        )
    })
}

async fn dangling(
    work: &mut Work<'_>,
    plan: &Plan,
    column: &Converted,
    wrong: &mut Vec<String>,
) -> Result<(), StepError> {
    let reference = Reference {
        child: column.name.table.clone(),
        columns: vec![column.name.column.clone()],
        parent: plan.key().name.table.clone(),
        parent_columns: vec![plan.key().name.column.clone()],
        match_full: false,
    };
    let counted = work.session.dangling(&reference, 0).await?;
    if counted.total > 0 {
        wrong.push(format!("{} rows of {} refer to no {}", counted.total, column.name, plan.key().name));
    }
    Ok(())
}
