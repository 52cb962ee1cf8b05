//! Which table and column goes where: by what is stated, else by folded names. Whatever has no place is a problem, and so is a
//! statement that names nothing; all are told at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    lookup::Lookup,
    object::ObjectPlan,
    parents,
    plan::{ColumnPlan, Parent, TablePlan, space},
    value::Making,
};
use crate::{
    canon::{
        Cell, Rule,
        comparison::{At, Copied, Copying, Expression, Found, Object, StatedColumn, stated::fits},
    },
    document::{Place, Problem, Problems, nearest},
    model::{
        Catalogue, Side, Sides, TableName,
        catalogue::{Column, Generation, Table},
        name::fold,
    },
};

/// Both catalogues, and what matters of their engines.
pub(super) struct Given<'a> {
    /// The catalogues.
    pub catalogues: Sides<&'a Catalogue>,
    /// Whether both are of one engine.
    pub same_engine: bool,
    /// Whether the types of the target's columns bind their values.
    pub is_bound: bool,
    /// Whether tables that the mapping does not name are left to other steps.
    pub leaves_rest: bool,
}

/// The plan, parents before children.
///
/// # Errors
/// Every problem at once.
pub(super) fn resolve(copying: &Copying, given: &Given<'_>) -> Result<Vec<TablePlan>, Problems> {
    let problems = Problems::new(copying.file.clone());
    let mut resolving =
        Resolving { copying, given, problems, tables: Vec::new(), placed: BTreeMap::new(), fed: BTreeSet::new() };
    resolving.stated();
    if !given.leaves_rest {
        resolving.by_name();
    }
    resolving.leftovers();
    let Resolving { problems, mut tables, .. } = resolving;
    let (order, _) = given.catalogues.target.dependency_order();
    tables.sort_by_key(|table| order.iter().position(|name| name == table.name(Side::Target)));
    problems.or(tables)
}

struct Resolving<'a> {
    copying: &'a Copying,
    given: &'a Given<'a>,
    problems: Problems,
    tables: Vec<TablePlan>,
    /// The source's columns that have a place, by table.
    placed: BTreeMap<TableName, BTreeSet<String>>,
    /// The target's tables that get rows.
    fed: BTreeSet<TableName>,
}

/// What is stated to be put together from several columns.
fn object(one: &StatedColumn) -> Option<&Object> {
    match &one.expressions.source {
        Some(Expression::Object(object)) => Some(object),
        _ => None,
    }
}

fn place(at: &At) -> Place {
    Place { line: at.line, column: 0, key: at.key.clone() }
}

