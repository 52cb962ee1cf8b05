//! What two states of one database say about a migration, by the comparison that *no trace* and *reapply* make.

use std::collections::BTreeMap;

use super::{moment, recorded::Changes};
use crate::{
    check::{
        Examined,
        difference::{Kinds, compare},
        no_trace, reapply,
    },
    engine::Dialect,
    migrate::layout::Ledger,
    model::{
        Catalogue, Coverage, Finding, FindingKind, MigrationClass, RowChange, Severity, Share, Side, Snapshot,
        TableName,
        catalogue::{Column, Sequence, Table},
        snapshot::TableSnapshot,
    },
};

/// What was seen, and what it comes to.
pub(super) struct Looked {
    pub examined: Examined,
    pub class: MigrationClass,
    /// Definitions that are equal but for the moment of their creation.
    pub masked: u64,
}

/// Leaves of a tool's own table what it says was run: moments and times differ whenever it is written.
pub(super) fn keep_versions(state: &mut Snapshot, ledger: &dyn Ledger) {
    let name = TableName::new(ledger.table());
    let Some(table) = state.tables.remove(&name) else { return };
    let versions = ledger.versions().and_then(|column| Some((column, *table.columns.get(column)?)));
    if let Some((column, rows)) = versions {
        let columns = BTreeMap::from([(column.to_owned(), rows)]);
        state.tables.insert(name.clone(), TableSnapshot { rows, columns, ..table });
    }
    let feeds = |one: &Sequence| one.fed().any(|owner| owner.table == name);
    state.catalogue.sequences.retain(|one| !feeds(one));
}

/// Compares the state behind a way down with the one before the way up.
pub(super) fn restored(before: &Snapshot, after: Snapshot, changes: &Changes, days: &[String]) -> Looked {
    let mut looked = look(before, (after, changes), &no_trace::KINDS, days);
    let examined = &looked.examined;
    looked.class = match examined.findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Error) if examined.findings.iter().any(is_loss) => MigrationClass::LosesRows,
        Some(Severity::Error) => MigrationClass::Differs,
        Some(Severity::Warning) if examined.findings.iter().any(is_extension) => MigrationClass::LeftExtension,
        Some(Severity::Warning) => MigrationClass::ColumnOrder,
        Some(Severity::Note) | None => MigrationClass::Restores,
    };
    looked
}

/// Compares the state behind the second way up with the one behind the first. Where the way down did not restore, other
/// rows are no wonder and not told again.
pub(super) fn reapplied(
    first: &Snapshot,
    second: (Snapshot, &Changes),
    is_restored: bool,
    dialect: &dyn Dialect,
    days: &[String],
) -> Looked {
    let mut looked = look(first, second, &reapply::KINDS, days);
    let of_rows = |finding: &Finding| finding.subject.table.is_some();
    looked.examined.findings.retain(|finding| is_restored || !of_rows(finding));
    for finding in looked.examined.findings.iter_mut().filter(|finding| of_rows(finding)) {
        // A clock or chance gives other values the second time, and nobody can say here whether that was meant.
        let all_volatile = is_volatile(&first.catalogue, finding, dialect);
        finding.severity = if all_volatile { Severity::Note } else { Severity::Warning };
    }
    let is_error = looked.examined.findings.iter().any(|finding| finding.severity == Severity::Error);
    looked.class = if is_error { MigrationClass::ReapplyDiffers } else { MigrationClass::Restores };
    looked
}

/// Compares two catalogues alone, for where the rows are bound to differ.
pub(super) fn catalogues(before: &Snapshot, after: &Snapshot, days: &[String]) -> Vec<Finding> {
    let alone = |state: &Snapshot| {
        let catalogue = Catalogue { sequences: Vec::new(), ..state.catalogue.clone() };
        Snapshot { catalogue, ..Snapshot::default() }
    };
    look(&alone(before), (alone(after), &Changes::new()), &no_trace::KINDS, days).examined.findings
}

/// What of the rows of a state is not there any more behind a chain of migrations, where others may have come. `made_by` is
/// given where the migrations made these rows, and made them anew.
pub(super) fn lost(
    before: &Snapshot,
    after: &Snapshot,
    changes: &Changes,
    made_by: Option<&dyn Dialect>,
) -> Vec<Finding> {
    let rows = |state: &Snapshot| Snapshot { tables: state.tables.clone(), ..Snapshot::default() };
    let mut findings = look(&rows(before), (rows(after), changes), &no_trace::KINDS, &[]).examined.findings;
    findings.retain(is_loss);
    let has_triggers = before.catalogue.objects.keys().any(|name| name.class == "trigger");
    for finding in &mut findings {
        let Some(change) = &finding.rows else { continue };
        let table = finding.subject.table.as_ref().and_then(|table| before.catalogue.tables.get(table));
        if made_by.zip(table).is_some_and(|(dialect, table)| is_by_chance(table, change, dialect)) {
            finding.severity = Severity::Note;
        } else if change.gone == 0 && has_triggers {
            // What came meanwhile may have had one of them change what was there.
            finding.severity = Severity::Warning;
        }
    }
    findings
}

