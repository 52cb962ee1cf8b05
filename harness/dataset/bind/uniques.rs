//! Keeps unique keys unique, by construction and in constant memory.
//!
//! A key is safe if one of its columns never repeats: a UUID, a counted number taken in shuffled order, a text with the
//! row's number woven in. Otherwise its columns become the digits of a number in a mixed radix (a parent's rows, a list of
//! labels, a range), and each row takes another number.

use std::collections::BTreeSet;

use super::{Binding, Bound};
use crate::{
    dataset::{
        constraint::mentioned,
        plan::{Apart, Digit, Generated, Group, Maker, Parent, Pick},
    },
    document::{Problem, Problems},
};

/// A set of columns that must not repeat.
struct Unique {
    slots: Vec<usize>,
    /// Columns of which a predicate or the file decides whether the key counts for a row.
    depends_on: Vec<usize>,
}

/// Makes every key of the table unique, or says why it cannot be.
pub(super) fn keep(binding: &mut Binding<'_>, bound: &Bound<'_>, problems: &mut Problems) {
    let mut safe: Vec<BTreeSet<usize>> = Vec::new();
    for unique in uniques(binding) {
        let columns: BTreeSet<usize> = unique.slots.iter().copied().collect();
        let is_safe = |safe: &[BTreeSet<usize>]| safe.iter().any(|known| known.is_subset(&columns));
        if is_safe(&safe) || columns.iter().any(|slot| matches!(binding.slots[*slot].maker, Some(Maker::Null))) {
            continue;
        }
        if let Some(slot) = make_apart(binding, &unique.slots) {
            safe.push(BTreeSet::from([slot]));
        }
        if is_safe(&safe) || enumerate(binding, &unique, bound, problems) {
            safe.push(columns);
        }
    }
}

/// The keys of the table, narrow ones first: what keeps them apart keeps the wide ones apart as well.
fn uniques(binding: &Binding<'_>) -> Vec<Unique> {
    let slots = |names: &[String]| names.iter().map(|name| binding.slot(name)).collect::<Option<Vec<usize>>>();
    let keys = binding.table.unique_keys().filter_map(|key| slots(&key.columns));
    let mut uniques: Vec<Unique> = keys.map(|slots| Unique { slots, depends_on: Vec::new() }).collect();
    let stated = (0..binding.slots.len()).filter(|slot| binding.slots[*slot].form.is_some_and(|form| form.unique));
    uniques.extend(stated.map(|slot| Unique { slots: vec![slot], depends_on: Vec::new() }));
    for index in binding.table.indexes.iter().filter(|index| index.unique) {
        let mut columns: Vec<&str> = index.parts.iter().filter_map(|part| part.column.as_deref()).collect();
        for expression in index.parts.iter().filter_map(|part| part.expression.as_deref()) {
            columns.extend(mentioned(binding.table, expression));
        }
        let predicate = index.predicate.as_deref().map(|text| mentioned(binding.table, text)).unwrap_or_default();
        uniques.push(Unique {
            slots: columns.iter().filter_map(|name| binding.slot(name)).collect(),
            depends_on: predicate.iter().filter_map(|name| binding.slot(name)).collect(),
        });
    }
    uniques.retain(|unique| !unique.slots.is_empty());
    uniques.sort_by_key(|unique| unique.slots.len());
    uniques
}

/// Makes one of the columns different in every row, if one can be without end (or, in a key of its own, for all rows).
fn make_apart(binding: &mut Binding<'_>, slots: &[usize]) -> Option<usize> {
    let rows = binding.rows;
    let alone = slots.len() == 1;
    let found = slots.iter().copied().find(|slot| match &binding.slots[*slot].maker {
        Some(Maker::Generated(generated)) => match generated.apart {
            Apart::No => capacity(generated, rows).is_none_or(|all| alone && all >= rows),
            Apart::ByRow => true,
            Apart::ByDigit(_) => false,
        },
        _ => false,
    })?;
    if let Some(Maker::Generated(generated)) = &mut binding.slots[found].maker {
        generated.apart = Apart::ByRow;
    }
    Some(found)
}

