//! Comparison is data: which rowsets are compared, by which key, and per column under which rule.
//!
//! Where tables and columns match by their folded names, the comparison is derived; a scenario states the rest. Whatever
//! has no counterpart or no rule is named, never left out in silence.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rule::{Rule, rule_for, rule_within};
use crate::model::{
    Catalogue, LogicalType, TableName, Unchecked,
    catalogue::{Column, Table},
    name::fold,
};

/// What a scenario states about one pair of tables, where names and types cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The source's table.
    pub source: String,
    /// The target's table.
    pub target: String,
    /// By source column: what is stated about it.
    pub columns: BTreeMap<String, StatedColumn>,
}

/// What a scenario states about one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedColumn {
    /// The target's column, where the names do not match.
    pub target: Option<String>,
    /// The common type, by its word ([`Rule::named`]).
    pub rule: Option<String>,
}

/// A pair of tables and how their rows are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The source's table.
    pub source: TableName,
    /// The target's table.
    pub target: TableName,
    /// Paired columns, in the order of the source.
    pub columns: Vec<ColumnPair>,
    /// Positions in `columns` that name one row on both sides; empty where rows have no key.
    pub key: Vec<usize>,
}

/// A pair of columns.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPair {
    /// The source's column.
    pub source: Column,
    /// The target's column.
    pub target: Column,
    /// The rule under which they are compared, or why there is none.
    pub rule: Result<Rule, String>,
    /// Whether somebody stated the pair or its rule, rather than names and types alone.
    pub stated: bool,
}

/// The comparisons of two catalogues, and what has no counterpart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    /// Paired tables, in the order of the source's names.
    pub comparisons: Vec<Comparison>,
    /// Tables that only the source has.
    pub source_only: Vec<TableName>,
    /// Tables that only the target has.
    pub target_only: Vec<TableName>,
    /// Columns of paired tables that only the source has.
    pub source_columns_only: Vec<(TableName, String)>,
    /// Columns of paired tables that only the target has.
    pub target_columns_only: Vec<(TableName, String)>,
    /// Whether both catalogues are of one engine.
    pub same_engine: bool,
    /// Statements that name nothing: a table, column or rule that does not exist.
    pub problems: Vec<String>,
}

/// Derives the comparisons of two catalogues. `same_engine` tells whether both are of one engine: only there is the own
/// form of a type without a rule comparable.
pub fn derive(source: &Catalogue, target: &Catalogue, stated: &[Stated], same_engine: bool) -> Derived {
    let mut derived = Derived { same_engine, ..Derived::default() };
    let mut taken = BTreeSet::new();
    derived.problems.extend(stated.iter().flat_map(|one| unknown_tables(source, target, one)));
    for table in source.tables.values() {
        let one = stated.iter().find(|one| one.source == table.name.to_string());
        match counterpart(table, target, one) {
            Some(other) if taken.insert(other.name.clone()) => {
                let comparison = pair(table, other, one, &mut derived);
                derived.comparisons.push(comparison);
            }
            _ => derived.source_only.push(table.name.clone()),
        }
    }
    derived.target_only = target.tables.keys().filter(|name| !taken.contains(*name)).cloned().collect();
    derived
}

fn unknown_tables(source: &Catalogue, target: &Catalogue, one: &Stated) -> Vec<String> {
    let missing = |catalogue: &Catalogue, name: &str, side: &str| {
        (!catalogue.tables.keys().any(|table| table.to_string() == name))
            .then(|| format!("[[compare]] names {side} table `{name}`, which does not exist"))
    };
    missing(source, &one.source, "source").into_iter().chain(missing(target, &one.target, "target")).collect()
}

