//! What the catalogue says about the values of a table's columns, besides their types.
//!
//! CHECK constraints of the table and of its columns' domains, the bounds of its partitions, and expressions that take a
//! column for JSON.

use std::collections::BTreeMap;

use crate::{
    dataset::constraint::{self, Known, mentioned},
    model::{
        Catalogue, LogicalType, Value,
        catalogue::{CheckConstraint, Definition, Generation, ObjectName, Table},
    },
};

/// What is known about the values of a table's columns, by column.
pub(super) fn of(catalogue: &Catalogue, table: &Table) -> BTreeMap<String, Known> {
    let mut known = constraint::known(&with_domains(catalogue, table));
    for (column, values) in bounds(catalogue, table) {
        let known = known.entry(column.to_owned()).or_default();
        known.constrained = true;
        known.labels.get_or_insert(values);
    }
    for column in read_as_json(table) {
        known.entry(column.to_owned()).or_default().json = true;
    }
    known
}

/// The table with the CHECK constraints of its columns' domains as its own.
fn with_domains(catalogue: &Catalogue, table: &Table) -> Table {
    let mut table = table.clone();
    let mut checks = Vec::new();
    for column in &table.columns {
        let declared = column.declared.replace('"', "");
        let unqualified = declared.split_once('.').map_or(declared.as_str(), |(_, name)| name);
        let named = |name: &&str| {
            let kind = catalogue.objects.get(&ObjectName::new("type", *name)).and_then(|type_| type_.get("kind"));
            kind.is_some_and(|kind| kind == "domain")
        };
        let Some(domain) = [declared.as_str(), unqualified].into_iter().find(named) else { continue };
        let first = ObjectName::new("constraint", format!("{domain}."));
        let constraints = catalogue.objects.range(first.clone()..);
        let own = constraints.take_while(|(name, _)| name.class == first.class && name.name.starts_with(&first.name));
        for definition in own.filter_map(|(_, constraint)| constraint.get("definition")) {
            let expression = definition.replace("VALUE", &format!("\"{}\"", column.name.replace('"', "\"\"")));
            checks.push(CheckConstraint { name: None, expression });
        }
    }
    table.checks.extend(checks);
    table
}

/// Values for the columns by which a table is partitioned: those that lists name, and those with which ranges begin. None
/// where a partition takes everything.
fn bounds<'t>(catalogue: &Catalogue, table: &'t Table) -> BTreeMap<&'t str, Vec<Value>> {
    let mut bounds: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let object = |name: String| catalogue.objects.get(&ObjectName::new("table", name));
    if !catalogue.partitioned.contains(&table.name) {
        return bounds;
    }
    let Some(key) = object(table.name.to_string()).and_then(|object| object.get("partition_key")) else {
        return bounds;
    };
    let columns = mentioned(table, key);
    let is_partition = |definition: &&Definition| {
        let parent = definition.get("inherits").map(|parent| parent.replace('"', "")).unwrap_or_default();
        parent == table.name.name || parent.ends_with(&format!(".{}", table.name.name))
    };
    let tables = catalogue.objects.iter().filter(|(name, _)| name.class == "table").map(|(_, definition)| definition);
    for bound in tables.filter(is_partition).filter_map(|partition| partition.get("partition_bound")) {
        if bound == "DEFAULT" {
            return BTreeMap::new();
        }
        let (first, _) = bound.split_once(" TO ").unwrap_or((bound, ""));
        let values = constraint::values(first);
        match columns.as_slice() {
            [column] if bound.contains(" IN ") => bounds.entry(column).or_default().extend(values),
            _ if bound.contains(" FROM ") && values.len() == columns.len() => {
                for (column, value) in columns.iter().zip(values) {
                    bounds.entry(column).or_default().push(value);
                }
            }
            _ => {}
        }
    }
    bounds
}

/// Columns of text that an index or another column reads as JSON.
fn read_as_json(table: &Table) -> Vec<&str> {
    let parts = table.indexes.iter().flat_map(|index| &index.parts).filter_map(|part| part.expression.as_deref());
    let predicates = table.indexes.iter().filter_map(|index| index.predicate.as_deref());
    let computed = table.columns.iter().filter_map(|column| match &column.generation {
        Generation::Computed { expression, .. } => Some(expression.as_str()),
        _ => None,
    });
    let checks = table.checks.iter().map(|check| check.expression.as_str());
    let expressions = parts.chain(predicates).chain(computed).chain(checks);
    let about_json = expressions.filter(|text| text.contains("->") || text.to_ascii_lowercase().contains("json_"));
    let is_text = |name: &&str| {
        let kind = table.column(name).map(|column| &column.kind);
        matches!(kind, Some(LogicalType::Text { .. } | LogicalType::Any))
    };
    about_json.flat_map(|expression| mentioned(table, expression)).filter(is_text).collect()
}
