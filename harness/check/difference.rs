//! The difference of two recorded states of one side, by the table *No trace, reapply, restore* of the equality rules.

mod count;
mod kept;

use std::collections::BTreeSet;

pub use count::{Then, differing, row_change};
pub use kept::{Keeper, KeptRows, TableKeeper};

use super::Examined;
use crate::model::{
    BookkeepingRule, Catalogue, Finding, FindingKind, Severity, Share, Side, Snapshot, Subject, TableName, Unchecked,
    catalogue::{Definition, Hidden, ObjectName},
    fate::Fate,
    snapshot::TableSnapshot,
};

/// Which kinds of findings tell the difference.
pub struct Kinds {
    /// An object or row that is there now and was not before.
    pub left: FindingKind,
    /// An object that was there before and is not now.
    pub lost: FindingKind,
    /// An object with another definition.
    pub changed: FindingKind,
    /// A table whose rows differ.
    pub rows: FindingKind,
}

/// How a database differs from a baseline that was stored of it.
pub const FROM_BASELINE: Kinds = Kinds {
    left: FindingKind::BaselineDiffers,
    lost: FindingKind::BaselineDiffers,
    changed: FindingKind::BaselineDiffers,
    rows: FindingKind::BaselineDiffers,
};

/// Compares two states of one side in own form: every row, every column, every catalogue object.
pub fn compare(side: Side, before: &Snapshot, after: &Snapshot, kinds: &Kinds, examined: &mut Examined) {
    objects(side, &before.catalogue, &after.catalogue, kinds, examined);
    positions(side, &before.catalogue, &after.catalogue, examined);
    let names: BTreeSet<&TableName> = before.tables.keys().chain(after.tables.keys()).collect();
    for name in names {
        let empty = TableSnapshot::default();
        let (then, now) = (before.tables.get(name).unwrap_or(&empty), after.tables.get(name).unwrap_or(&empty));
        match then.unreadable.as_ref().or(now.unreadable.as_ref()) {
            // Its definition was compared; its rows could not be.
            Some(reason) => examined.unchecked.push(Unchecked::new("row", format!("{side} {name}"), reason)),
            None => rows(side, name, then, now, kinds, examined),
        }
    }
}

/// Holds bookkeeping to the rule that was declared for it, from one stage to a later one, and says that it was set aside.
pub fn bookkeeping(side: Side, earlier: Option<&Snapshot>, later: &Snapshot, examined: &mut Examined) {
    for now in &later.bookkeeping {
        let declared = &now.declared;
        let then = earlier.and_then(|state| state.bookkeeping.iter().find(|one| one.declared.name == declared.name));
        if let Some(before) = then.and_then(|then| then.rows)
            && declared.rule == BookkeepingRule::Grows
            && now.rows.is_none_or(|after| after < before)
        {
            let lost = before - now.rows.unwrap_or_default();
            let subject = Subject::object(side, declared.subject());
            let found = now.rows.map_or("none of it".to_owned(), |rows| format!("{rows} rows"));
            let finding = Finding::error(FindingKind::BookkeepingBroken, subject, lost.max(1));
            examined.findings.push(finding.because(format!("{before} rows or more"), found));
        }
        if now.rows.is_some() {
            examined.unchecked.push(Unchecked::new("table", declared.subject(), &declared.why));
        }
    }
}

fn rows(
    side: Side,
    name: &TableName,
    then: &TableSnapshot,
    now: &TableSnapshot,
    kinds: &Kinds,
    examined: &mut Examined,
) {
    if then.rows == now.rows {
        return;
    }
    let columns: BTreeSet<&String> = then.columns.keys().chain(now.columns.keys()).collect();
    let differing: Vec<String> =
        columns.into_iter().filter(|column| then.columns.get(*column) != now.columns.get(*column)).cloned().collect();
    // Where the earlier rows were not kept only the difference in number is exact; one row differs at the least.
    let total = then.rows.rows.abs_diff(now.rows.rows).max(1);
    let finding = Finding::error(kinds.rows, Subject::columns(side, name, &differing), total);
    let told = |fingerprint: &crate::model::Fingerprint| {
        let text = fingerprint.to_string();
        let digest = text.split_once(':').map_or("", |(_, digest)| &digest[..12]);
        format!("{} rows, fingerprint {digest}…", fingerprint.rows)
    };
    examined.findings.push(finding.because(told(&then.rows), told(&now.rows)));
}

