//! The rows of both sides account for each other: what was read was loaded, and what was neither read nor skipped for a stated
//! reason is not there. Counted anew, and not taken from what the copy says of itself.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{ledger::Entry, plan::TablePlan};
use crate::{
    canon::{
        Cell, RowSink,
        comparison::{Condition, Copying},
    },
    engine::{Dialect, EngineError, Rowset, Session, looked_up},
    migrate::{StepError, StepTask, engine_of},
    model::{Side, TableName, catalogue::Reference},
};

/// A sink that counts rows and nothing else.
struct Rows;

impl RowSink for Rows {
    fn cell(&mut self, _: usize, _: Cell<'_>) {}

    fn end_row(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// How many rows a rowset has; for one of which only few are expected, since all of them are sent.
async fn rows(session: &mut dyn Session, rowset: &Rowset) -> Result<u64, EngineError> {
    session.scan(rowset, &mut Rows).await
}

/// Refuses rows that no part of the mapping takes, and of which nobody says why.
///
/// # Errors
/// If there are such, or the source cannot be asked.
pub(super) async fn require_reasons(
    copying: &Copying,
    tables: &[TablePlan],
    session: &mut dyn Session,
) -> Result<(), StepError> {
    let mut filters: BTreeMap<&TableName, Vec<Option<&Condition>>> = BTreeMap::new();
    for table in tables {
        filters.entry(table.name(Side::Source)).or_default().push(table.filter.as_ref());
    }
    for (name, filters) in filters {
        let Some(filters) = filters.into_iter().collect::<Option<Vec<_>>>() else { continue };
        let stated: Vec<_> = copying.tables.iter().filter(|one| one.source == name.to_string()).collect();
        if stated.iter().any(|one| one.skipped.is_some()) {
            continue;
        }
        let left = rows(session, &TablePlan::left_out(name, &filters)).await?;
        if left > 0 {
            let at = stated.first().map(|one| one.at.to_string()).unwrap_or_default();
            return Err(StepError::Refused {
                what: format!(
                    "{at}: {left} rows of `{name}` are copied nowhere; expected `skipped` with the reason why they are \
                     left out, or a [[copy]] that takes them"
                ),
            });
        }
    }
    Ok(())
}

/// Counts the target's rows anew, and has all rows account for each other. `there` are the rows of each source table in the
/// state of the source that was read.
///
/// # Errors
/// The first table whose rows do not add up.
pub(super) async fn settle(
    task: &StepTask,
    tables: &[TablePlan],
    entries: &[Entry],
    there: &[u64],
    source: &mut dyn Session,
    target: &mut dyn Session,
) -> Result<(), StepError> {
    let mut loaded: BTreeMap<&TableName, u64> = BTreeMap::new();
    for ((table, entry), total) in tables.iter().zip(entries).zip(there) {
        let (from, to) = (table.name(Side::Source), table.name(Side::Target));
        let skipped = match &table.filter {
            Some(filter) => rows(source, &TablePlan::left_out(from, &[filter])).await?,
            None => 0,
        };
        let Entry { read, loaded: taken, rejected } = *entry;
        if read + skipped != *total || read != taken + rejected {
            let what = format!(
                "{total} rows are there, {read} were read, {skipped} skipped, {taken} loaded, {rejected} rejected"
            );
            return Err(StepError::broken(format!("account for the rows of `{from}`"), what));
        }
        *loaded.entry(to).or_default() += entry.loaded;
    }
    for (table, loaded) in loaded {
        let counted = task.rows(Side::Target, table, target).await?;
        if counted != loaded {
            let what = format!("{loaded} rows were loaded, and {counted} are there");
            return Err(StepError::broken(format!("account for the rows of `{table}`"), what));
        }
    }
    Ok(())
}

/// What became of values that a map does not name, one line for each column that has such.
///
/// # Errors
/// If the source cannot be asked.
pub(super) async fn unnamed(
    tables: &[TablePlan],
    source: &mut dyn Session,
    dialect: &dyn Dialect,
) -> Result<Vec<String>, EngineError> {
    let mut notes = Vec::new();
    for table in tables {
        for column in &table.columns {
            let quoted = dialect.quote(&column.source);
            let lookup = column.lookup.as_ref().map(|lookup| looked_up(dialect, &lookup.found, &quoted));
            let value = lookup.unwrap_or(quoted);
            let Some((sql, became)) = column.values.as_ref().and_then(|map| map.unnamed(&value, dialect)) else {
                continue;
            };
            let mut rowset = Rowset::of(table.source.name.clone(), Vec::new());
            rowset.terms.filters.extend(table.filter.clone());
            rowset.terms.filters.push(Condition { sql, ..Condition::default() });
            let count = rows(source, &rowset).await?;
            if count > 0 {
                let (name, column) = (&table.source.name, &column.source);
                notes.push(format!(
                    "{count} rows of `{name}`: `{column}` has a value that its map does not name, and became {became}"
                ));
            }
        }
    }
    Ok(notes)
}

/// Refuses rows without a parent, where the engine did not look at references while they came.
///
/// # Errors
/// The first reference that dangles.
pub(super) async fn require_parents(
    task: &StepTask,
    tables: &[TablePlan],
    target: &mut dyn Session,
) -> Result<(), StepError> {
    if engine_of(&task.addresses.target)?.dialect().heeds_references(true).is_none() {
        return Ok(());
    }
    let mut references: Vec<Reference> = Vec::new();
    for table in tables {
        let of_table = table.target.foreign_keys.iter().map(|key| Reference::of(&table.target.name, key));
        let unknown: Vec<Reference> = of_table.filter(|one| !references.contains(one)).collect();
        references.extend(unknown);
    }
    for reference in references {
        let orphans = target.dangling(&reference, 0).await?.total;
        if orphans > 0 {
            let (child, parent) = (&reference.child, &reference.parent);
            let what = format!("{orphans} rows of `{child}` have no parent in `{parent}` ({reference})");
            return Err(StepError::Rejected { what });
        }
    }
    Ok(())
}