fn counterpart<'a>(table: &Table, target: &'a Catalogue, stated: Option<&Stated>) -> Option<&'a Table> {
    if let Some(one) = stated {
        return target.tables.values().find(|other| other.name.to_string() == one.target);
    }
    if let Some(exact) = target.tables.get(&table.name) {
        return Some(exact);
    }
    // A folded name pairs tables only if it is the only one that folds so: a guess is worse than a question.
    let mut alike = target.tables.values().filter(|other| other.name.folded() == table.name.folded());
    match (alike.next(), alike.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn pair(source: &Table, target: &Table, stated: Option<&Stated>, derived: &mut Derived) -> Comparison {
    let mut columns = Vec::new();
    let mut taken = BTreeSet::new();
    for column in &source.columns {
        let one = stated.and_then(|stated| stated.columns.get(&column.name));
        let other = match one.and_then(|one| one.target.as_deref()) {
            Some(name) => target.column(name),
            None => target
                .column(&column.name)
                .or_else(|| target.columns.iter().find(|other| fold(&other.name) == fold(&column.name))),
        };
        match other {
            Some(other) if taken.insert(other.name.clone()) => {
                let rule = column_rule(source, target, column, other, one, derived);
                let stated = one.is_some();
                columns.push(ColumnPair { source: column.clone(), target: other.clone(), rule, stated });
            }
            _ => derived.source_columns_only.push((source.name.clone(), column.name.clone())),
        }
    }
    let left = target.columns.iter().filter(|column| !taken.contains(&column.name));
    derived.target_columns_only.extend(left.map(|column| (target.name.clone(), column.name.clone())));
    for name in stated.iter().flat_map(|stated| stated.columns.keys()) {
        if source.column(name).is_none() {
            derived
                .problems
                .push(format!("[[compare]] names source column `{}.{name}`, which does not exist", source.name));
        }
    }
    let key = common_key(source, target, &columns);
    Comparison { source: source.name.clone(), target: target.name.clone(), columns, key }
}

fn column_rule(
    source: &Table,
    target: &Table,
    column: &Column,
    other: &Column,
    stated: Option<&StatedColumn>,
    derived: &mut Derived,
) -> Result<Rule, String> {
    if let Some(word) = stated.and_then(|one| one.rule.as_deref()) {
        return Rule::named(word).ok_or_else(|| {
            let problem = format!("[[compare]] names no rule with `{word}` for `{}.{}`", source.name, column.name);
            derived.problems.push(problem.clone());
            problem
        });
    }
    let pair = || format!("{} against {} in {}.{}", column.declared, other.declared, target.name, other.name);
    let found = match derived.same_engine {
        true => rule_within(&column.kind, &other.kind, column.declared == other.declared),
        false => rule_for(&column.kind, &other.kind),
    };
    match found {
        Ok(Rule::Stored) if !derived.same_engine => Err(format!("{}: no rule across engines", pair())),
        Ok(rule) => Ok(rule),
        Err(no_rule) => Err(format!("{}: {no_rule}", pair())),
    }
}

/// The positions of a key that names one row on both sides and whose columns can be compared.
fn common_key(source: &Table, target: &Table, columns: &[ColumnPair]) -> Vec<usize> {
    let positions = |key: &[String], name: fn(&ColumnPair) -> &str| {
        key.iter()
            .map(|wanted| columns.iter().position(|pair| name(pair) == wanted && pair.rule.is_ok()))
            .collect::<Option<Vec<usize>>>()
    };
    let of_source = source.row_key().and_then(|key| positions(key, |pair| &pair.source.name));
    let of_target = target.row_key().and_then(|key| positions(key, |pair| &pair.target.name));
    // The target's key is as good where the source has none (SQLite's TEXT PRIMARY KEY may hold NULL): rows whose key
    // is doubled on one side are paired as a multiset.
    of_source.or(of_target).unwrap_or_default()
}

impl Comparison {
    /// The pairs that have a rule, with their positions.
    pub fn ruled(&self) -> impl Iterator<Item = (&ColumnPair, &Rule)> {
        self.columns.iter().filter_map(|pair| pair.rule.as_ref().ok().map(|rule| (pair, rule)))
    }

    /// The pairs without a rule, as things that were not checked.
    pub fn unruled(&self) -> impl Iterator<Item = Unchecked> {
        self.columns.iter().filter_map(|pair| {
            let reason = pair.rule.as_ref().err()?;
            Some(Unchecked::new("column", format!("{}.{}", self.source, pair.source.name), reason))
        })
    }

    /// Whether a pair of columns is about UUIDs on at least one side.
    pub fn is_uuid(pair: &ColumnPair) -> bool {
        pair.source.kind == LogicalType::Uuid
            || pair.target.kind == LogicalType::Uuid
            || pair.rule.as_ref().is_ok_and(Rule::is_uuid)
    }
}