fn objects(side: Side, before: &Catalogue, after: &Catalogue, kinds: &Kinds, examined: &mut Examined) {
    let total = before.objects.len() as u64;
    examined.coverage.objects += Share::new(total, total);
    for (name, fate) in before.fates(after) {
        let subject = || Subject::object(side, name.to_string());
        match fate {
            Fate::Unseen(reason) => {
                examined.unchecked.push(Unchecked::new("object", format!("{side} {name}"), reason));
                examined.coverage.objects.checked -= u64::from(before.objects.contains_key(name));
            }
            Fate::Lost(definition) => {
                let lost = Finding::error(kinds.lost, subject(), 1);
                let was = spelled(definition, definition.keys());
                examined.findings.push(Finding { expected: Some(was).filter(|was| !was.is_empty()), ..lost });
            }
            Fate::Changed(then, now) => examined.findings.push(changed(side, name, then, now, kinds)),
            Fate::Left => {
                let severity = if is_brought(name, before) { Severity::Warning } else { Severity::Error };
                examined.findings.push(Finding::error(kinds.left, subject(), 1).at(severity));
            }
        }
    }
    let hidden: BTreeSet<(&str, &str)> = before.hidden.iter().chain(&after.hidden).map(Hidden::told).collect();
    for (class, right) in hidden {
        let reason = format!("its role lacks {right}, without which some may be hidden");
        examined.unchecked.push(Unchecked::new("object", format!("{side} {class}:*"), reason));
    }
}

/// Whether an object is an extension that was not there before, or the comment that it brings with it: extensions belong to
/// the database's owner more than to a migration, and left behind they are a class of their own.
fn is_brought(name: &ObjectName, before: &Catalogue) -> bool {
    let extension = match name.class.as_str() {
        "extension" => Some(name.clone()),
        "comment" => name.name.strip_prefix("extension ").map(|name| ObjectName::new("extension", name)),
        _ => None,
    };
    extension.is_some_and(|extension| !before.objects.contains_key(&extension))
}

fn changed(side: Side, name: &ObjectName, then: &Definition, now: &Definition, kinds: &Kinds) -> Finding {
    let differing: BTreeSet<&String> =
        then.keys().chain(now.keys()).filter(|key| then.get(*key) != now.get(*key)).collect();
    let told = |from: &Definition| spelled(from, differing.iter().copied());
    let (kind, severity) = match name.class.as_str() {
        "order" => (FindingKind::ColumnOrder, Severity::Warning),
        _ => (kinds.changed, Severity::Error),
    };
    Finding::error(kind, Subject::object(side, name.to_string()), 1).at(severity).because(told(then), told(now))
}

/// The parts of a definition that are asked for: `default: 1; nullable: no`.
fn spelled<'k>(definition: &Definition, keys: impl Iterator<Item = &'k String>) -> String {
    let parts = keys.map(|key| match definition.get(key) {
        Some(value) => format!("{key}: {value}"),
        None => format!("{key}: (none)"),
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Positions of sequences may be ahead, for they survive rollbacks; never behind.
fn positions(side: Side, before: &Catalogue, after: &Catalogue, examined: &mut Examined) {
    for (then, now) in before.moved(after) {
        let is_behind = now.is_behind(then);
        let severity = if is_behind { Severity::Error } else { Severity::Note };
        let subject = Subject::object(side, format!("sequence:{}", then.name));
        let distance = u64::try_from(now.next.abs_diff(then.next)).unwrap_or(u64::MAX);
        let finding = Finding::error(FindingKind::SequenceMoved, subject, distance).at(severity);
        examined.findings.push(finding.because(format!("next is {}", then.next), format!("next is {}", now.next)));
    }
}