/// Whether rows that were made anew are others only by a clock, chance or counter that gave them values or their key.
fn is_by_chance(table: &Table, change: &RowChange, dialect: &dyn Dialect) -> bool {
    let gives = |column: &Column| {
        column.generation.is_counter() || column.default.as_deref().is_some_and(|one| dialect.is_volatile(one))
    };
    let named = |name: &String| table.column(name).is_some_and(gives);
    let names_rows = match table.row_key() {
        Some(key) => key.iter().any(named),
        None => table.columns.iter().any(gives),
    };
    let is_same_number = change.gone == 0 || (names_rows && change.gone <= change.more);
    is_same_number && change.values.iter().all(|value| named(&value.column))
}

fn look(before: &Snapshot, (mut after, changes): (Snapshot, &Changes), kinds: &Kinds, days: &[String]) -> Looked {
    let mut before = before.clone();
    let masked = moment::mask(&mut before, &mut after, days);
    let mut examined = Examined::default();
    compare(Side::Target, &before, &after, kinds, &mut examined);
    for finding in &mut examined.findings {
        count(finding, &before, &after, changes);
    }
    examined.findings.retain(|finding| !is_of_columns_alone(finding, &before, &after));
    Looked { examined, class: MigrationClass::Restores, masked }
}

/// Says of rows that differ how many, and how many there were and are: two lines of digits say nothing to a reader of a
/// hundred pairs.
fn count(finding: &mut Finding, before: &Snapshot, after: &Snapshot, changes: &Changes) {
    let Some(table) = &finding.subject.table else { return };
    finding.rows = changes.get(table).cloned();
    finding.total = finding.rows.as_ref().map_or(finding.total, |change| change.total().max(1));
    let rows = |state: &Snapshot| match state.tables.get(table) {
        Some(table) => format!("{} rows", table.rows.rows),
        None => "no table".to_owned(),
    };
    (finding.expected, finding.found) = (Some(rows(before)), Some(rows(after)));
}

/// Whether a table has other columns and its rows are the same all the same: of columns the catalogue tells.
fn is_of_columns_alone(finding: &Finding, before: &Snapshot, after: &Snapshot) -> bool {
    let Some(table) = &finding.subject.table else { return false };
    let columns =
        |state: &Snapshot| state.tables.get(table).map(|table| table.columns.keys().cloned().collect::<Vec<_>>());
    finding.rows.as_ref().is_some_and(|change| change.total() == 0) && columns(before) != columns(after)
}

/// Whether rows or values that were there are not.
fn is_loss(finding: &Finding) -> bool {
    finding.kind == FindingKind::RowsNotRestored && finding.rows.as_ref().is_some_and(RowChange::is_loss)
}

fn is_extension(finding: &Finding) -> bool {
    finding.kind == FindingKind::TraceLeft
}

/// Whether all columns that differ have a default that gives another value each time.
fn is_volatile(catalogue: &Catalogue, finding: &Finding, dialect: &dyn Dialect) -> bool {
    let table = finding.subject.table.as_ref().and_then(|table| catalogue.tables.get(table));
    let default = |column: &String| table?.column(column)?.default.as_deref();
    !finding.subject.columns.is_empty()
        && finding.subject.columns.iter().all(|column| default(column).is_some_and(|one| dialect.is_volatile(one)))
}

/// Takes a share in place of another one if more of it was not checked, or else if it is the wider one.
pub(super) fn widest(share: &mut Share, other: Share) {
    let missing = |share: &Share| share.total - share.checked;
    if (missing(&other), other.total) > (missing(share), share.total) {
        *share = other;
    }
}

/// Adds what a comparison covered: of all of them the one with most that was not, or else the widest.
pub(super) fn cover(coverage: &mut Coverage, before: &Snapshot, examined: &Examined) {
    let (mut rows, mut columns) = (Share::default(), Share::default());
    for (name, table) in &before.tables {
        let is_read = u64::from(table.unreadable.is_none());
        let wide = before.catalogue.tables.get(name).map_or(0, |table| table.columns.len() as u64);
        rows += Share::new(table.rows.rows, table.rows.rows);
        columns += Share::new(wide * is_read, wide);
    }
    widest(&mut coverage.rows, rows);
    widest(&mut coverage.columns, columns);
    widest(&mut coverage.objects, examined.coverage.objects);
}
