//! Takes out of two catalogues what was not asked for or is ignored, and names it.

use std::collections::BTreeSet;

use super::{
    Derived, Unmet,
    stated::{At, Ignored, Mapping, Stated, fits},
};
use crate::model::{Catalogue, Side, Sides, TableName, Unchecked};

/// Both catalogues without the tables that are left out.
pub(super) fn narrow(catalogues: &Sides<&Catalogue>, mapping: &Mapping, derived: &mut Derived) -> Sides<Catalogue> {
    let mut narrowed = catalogues.map(Clone::clone);
    let selection = &mapping.selection;
    for (flag, patterns) in [("--tables", &selection.tables), ("--exclude", &selection.exclude)] {
        for pattern in patterns.iter().filter(|pattern| !names_something(catalogues, pattern)) {
            derived.problems.push(unmet(catalogues, None, flag, pattern));
        }
    }
    for side in Side::BOTH {
        let out: Vec<(TableName, String)> = catalogues
            .get(side)
            .tables
            .keys()
            .filter(|name| !is_asked_for(name, side, mapping))
            .map(|name| (name.clone(), "not asked for".to_owned()))
            .collect();
        for (name, why) in out {
            leave_out(narrowed.get_mut(side), side, &name, &why, true, derived);
        }
    }
    for one in &mapping.ignore {
        ignore(catalogues, &mut narrowed, one, &mapping.today, derived);
    }
    for side in Side::BOTH {
        for reference in catalogues.get(side).references() {
            let tables = &narrowed.get(side).tables;
            if tables.contains_key(&reference.child) && !tables.contains_key(&reference.parent) {
                derived.waivers.insert(reference.to_string(), "its parent was left out".to_owned());
            }
        }
    }
    narrowed
}

/// Whether a table, or the one that is stated to be its counterpart, was asked for.
fn is_asked_for(name: &TableName, side: Side, mapping: &Mapping) -> bool {
    let selection = &mapping.selection;
    let name = name.to_string();
    let counterpart = |one: &'_ Stated| match side {
        Side::Source => (one.source == name).then(|| one.target.clone()),
        Side::Target => (one.target == name).then(|| one.source.clone()),
    };
    let others: Vec<String> = mapping.compare.iter().filter_map(counterpart).collect();
    let names: Vec<&String> = std::iter::once(&name).chain(&others).collect();
    let any = |patterns: &[String]| patterns.iter().any(|pattern| names.iter().any(|name| fits(name, pattern)));
    (selection.tables.is_empty() || any(&selection.tables)) && !any(&selection.exclude)
}

fn names_something(catalogues: &Sides<&Catalogue>, pattern: &str) -> bool {
    catalogues.iter().any(|(_, one)| one.tables.keys().any(|name| fits(&name.to_string(), pattern)))
}

fn unmet(catalogues: &Sides<&Catalogue>, side: Option<Side>, flag: &str, name: &str) -> Unmet {
    let sides = catalogues.iter().filter(|(one, _)| side.is_none_or(|side| side == *one));
    let known: BTreeSet<String> = sides.flat_map(|(_, one)| one.tables.keys().map(ToString::to_string)).collect();
    Unmet {
        at: At { file: String::new(), line: 0, key: flag.to_owned() },
        what: "table".to_owned(),
        name: name.to_owned(),
        known: known.into_iter().collect(),
    }
}

/// Takes a table and its objects out of a catalogue.
fn leave_out(
    catalogue: &mut Catalogue,
    side: Side,
    name: &TableName,
    why: &str,
    is_waived: bool,
    derived: &mut Derived,
) {
    let Some(table) = catalogue.tables.remove(name) else { return };
    let (own, inside) = (name.to_string(), format!("{name}."));
    // Some engines name an index without its table.
    let indexes: BTreeSet<&str> = table.indexes.iter().map(|index| index.name.as_str()).collect();
    catalogue.objects.retain(|object, _| {
        let is_index = object.class == "index" && indexes.contains(object.name.as_str());
        object.name != own && !object.name.starts_with(&inside) && !is_index
    });
    let subject = format!("{side} {name}");
    if is_waived {
        derived.waivers.insert(subject.clone(), why.to_owned());
    }
    derived.left_out.push(Unchecked::new("table", subject, why));
    if side == Side::Source {
        derived.columns_left_out += table.columns.len() as u64;
    }
}

fn ignore(
    catalogues: &Sides<&Catalogue>,
    narrowed: &mut Sides<Catalogue>,
    one: &Ignored,
    today: &str,
    derived: &mut Derived,
) {
    let all = catalogues.get(one.side);
    let named: Vec<&TableName> = all.tables.keys().filter(|name| fits(&name.to_string(), &one.table)).collect();
    let unmet =
        |what: String, name: &str, known: Vec<String>| Unmet { at: one.at.clone(), what, name: name.to_owned(), known };
    if named.is_empty() {
        let known = all.tables.keys().map(ToString::to_string).collect();
        derived.problems.push(unmet(format!("{} table", one.side), &one.table, known));
        return;
    }
    let has_ended = one.reason.has_ended(today);
    let why = why(&one.reason.why, one.reason.until.as_deref(), has_ended);
    let Some(column) = &one.column else {
        for name in named {
            leave_out(narrowed.get_mut(one.side), one.side, name, &why, !has_ended, derived);
        }
        return;
    };
    let holders: Vec<&TableName> =
        named.iter().copied().filter(|name| all.tables[*name].column(column).is_some()).collect();
    if holders.is_empty() {
        let known = named.iter().flat_map(|name| all.tables[*name].columns.iter().map(|one| one.name.clone()));
        derived.problems.push(unmet(format!("{} column of `{}`", one.side, one.table), column, known.collect()));
    }
    for name in holders {
        derived.ignored.insert((one.side, name.clone(), column.clone()), (why.clone(), !has_ended));
    }
}

/// The reason as the report tells it.
pub(super) fn why(why: &str, until: Option<&str>, has_ended: bool) -> String {
    match until {
        Some(until) if has_ended => format!("{why}, until {until}, which has passed"),
        Some(until) => format!("{why}, until {until}"),
        None => why.to_owned(),
    }
}
