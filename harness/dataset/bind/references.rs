//! Which columns take their values from which parent.

use std::sync::Arc;

use super::{Binding, Bound};
use crate::{
    dataset::{
        form::{ReferenceForm, Source},
        plan::{Group, Maker, Parent, Pick, RowMaker, Share},
    },
    document::{Place, Problem, Problems},
    model::{Catalogue, TableName},
};

/// A reference to assign.
struct Wanted<'c> {
    columns: Vec<&'c str>,
    parent: &'c TableName,
    parent_columns: Vec<&'c str>,
    match_full: bool,
    skewed: bool,
    stated: Option<&'c ReferenceForm>,
}

/// Gives every column of a reference its maker: stated references first, then foreign keys from the widest on, so that
/// one of a single column follows the wider one that holds it.
pub(super) fn assign(binding: &mut Binding<'_>, catalogue: &Catalogue, bound: &Bound<'_>, problems: &mut Problems) {
    let mut wanted = wanted(binding, catalogue);
    wanted.sort_by_key(|reference| (reference.stated.is_none(), std::cmp::Reverse(reference.columns.len())));
    for reference in &wanted {
        let slots: Option<Vec<usize>> = reference.columns.iter().map(|name| binding.slot(name)).collect();
        let Some(slots) = slots else { continue };
        // Whoever states a generator for a column answers for the foreign keys that it is part of.
        let stated = |slot: &usize| {
            let form = binding.slots[*slot].form.and_then(|form| form.source.as_ref());
            matches!(form, Some(Source::Generator(_)))
        };
        if !slots.iter().any(stated) {
            assign_one(binding, reference, &slots, catalogue, bound, problems);
        }
    }
}

fn wanted<'c>(binding: &Binding<'c>, catalogue: &'c Catalogue) -> Vec<Wanted<'c>> {
    let mut wanted: Vec<Wanted<'c>> = Vec::new();
    for key in &binding.table.foreign_keys {
        let primary = || catalogue.tables.get(&key.parent).and_then(|parent| parent.primary_key.as_ref());
        let parent_columns = if key.parent_columns.is_empty() {
            primary().map_or(&[][..], |primary| &primary.columns)
        } else {
            &key.parent_columns
        };
        wanted.push(Wanted {
            columns: key.columns.iter().map(String::as_str).collect(),
            parent: &key.parent,
            parent_columns: parent_columns.iter().map(String::as_str).collect(),
            match_full: key.match_full,
            skewed: false,
            stated: None,
        });
    }
    for slot in &binding.slots {
        let Some(Source::Reference(form)) = slot.form.and_then(|form| form.source.as_ref()) else { continue };
        let column = slot.column.name.as_str();
        let part_of = |key: &&mut Wanted<'c>| {
            let mut pairs = key.columns.iter().zip(&key.parent_columns);
            *key.parent == form.table && pairs.any(|(child, parent)| *child == column && *parent == form.column)
        };
        match wanted.iter_mut().find(part_of) {
            Some(key) => (key.skewed, key.stated) = (form.skewed, Some(form)),
            None => wanted.push(Wanted {
                columns: vec![column],
                parent: &form.table,
                parent_columns: vec![&form.column],
                match_full: false,
                skewed: form.skewed,
                stated: Some(form),
            }),
        }
    }
    wanted
}

fn assign_one(
    binding: &mut Binding<'_>,
    reference: &Wanted<'_>,
    slots: &[usize],
    catalogue: &Catalogue,
    bound: &Bound<'_>,
    problems: &mut Problems,
) {
    let place = reference.stated.map_or_else(|| binding.place(), |form| form.place.clone());
    if reference.stated.is_some_and(|form| !exists(form, catalogue, problems)) {
        // The problem is told; nothing has to be guessed for the columns as well.
        slots.iter().for_each(|slot| binding.slots[*slot].maker = Some(Maker::Null));
        return;
    }
    let free: Vec<usize> = slots.iter().copied().filter(|slot| binding.slots[*slot].maker.is_none()).collect();
    if free.len() < slots.len() {
        follow(binding, reference, slots, &free, &place, problems);
        return;
    }
    let itself = *reference.parent == binding.table.name;
    let parent = bound.get(reference.parent);
    let nullable: Vec<bool> = slots.iter().map(|slot| binding.nullable(*slot)).collect();
    let can_be_null = if reference.match_full { nullable.iter().all(|n| *n) } else { nullable.contains(&true) };
    let impossible = match parent {
        _ if itself && slots.len() > 1 => Some("refers to its own table by several columns"),
        _ if itself => None,
        None if catalogue.tables.contains_key(reference.parent) => Some("closes a cycle of tables"),
        None => Some("refers to a table that is not there"),
        Some((_, parent)) if parent.rows == 0 => Some("refers to a table that gets no rows"),
        Some(_) => None,
    };
    if let Some(why) = impossible {
        null_out(binding, reference, slots, can_be_null, why, &place, problems);
        return;
    }
    let parts: Option<Vec<usize>> = match parent {
        Some((_, parent)) => reference.parent_columns.iter().map(|name| position(parent, name)).collect(),
        // Positions among the slots; they become positions among the loaded columns at the end.
        None => reference.parent_columns.iter().map(|name| binding.slot(name)).collect(),
    };
    let Some(parts) = parts.filter(|parts| parts.len() == slots.len()) else {
        null_out(binding, reference, slots, can_be_null, "refers to columns that are not loaded", &place, problems);
        return;
    };
    let seed = binding.seed.child(&format!("reference:{}", reference.columns.join(",")));
    let nulls = slots.iter().map(|slot| binding.null_fraction(*slot)).fold(0.0, f64::max);
    for (part, slot) in slots.iter().enumerate() {
        let nullable = nullable[part] && can_be_null;
        binding.slots[*slot].maker = Some(Maker::Key { group: binding.groups.len(), part, nullable });
    }
    binding.groups.push(Group {
        parent: parent.map_or(Parent::Itself, |(_, parent)| Parent::Table(Arc::clone(parent))),
        parts,
        seed,
        nulls: Share::new(seed.child("null"), nulls),
        pick: if reference.skewed { Pick::Skewed } else { Pick::Uniform },
    });
    binding.group_slots.push(slots.to_vec());
}