impl Resolving<'_> {
    fn unknown<'n>(&mut self, at: &At, what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) {
        self.problems.add(Problem::unknown(&place(at), what, name, known));
    }

    fn table_named(&mut self, side: Side, name: &str, at: &At) -> Option<Table> {
        let tables = &self.given.catalogues.get(side).tables;
        let found = tables.values().find(|table| table.name.to_string() == name).cloned();
        if found.is_none() {
            let known: Vec<String> = tables.keys().map(ToString::to_string).collect();
            self.unknown(at, &format!("{side} table"), name, known.iter().map(String::as_str));
        }
        found
    }

    fn stated(&mut self) {
        for one in &self.copying.dropped {
            let tables = &self.given.catalogues.source.tables;
            if !tables.keys().any(|name| fits(&name.to_string(), &one.source)) {
                let known: Vec<String> = tables.keys().map(ToString::to_string).collect();
                self.unknown(&one.at, "source table", &one.source, known.iter().map(String::as_str));
            }
        }
        for one in &self.copying.tables {
            let source = self.table_named(Side::Source, &one.source, &one.at);
            let target = self.table_named(Side::Target, &one.target, &one.at);
            if let Some((source, target)) = source.zip(target) {
                self.table(&source, &target, Some(one));
            }
        }
    }

    fn is_dropped(&self, table: &TableName) -> bool {
        self.copying.dropped.iter().any(|one| fits(&table.to_string(), &one.source))
    }

    fn by_name(&mut self) {
        let by_statement = self.fed.clone();
        for table in self.given.catalogues.source.tables.values() {
            let name = table.name.to_string();
            let is_stated = self.copying.tables.iter().any(|one| one.source == name);
            if is_stated || self.is_dropped(&table.name) {
                continue;
            }
            match self.counterpart(table) {
                Some(other) if !by_statement.contains(&other.name) && !self.fed.contains(&other.name) => {
                    self.table(table, &other, None);
                }
                _ => {
                    let problem =
                        Problem::new(&Place::default(), format!("source table `{name}` is neither copied nor dropped"));
                    let mut problem = problem.expected(
                        "a table of that name in the target, or a [[copy]] that says where its rows go, or why they do not (`dropped`)",
                    );
                    let known: Vec<String> =
                        self.given.catalogues.target.tables.keys().map(ToString::to_string).collect();
                    problem.nearest = nearest(&name, known.iter().map(String::as_str));
                    self.problems.add(problem);
                }
            }
        }
    }

    fn counterpart(&self, table: &Table) -> Option<Table> {
        let tables = &self.given.catalogues.target.tables;
        if let Some(exact) = tables.get(&table.name) {
            return Some(exact.clone());
        }
        let mut alike = tables.values().filter(|other| other.name.folded() == table.name.folded());
        // A guess among several is worse than a question.
        alike.next().filter(|_| alike.next().is_none()).cloned()
    }

    fn table(&mut self, source: &Table, target: &Table, stated: Option<&Copied>) {
        let at = stated.map_or_else(At::default, |one| one.at.clone());
        if let Some(why) = &source.unreadable {
            let problem = Problem::new(&place(&at), format!("the rows of `{}` cannot be read: {why}", source.name));
            self.problems.add(problem.expected("a [[copy]] that says why they are `dropped`"));
        }
        self.fed.insert(target.name.clone());
        let mut columns = Columns {
            resolving: self,
            source,
            target,
            at,
            columns: Vec::new(),
            objects: Vec::new(),
            filled: BTreeMap::new(),
        };
        columns.of_source(stated);
        let constants = stated.map(|one| columns.of_target(one)).unwrap_or_default();
        columns.unfed();
        let parents = if stated.is_some_and(|one| one.rejects_orphans) { columns.parents() } else { Vec::new() };
        let Columns { columns, objects, .. } = columns;
        self.tables.push(TablePlan {
            source: source.clone(),
            target: target.clone(),
            filter: stated.and_then(|one| one.filter.clone()),
            columns,
            objects,
            constants,
            keeps: stated.filter(|one| one.keeps_rejects).map(|_| source.row_key().unwrap_or_default().to_vec()),
            parents,
        });
    }

    /// Columns that have no place in any part of their table.
    fn leftovers(&mut self) {
        for (name, placed) in std::mem::take(&mut self.placed) {
            let at = self.copying.tables.iter().find(|one| one.source == name.to_string());
            let at = at.map_or_else(At::default, |one| one.at.clone());
            let targets: Vec<&TablePlan> = self.tables.iter().filter(|table| table.source.name == name).collect();
            for column in &self.given.catalogues.source.tables[&name].columns {
                if placed.contains(&column.name) {
                    continue;
                }
                let known: Vec<&str> =
                    targets.iter().flat_map(|table| &table.target.columns).map(|column| column.name.as_str()).collect();
                let message = format!("column `{}` of `{name}` is neither mapped nor dropped", column.name);
                let mut problem = Problem::new(&place(&at), message).expected(format!(
                    "`columns.{}` with a `target`, or with the reason why it is `dropped`",
                    column.name
                ));
                problem.nearest = nearest(&column.name, known);
                self.problems.add(problem);
            }
        }
    }
}

/// The columns of one pair of tables.
struct Columns<'a, 'r> {
    resolving: &'a mut Resolving<'r>,
    source: &'a Table,
    target: &'a Table,
    at: At,
    columns: Vec<ColumnPlan>,
    objects: Vec<ObjectPlan>,
    /// What gives each column of the target its value.
    filled: BTreeMap<String, String>,
}

