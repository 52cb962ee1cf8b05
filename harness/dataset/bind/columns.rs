//! Makers for the columns that no reference fills.

use std::collections::BTreeSet;

use super::Binding;
use crate::{
    dataset::{
        constraint::{Known, mentioned},
        edge,
        fakes::Gives,
        fit::Fit,
        form::Source,
        generator::Generator,
        guess::{guess, takes_edges},
        plan::{Apart, Generated, Maker, Share},
    },
    document::{Problem, Problems},
};

/// Gives every column that has none yet its maker.
pub(super) fn fill(binding: &mut Binding<'_>, problems: &mut Problems) {
    let held = held_by_indexes(binding);
    for slot in 0..binding.slots.len() {
        if binding.slots[slot].maker.is_none() {
            binding.slots[slot].maker = maker(binding, slot, &held, problems);
        }
    }
}

/// Columns that a unique index with a predicate or an expression speaks about.
fn held_by_indexes(binding: &Binding<'_>) -> BTreeSet<String> {
    let mut held = BTreeSet::new();
    for index in binding.table.indexes.iter().filter(|index| index.unique) {
        held.extend(index.parts.iter().filter_map(|part| part.column.clone()));
        let expressions = index.parts.iter().filter_map(|part| part.expression.as_deref());
        for expression in expressions.chain(index.predicate.as_deref()) {
            held.extend(mentioned(binding.table, expression).into_iter().map(str::to_owned));
        }
    }
    held
}

fn maker(binding: &Binding<'_>, slot: usize, held: &BTreeSet<String>, problems: &mut Problems) -> Option<Maker> {
    let (column, form) = (binding.slots[slot].column, binding.slots[slot].form);
    let known = binding.known.get(&column.name).cloned().unwrap_or_default();
    let stated = match form.and_then(|form| form.source.as_ref()) {
        Some(Source::Generator(generator)) => Some(generator.clone()),
        _ => None,
    };
    let is_stated = stated.is_some();
    let is_primary = binding.table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name));
    let is_single_key = is_primary && binding.table.primary_key.as_ref().is_some_and(|key| key.columns.len() == 1);
    let Some(generator) = stated.or_else(|| guess(column, &known, is_single_key)) else {
        if binding.nullable(slot) {
            return Some(Maker::Null);
        }
        if column.default.is_none() && binding.rows > 0 {
            let message = format!("no value can be made up for `{}`, which is {}", column.name, column.kind);
            let expected = "`constant`, `one_of` or `pattern` for it";
            problems.add(Problem::new(&binding.column_place(slot), message).expected(expected));
        }
        return None;
    };
    let written = match &generator {
        Generator::Fake(_, options) => options.form,
        _ => None,
    };
    let gives = generator.gives();
    let Some(fit) = Fit::of(gives, &column.kind, written, known.max_length) else {
        let message = format!("gives {}, but `{}` is {}", describe(gives), column.name, column.kind);
        problems.add(Problem::new(&binding.column_place(slot), message));
        return None;
    };
    let seed = binding.seed.child(&column.name);
    let is_unique = form.is_some_and(|form| form.unique);
    let is_keyed = binding.keyed.contains(column.name.as_str()) || held.contains(&column.name) || is_unique;
    let asked = form.and_then(|form| form.edges);
    if asked == Some(true) {
        refuse_edges(binding, slot, is_keyed, &known, problems);
    }
    let has_edges = asked.unwrap_or(!is_stated && takes_edges(&generator)) && !is_keyed && !known.constrained;
    let edge_values = if has_edges { edge::values(gives, &column.kind, is_keyed) } else { Vec::new() };
    let of_table = binding.form.and_then(|form| form.edge_fraction);
    let edges = Share::new(seed.child("edge"), of_table.unwrap_or(binding.dataset.edge_fraction));
    let nulls = Share::new(seed.child("null"), binding.null_fraction(slot));
    let edge_values = edge_values.into_iter().map(|value| fit.apply(value)).collect();
    let generated = Generated { generator, seed, fit, nulls, edges, edge_values, apart: Apart::No };
    Some(Maker::Generated(Box::new(generated)))
}

fn refuse_edges(binding: &Binding<'_>, slot: usize, is_keyed: bool, known: &Known, problems: &mut Problems) {
    let why = match (is_keyed, known.constrained) {
        (true, _) => "a unique key holds it",
        (false, true) => "a CHECK constraint speaks about it",
        (false, false) => return,
    };
    let message = format!("`{}` cannot take edge values: {why}", binding.slots[slot].column.name);
    problems.add(Problem::new(&binding.column_place(slot), message).expected("`edges = false`"));
}

fn describe(gives: Gives) -> &'static str {
    match gives {
        Gives::Prose | Gives::Text => "text",
        Gives::Integer => "whole numbers",
        Gives::Decimal => "decimals",
        Gives::Real => "doubles",
        Gives::Boolean => "true and false",
        Gives::Bytes => "bytes",
        Gives::Uuid => "UUIDs",
        Gives::Instant => "moments",
        Gives::Day => "days",
        Gives::Json => "JSON",
        Gives::Literal => "values",
    }
}