fn exists(form: &ReferenceForm, catalogue: &Catalogue, problems: &mut Problems) -> bool {
    let Some(table) = catalogue.tables.get(&form.table) else {
        let known: Vec<String> = catalogue.tables.keys().map(ToString::to_string).collect();
        let written = form.table.to_string();
        problems.add(Problem::unknown(&form.place, "table", &written, known.iter().map(String::as_str)));
        return false;
    };
    if table.column(&form.column).is_none() {
        let known = table.columns.iter().map(|column| column.name.as_str());
        problems.add(Problem::unknown(&form.place, "column", &form.column, known));
        return false;
    }
    true
}

/// A reference some of whose columns are filled already: it holds if one of these is always NULL, if they come from the
/// same parent in the end, or if one of the others may be NULL.
fn follow(
    binding: &mut Binding<'_>,
    reference: &Wanted<'_>,
    slots: &[usize],
    free: &[usize],
    place: &Place,
    problems: &mut Problems,
) {
    if slots.iter().any(|slot| matches!(binding.slots[*slot].maker, Some(Maker::Null))) {
        return;
    }
    if free.is_empty() {
        let mut targets = slots.iter().zip(&reference.parent_columns);
        let single = slots.len() == 1 || same_group(binding, slots);
        if single && targets.all(|(slot, column)| leads_to(binding, *slot, reference.parent, column)) {
            return;
        }
    }
    let can_be_null = !free.is_empty() && !reference.match_full && free.iter().any(|slot| binding.nullable(*slot));
    null_out(binding, reference, free, can_be_null, "shares columns with another reference", place, problems);
}

fn null_out(
    binding: &mut Binding<'_>,
    reference: &Wanted<'_>,
    slots: &[usize],
    can_be_null: bool,
    why: &str,
    place: &Place,
    problems: &mut Problems,
) {
    if can_be_null {
        for slot in slots.iter().filter(|slot| binding.nullable(**slot)).copied().collect::<Vec<_>>() {
            binding.slots[slot].maker = Some(Maker::Null);
        }
        return;
    }
    for slot in slots {
        binding.slots[*slot].maker = Some(Maker::Null);
    }
    if binding.rows > 0 {
        let columns = reference.columns.join("`, `");
        let message = format!("the reference of `{columns}` to `{}` {why}, and may not be NULL", reference.parent);
        problems.add(Problem::new(place, message).expected("a generator for its columns, or rows for its parent"));
    }
}

fn same_group(binding: &Binding<'_>, slots: &[usize]) -> bool {
    let group = |slot: &usize| match binding.slots[*slot].maker {
        Some(Maker::Key { group, .. }) => Some(group),
        _ => None,
    };
    group(&slots[0]).is_some() && slots.iter().all(|slot| group(slot) == group(&slots[0]))
}

/// Whether a column's values come from this column of this table, directly or through other tables' references.
fn leads_to(binding: &Binding<'_>, slot: usize, table: &TableName, column: &str) -> bool {
    let Some(Maker::Key { group, part, .. }) = &binding.slots[slot].maker else { return false };
    let Parent::Table(parent) = &binding.groups[*group].parent else { return false };
    let mut maker = parent;
    let mut at = binding.groups[*group].parts[*part];
    loop {
        if maker.table == *table && maker.names[at] == column {
            return true;
        }
        let Maker::Key { group, part, .. } = &maker.columns[at] else { return false };
        let Parent::Table(next) = &maker.groups[*group].parent else { return false };
        at = maker.groups[*group].parts[*part];
        maker = next;
    }
}

fn position(parent: &RowMaker, column: &str) -> Option<usize> {
    parent.names.iter().position(|name| name == column)
}
