//! Pairs tables and columns: by what is stated, else by their folded names.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::rule::{Rule, rule_for, rule_within},
    ColumnPair, Comparison, Derived, Unmet,
    columns::{by_name, common_key, terms, text_column},
    made::complete,
    narrow,
    stated::{At, Condition, Mapping, Stated, StatedColumn},
};
use crate::model::{
    Catalogue, LogicalType, Side, Sides, TableName, Unchecked,
    catalogue::{Column, Table},
};

/// Pairs everything, and names what has no counterpart.
///
/// `whole` is the source with the tables that are left out.
pub(super) fn pair_all(catalogues: &Sides<Catalogue>, whole: &Catalogue, mapping: &Mapping, derived: &mut Derived) {
    let mut pairing =
        Pairing { catalogues, whole, mapping, derived, taken: Sides::default(), columns: Sides::default() };
    for one in &mapping.compare {
        pairing.stated(one);
    }
    pairing.by_name();
    pairing.conditions();
    pairing.leftovers();
}

struct Pairing<'a> {
    catalogues: &'a Sides<Catalogue>,
    whole: &'a Catalogue,
    mapping: &'a Mapping,
    derived: &'a mut Derived,
    /// Tables that are in a comparison.
    taken: Sides<BTreeSet<TableName>>,
    /// Columns that are in a comparison.
    columns: Sides<BTreeSet<(TableName, String)>>,
}