/// How many different values a column can have; `None` if there is no end of them.
fn capacity(generated: &Generated, rows: u64) -> Option<u64> {
    let Generated { generator, fit, .. } = generated;
    if generator.is_woven() {
        return fit.woven_capacity();
    }
    let is_cut = fit.limit.is_some_and(|limit| limit < generator.needed_length(rows));
    if is_cut || !fit.keeps_apart(generator.gives()) { Some(1) } else { generator.capacity() }
}

/// A column, or several that come from one row of a parent, as a digit.
enum Place {
    Column(usize),
    Group(usize),
}

/// Makes the columns digits of a number that no other row has.
fn enumerate(binding: &mut Binding<'_>, unique: &Unique, bound: &Bound<'_>, problems: &mut Problems) -> bool {
    let digits = digits(binding, &unique.slots, bound);
    let all = digits.iter().fold(1_u64, |all, (_, range)| all.saturating_mul(*range));
    if digits.is_empty() || all < binding.rows {
        let stated = |slot: &usize| binding.slots[*slot].form.is_some_and(|form| form.source.is_some());
        let answered_for = unique.depends_on.iter().any(stated);
        if binding.rows > 1 && !answered_for {
            let names: Vec<&str> = unique.slots.iter().map(|slot| binding.slots[*slot].column.name.as_str()).collect();
            let all = if digits.is_empty() { 1 } else { all };
            let message = format!(
                "{} rows of `{}` need as many different values of the unique key `{}`, which can have only {all}",
                binding.rows,
                binding.table.name,
                names.join("`, `")
            );
            let place = if names.len() == 1 { binding.column_place(unique.slots[0]) } else { binding.place() };
            problems.add(
                Problem::new(&place, message)
                    .expected("fewer rows, more rows in its parents, or a generator of more values"),
            );
        }
        return false;
    }
    let names: Vec<&str> = unique.slots.iter().map(|slot| binding.slots[*slot].column.name.as_str()).collect();
    let seed = binding.seed.child(&format!("unique:{}", names.join(",")));
    let mut stride = 1;
    for (place, range) in digits {
        let digit = Digit { seed, all, stride, range };
        stride = stride.saturating_mul(range);
        match place {
            Place::Column(slot) => {
                if let Some(Maker::Generated(generated)) = &mut binding.slots[slot].maker {
                    generated.apart = Apart::ByDigit(digit);
                }
            }
            Place::Group(group) => {
                let itself = matches!(binding.groups[group].parent, Parent::Itself);
                binding.groups[group].pick = if itself { Pick::Previous } else { Pick::Digit(digit) };
            }
        }
    }
    true
}

/// What can be a digit among the columns of a key, and how many values it has.
fn digits(binding: &Binding<'_>, slots: &[usize], bound: &Bound<'_>) -> Vec<(Place, u64)> {
    let mut digits = Vec::new();
    let mut groups = BTreeSet::new();
    for slot in slots {
        match &binding.slots[*slot].maker {
            Some(Maker::Generated(generated)) if matches!(generated.apart, Apart::No) => {
                digits.extend(
                    capacity(generated, binding.rows).filter(|all| *all > 1).map(|all| (Place::Column(*slot), all)),
                );
            }
            Some(Maker::Key { group, .. }) if groups.insert(*group) => {
                let group_of = &binding.groups[*group];
                let is_free = matches!(group_of.pick, Pick::Uniform | Pick::Skewed);
                match &group_of.parent {
                    Parent::Table(parent) if is_free && tells_rows_apart(binding, *group, slots, bound) => {
                        digits.push((Place::Group(*group), parent.rows));
                    }
                    Parent::Itself if is_free && slots.len() == 1 => {
                        digits.push((Place::Group(*group), binding.rows));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    digits
}

/// Whether the columns of a key that come from a parent are enough to tell the parent's rows apart.
fn tells_rows_apart(binding: &Binding<'_>, group: usize, slots: &[usize], bound: &Bound<'_>) -> bool {
    let Group { parent: Parent::Table(parent), parts, .. } = &binding.groups[group] else { return false };
    let Some((table, _)) = bound.get(&parent.table) else { return false };
    let taken: BTreeSet<&str> = binding.group_slots[group]
        .iter()
        .zip(parts)
        .filter(|(slot, _)| slots.contains(slot))
        .map(|(_, part)| parent.names[*part].as_str())
        .collect();
    table.unique_keys().any(|key| key.columns.iter().all(|column| taken.contains(column.as_str())))
}