impl Columns<'_, '_> {
    fn of_source(&mut self, stated: Option<&Copied>) {
        let none = BTreeMap::new();
        let of_columns = stated.map_or(&none, |one| &one.columns);
        let mut placed = BTreeSet::new();
        for column in &self.source.columns {
            let one = of_columns.get(&column.name);
            if one.is_some_and(|one| one.dropped.is_some()) {
                placed.insert(column.name.clone());
            } else if let Some(other) = self.counterpart(&column.name, one) {
                // An object that has a column's name need not have its value.
                if one.and_then(object).is_none() {
                    placed.insert(column.name.clone());
                }
                self.column(&column.name, Some(column), &other, one);
            }
        }
        for (name, one) in of_columns.iter().filter(|(name, _)| self.source.column(name).is_none()) {
            if one.expressions.source.is_none() || one.lookup.is_some() {
                let known = self.source.columns.iter().map(|column| column.name.as_str());
                self.resolving.unknown(&one.at, &format!("source column of `{}`", self.source.name), name, known);
            } else if let Some(other) = self.counterpart(name, Some(one)) {
                self.column(name, None, &other, Some(one));
            }
        }
        let members = of_columns.values().filter_map(object).flat_map(|object| &object.members);
        placed.extend(members.map(|member| member.column.clone()));
        self.resolving.placed.entry(self.source.name.clone()).or_default().extend(placed);
    }

    fn counterpart(&mut self, name: &str, one: Option<&StatedColumn>) -> Option<Column> {
        if let Some((target, one)) = one.and_then(|one| one.target.as_ref().zip(Some(one))) {
            return self.column_named(target, &one.at);
        }
        if let Some(exact) = self.target.column(name) {
            return Some(exact.clone());
        }
        let mut alike = self.target.columns.iter().filter(|other| fold(&other.name) == fold(name));
        alike.next().filter(|_| alike.next().is_none()).cloned()
    }

    fn column_named(&mut self, name: &str, at: &At) -> Option<Column> {
        let found = self.target.column(name).cloned();
        if found.is_none() {
            let known = self.target.columns.iter().map(|column| column.name.as_str());
            self.resolving.unknown(at, &format!("target column of `{}`", self.target.name), name, known);
        }
        found
    }

    /// Notes what gives a column its value; a second one is a problem.
    fn fill(&mut self, column: &Column, by: String, at: &At) {
        if let Some(other) = self.filled.insert(column.name.clone(), by.clone()) {
            let message = format!("`{}.{}` gets its value from {other} and from {by}", self.target.name, column.name);
            let at = if at.line > 0 { at } else { &self.at };
            let problem = Problem::new(&place(at), message);
            self.resolving
                .problems
                .add(problem.expected("one of them, and another target or a reason (`dropped`) for the other"));
        }
    }

    fn column(&mut self, name: &str, column: Option<&Column>, other: &Column, one: Option<&StatedColumn>) {
        let at = one.map_or_else(At::default, |one| one.at.clone());
        self.fill(other, format!("`{name}`"), &at);
        if other.generation.is_computed() {
            // The target computes it, and the comparison tells whether it comes to the same.
            return;
        }
        let rule = one.and_then(|one| one.rule.as_deref()).and_then(Rule::named);
        if let Some((object, one)) = one.and_then(|one| object(one).zip(Some(one))) {
            self.object(name, object, one, other);
            return;
        }
        let (mut sql, mut values, mut derived) = (None, None, None);
        match one.and_then(|one| one.expressions.source.as_ref()) {
            Some(Expression::Sql(text)) => sql = Some(text.clone()),
            Some(Expression::Values(map)) => values = Some(map.into()),
            Some(Expression::Derived(derivation)) => {
                derived = Some(space(derivation));
                sql.clone_from(&derivation.sql);
            }
            Some(Expression::Constant(_) | Expression::Object(_)) | None => {}
        }
        let lookup = column.zip(one).and_then(|(column, one)| self.lookup(column, one));
        let is_plain = sql.is_none() && values.is_none() && derived.is_none() && lookup.is_none();
        let alike = column.filter(|_| is_plain && self.resolving.given.same_engine);
        self.columns.push(ColumnPlan {
            source: name.to_owned(),
            target: other.name.clone(),
            sql,
            lookup,
            values,
            is_required: !other.nullable || other.generation.is_counter(),
            space: derived,
            making: Making::new(other, alike, rule, self.resolving.given.is_bound),
        });
    }