impl Pairing<'_> {
    /// One stated pair of rowsets.
    fn stated(&mut self, one: &Stated) {
        let names = Sides::new(&one.source, &one.target);
        let mut tables = Sides::new(None, None);
        for side in Side::BOTH {
            let tables_of = &self.catalogues.get(side).tables;
            if one.queries.get(side).is_some() {
                continue;
            }
            let name = *names.get(side);
            let found = tables_of.values().find(|table| table.name.to_string() == *name);
            // A table that was left out by request is no mistake of the statement.
            let is_out = self.derived.left_out.iter().any(|out| out.subject == format!("{side} {name}"));
            if found.is_none() && !is_out {
                let known = tables_of.keys().map(ToString::to_string).collect();
                self.unmet(&one.at, &format!("{side} table"), name, known);
            }
            if found.is_none() {
                return;
            }
            *tables.get_mut(side) = found.cloned();
        }
        let tables = self.queried(one, tables);
        let is_first = Side::BOTH
            .iter()
            .all(|side| one.queries.get(*side).is_none() && !self.taken.get(*side).contains(&tables.get(*side).name));
        let comparison = self.pair(&tables.source, &tables.target, Some(one));
        for side in Side::BOTH {
            if one.queries.get(side).is_none() {
                self.taken.get_mut(side).insert(tables.get(side).name.clone());
            }
        }
        if is_first {
            self.derived.comparisons.push(comparison);
        } else {
            self.derived.rows_only.push(comparison);
        }
    }

    /// Both tables, one in the place of each query: its columns are those that are stated, or those of the other side.
    fn queried(&mut self, one: &Stated, tables: Sides<Option<Table>>) -> Sides<Table> {
        let of = |side: Side, other: Option<&Table>| {
            let name = match side {
                Side::Source => &one.source,
                Side::Target => &one.target,
            };
            let mut table = Table::empty(TableName::new(name.clone()));
            let stated = one.columns.iter().map(|(name, column)| match side {
                Side::Source => name.clone(),
                Side::Target => column.target.clone().unwrap_or_else(|| name.clone()),
            });
            let mut names: Vec<String> = stated.collect();
            let other_side = |column: &Column| match side {
                // What the other table's column is stated to be called here.
                Side::Source => one.columns.iter().find(|(_, of)| of.target.as_ref() == Some(&column.name)).is_none(),
                Side::Target => !one.columns.contains_key(&column.name),
            };
            let missing = other.iter().flat_map(|table| &table.columns).filter(|column| other_side(column));
            names.extend(missing.map(|column| column.name.clone()).collect::<Vec<_>>());
            names.dedup();
            table.columns = names.into_iter().map(|name| text_column(&name, "query")).collect();
            table
        };
        let source = tables.source.clone().unwrap_or_else(|| of(Side::Source, tables.target.as_ref()));
        let target = tables.target.clone().unwrap_or_else(|| of(Side::Target, Some(&source)));
        Sides::new(source, target)
    }

    fn by_name(&mut self) {
        for table in self.catalogues.source.tables.values() {
            if self.taken.source.contains(&table.name) {
                continue;
            }
            match self.counterpart(table) {
                Some(other) if self.taken.target.insert(other.name.clone()) => {
                    self.taken.source.insert(table.name.clone());
                    let comparison = self.pair(table, &other, None);
                    self.derived.comparisons.push(comparison);
                }
                _ => self.derived.source_only.push(table.name.clone()),
            }
        }
        self.derived.comparisons.sort_by(|one, other| one.source.cmp(&other.source));
        let target = &self.catalogues.target.tables;
        self.derived.target_only = target.keys().filter(|name| !self.taken.target.contains(*name)).cloned().collect();
    }

    fn counterpart(&self, table: &Table) -> Option<Table> {
        let target = &self.catalogues.target;
        if let Some(exact) = target.tables.get(&table.name) {
            return Some(exact.clone());
        }
        // A folded name pairs tables only if it is the only one that folds so: a guess is worse than a question.
        let source = &self.catalogues.source;
        let is_alike =
            |other: &&Table| other.name.folded() == table.name.folded() && !source.tables.contains_key(&other.name);
        let mut alike = target.tables.values().filter(is_alike);
        match (alike.next(), alike.next()) {
            (Some(only), None) => Some(only.clone()),
            _ => None,
        }
    }

    /// Conditions on tables, for both sides.
    fn conditions(&mut self) {
        for (name, sql) in &self.mapping.selection.conditions {
            let at = At { file: String::new(), line: 0, key: "--where".to_owned() };
            let derived = &mut *self.derived;
            let mut found = false;
            for one in derived.comparisons.iter_mut().chain(&mut derived.rows_only) {
                if Side::BOTH.iter().any(|side| one.table(*side).to_string() == *name) {
                    found = true;
                    for side in Side::BOTH {
                        one.terms.get_mut(side).filters.push(Condition { sql: sql.clone(), at: at.clone() });
                    }
                }
            }
            if !found {
                let known = self.catalogues.source.tables.keys().map(ToString::to_string).collect();
                self.unmet(&at, "table", name, known);
            }
        }
        let all: Vec<Comparison> = self.derived.all().cloned().collect();
        for (side, one) in all.iter().flat_map(|one| Side::BOTH.map(|side| (side, one))) {
            for filter in &one.terms.get(side).filters {
                let subject = format!("{side} {} ({})", one.table(side), filter.sql);
                let why = format!("only rows for which this holds are compared ({})", filter.at);
                self.derived.waivers.insert(subject.clone(), why.clone());
                self.derived.left_out.push(Unchecked::new("row", subject, why));
            }
        }
        for one in &self.derived.rows_only {
            let subject = format!("{} and {}", one.source, one.target);
            let why = format!("stated as a query or a further part, of which the rows alone are compared ({})", one.at);
            self.derived.waivers.insert(subject.clone(), why.clone());
            self.derived.left_out.push(Unchecked::new("object", subject, why));
        }
    }

    /// Columns that no comparison of their table has.
    fn leftovers(&mut self) {
        for side in Side::BOTH {
            let mut only = Vec::new();
            for table in self.catalogues.get(side).tables.values() {
                if !self.taken.get(side).contains(&table.name) {
                    continue;
                }
                for column in &table.columns {
                    let key = (table.name.clone(), column.name.clone());
                    if !self.columns.get(side).contains(&key) {
                        only.push(key);
                    }
                }
            }
            let ignored = &self.derived.ignored;
            let (out, only): (Vec<_>, Vec<_>) =
                only.into_iter().partition(|(table, name)| ignored.contains_key(&(side, table.clone(), name.clone())));
            for (table, column) in out {
                let (why, holds) = self.derived.ignored[&(side, table.clone(), column.clone())].clone();
                let subject = format!("{side} {table}.{column}");
                if holds {
                    self.derived.waivers.insert(subject.clone(), why.clone());
                }
                self.derived.left_out.push(Unchecked::new("column", subject, why));
                self.derived.columns_left_out += u64::from(side == Side::Source);
            }
            match side {
                Side::Source => self.derived.source_columns_only = only,
                Side::Target => self.derived.target_columns_only = only,
            }
        }
    }

    fn unmet(&mut self, at: &At, what: &str, name: &str, known: Vec<String>) {
        self.derived.problems.push(Unmet { at: at.clone(), what: what.to_owned(), name: name.to_owned(), known });
    }

    fn pair(&mut self, source: &Table, target: &Table, stated: Option<&Stated>) -> Comparison {
        let mut comparison = Comparison {
            source: source.name.clone(),
            target: target.name.clone(),
            columns: Vec::new(),
            key: Vec::new(),
            terms: Sides::from_fn(|side| terms(side, stated)),
            is_copied: stated.is_some_and(|stated| stated.is_copied),
            rejects: stated.and_then(|stated| stated.rejects.clone()),
            at: stated.map(|stated| stated.at.clone()).unwrap_or_default(),
        };
        if let Some(stated) = stated {
            let (members, unmet) = complete(&mut comparison.terms.source, stated, source, self.whole);
            self.columns.source.extend(members.into_iter().map(|column| (source.name.clone(), column)));
            self.derived.problems.extend(unmet);
        }
        let none = BTreeMap::new();
        let of_columns = stated.map_or(&none, |stated| &stated.columns);
        // Expressions have names of their own, behind the columns.
        let made = of_columns.iter().filter(|(name, _)| source.column(name).is_none());
        let made: Vec<Column> = made.map(|(name, _)| text_column(name, "expression")).collect();
        let mut taken = BTreeSet::new();
        for column in source.columns.iter().chain(&made) {
            let one = of_columns.get(&column.name);
            let is_of_nothing = |one: &&StatedColumn| one.expressions.source.is_none() || one.lookup.is_some();
            if let Some(one) = one.filter(|one| source.column(&column.name).is_none() && is_of_nothing(one)) {
                let known = source.columns.iter().map(|column| column.name.clone()).collect();
                self.unmet(&one.at, &format!("source column of `{}`", source.name), &column.name, known);
                continue;
            }
            if let Some(why) = one.and_then(|one| one.dropped.as_ref()) {
                let key = (Side::Source, source.name.clone(), column.name.clone());
                self.derived.ignored.insert(key, (format!("dropped: {why}"), true));
                continue;
            }
            if let Some(other) = self.other(column, source, target, one)
                && taken.insert(other.name.clone())
            {
                let pair = self.column(&comparison, column, &other, one);
                self.columns.source.insert((source.name.clone(), column.name.clone()));
                self.columns.target.insert((target.name.clone(), other.name.clone()));
                comparison.columns.push(pair);
            }
        }
        comparison.key = match stated.map(|stated| &stated.key).filter(|key| !key.is_empty()) {
            Some(key) => self.stated_key(key, &comparison),
            None => common_key(source, target, &comparison.columns),
        };
        comparison
    }

    /// The target's column of a column.
    fn other(&mut self, column: &Column, source: &Table, target: &Table, one: Option<&StatedColumn>) -> Option<Column> {
        let Some(one) = one else {
            return by_name(source, target, &column.name).cloned();
        };
        let name = one.target.as_deref().unwrap_or(&column.name);
        if let Some(known) = target.column(name) {
            return Some(known.clone());
        }
        if one.expressions.target.is_some() {
            return Some(text_column(name, "expression"));
        }
        if one.target.is_some() {
            let known = target.columns.iter().map(|column| column.name.clone()).collect();
            self.unmet(&one.at, &format!("target column of `{}`", target.name), name, known);
            return None;
        }
        by_name(source, target, name).cloned()
    }

    fn column(
        &mut self,
        comparison: &Comparison,
        column: &Column,
        other: &Column,
        one: Option<&StatedColumn>,
    ) -> ColumnPair {
        let (mut source, mut target) = (column.clone(), other.clone());
        for (side, column) in [(Side::Source, &mut source), (Side::Target, &mut target)] {
            if comparison.terms.get(side).makes(&column.name) {
                // Read in its text form, whatever the column holds.
                column.kind = LogicalType::Text { limit: None };
            }
        }
        let rule = self
            .left_out(comparison, &source, &target, one)
            .map_or_else(|| self.rule(comparison, &source, &target, one), Err);
        ColumnPair { source, target, rule, stated: one.is_some() }
    }

    /// Why a pair is not compared although it could be.
    fn left_out(
        &mut self,
        comparison: &Comparison,
        source: &Column,
        target: &Column,
        one: Option<&StatedColumn>,
    ) -> Option<String> {
        let ignored = |side: Side, table: &TableName, name: &str| {
            self.derived.ignored.get(&(side, table.clone(), name.to_owned())).cloned()
        };
        let (why, holds) = match one.and_then(|one| one.left_out.as_ref()) {
            Some(reason) => {
                let has_ended = reason.has_ended(&self.mapping.today);
                (narrow::why(&reason.why, reason.until.as_deref(), has_ended), !has_ended)
            }
            None => ignored(Side::Source, &comparison.source, &source.name)
                .or_else(|| ignored(Side::Target, &comparison.target, &target.name))?,
        };
        if holds {
            self.derived.waivers.insert(format!("{}.{}", comparison.source, source.name), why.clone());
        }
        Some(why)
    }

    fn rule(
        &mut self,
        comparison: &Comparison,
        column: &Column,
        other: &Column,
        stated: Option<&StatedColumn>,
    ) -> Result<Rule, String> {
        if let Some(word) = stated.and_then(|one| one.rule.as_deref()) {
            return Rule::named(word).ok_or_else(|| {
                let known = Rule::words().map(str::to_owned).collect();
                self.unmet(&stated.map(|one| one.at.clone()).unwrap_or_default(), "a rule", word, known);
                format!("no rule is called `{word}`")
            });
        }
        let pair = || format!("{} against {} in {}.{}", column.declared, other.declared, comparison.target, other.name);
        let found = match self.derived.same_engine {
            true => rule_within(&column.kind, &other.kind, column.declared == other.declared),
            false => rule_for(&column.kind, &other.kind),
        };
        match found {
            Ok(Rule::Stored) if !self.derived.same_engine => Err(format!("{}: no rule across engines", pair())),
            Ok(rule) => Ok(rule),
            Err(no_rule) => Err(format!("{}: {no_rule}", pair())),
        }
    }

    /// The positions of a key that is stated.
    fn stated_key(&mut self, key: &[String], comparison: &Comparison) -> Vec<usize> {
        let mut positions = Vec::new();
        for name in key {
            match comparison.columns.iter().position(|pair| pair.source.name == *name && pair.rule.is_ok()) {
                Some(position) => positions.push(position),
                None => {
                    let known = comparison.columns.iter().filter(|pair| pair.rule.is_ok());
                    let known = known.map(|pair| pair.source.name.clone()).collect();
                    self.unmet(&comparison.at, "key column", name, known);
                }
            }
        }
        positions
    }
}