    fn object(&mut self, name: &str, object: &Object, one: &StatedColumn, other: &Column) {
        for member in &object.members {
            let Some(column) = self.source.column(&member.column) else {
                let known = self.source.columns.iter().map(|column| column.name.as_str());
                let what = format!("source column of `{}`", self.source.name);
                self.resolving.unknown(&member.at, &what, &member.column, known);
                continue;
            };
            if !Object::takes(&column.kind) {
                let message = format!("`{}` is {}, of which JSON has no form", column.name, column.declared);
                let problem = Problem::new(&place(&member.at), message);
                self.resolving.problems.add(problem.expected("a column of texts, numbers, truth values or moments"));
            }
        }
        let rule = one.rule.as_deref().and_then(Rule::named);
        let making = Making::new(other, None, rule, self.resolving.given.is_bound);
        self.objects.push(ObjectPlan::of(name, object, self.source, other, making));
    }

    /// The table that has the value in the place of a column's.
    fn lookup(&mut self, column: &Column, one: &StatedColumn) -> Option<Lookup> {
        let lookup = one.lookup.as_ref()?;
        let table = self.resolving.table_named(Side::Source, &lookup.table, &lookup.at)?;
        for name in [&lookup.key, &lookup.value].into_iter().filter(|name| table.column(name).is_none()) {
            let known = table.columns.iter().map(|column| column.name.as_str());
            self.resolving.unknown(&lookup.at, &format!("source column of `{}`", table.name), name, known);
        }
        Some(Lookup::unread(Found::of(lookup, &table, column), lookup.at.clone()))
    }

    /// Constants, and columns that are left alone.
    fn of_target(&mut self, stated: &Copied) -> Vec<(String, crate::model::Value)> {
        let mut constants = Vec::new();
        for (name, constant) in &stated.constants {
            let Some(column) = self.column_named(name, &constant.at) else { continue };
            self.fill(&column, "a constant".to_owned(), &constant.at);
            let making = Making::new(&column, None, None, self.resolving.given.is_bound);
            match making.value(&Cell::Text(constant.text.as_bytes())) {
                Ok(value) => constants.push((column.name, value)),
                Err(what) => {
                    let problem = Problem::new(&place(&constant.at), format!("the constant {what}"));
                    self.resolving.problems.add(problem.expected(format!("a value of `{}`", column.declared)));
                }
            }
        }
        for (name, why) in &stated.defaults {
            if let Some(column) = self.column_named(name, &why.at) {
                self.fill(&column, "its default".to_owned(), &why.at);
            }
        }
        constants
    }

    /// The parents that every row has to have.
    fn parents(&mut self) -> Vec<Parent> {
        let (parents, problems) = parents::of_references(self.target, &self.columns);
        for (message, expected) in problems {
            self.resolving.problems.add(Problem::new(&place(&self.at), message).expected(expected));
        }
        parents
    }

    /// Columns of the target that would get NULL and must not.
    fn unfed(&mut self) {
        for column in &self.target.columns {
            let needs_one = !column.nullable && column.default.is_none() && column.generation == Generation::None;
            if needs_one && !self.filled.contains_key(&column.name) {
                let message = format!("`{}.{}` has to have a value and gets none", self.target.name, column.name);
                let mut problem = Problem::new(&place(&self.at), message)
                    .expected("a column with this `target`, or a constant for it");
                let known = self.source.columns.iter().map(|column| column.name.as_str());
                problem.nearest = nearest(&column.name, known);
                self.resolving.problems.add(problem);
            }
        }
    }
}
