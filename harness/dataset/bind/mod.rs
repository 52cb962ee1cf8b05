//! Binds a dataset to a catalogue.
//!
//! Tables in dependency order; in each table first the columns that references fill, then the others, then whatever it
//! takes to keep unique keys unique.

mod columns;
mod references;
mod uniques;
mod volume;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Dataset, Volume,
    constraint::{self, Known},
    form::{ColumnForm, Source, TableForm},
    plan::{Group, Maker, RowMaker, TablePlan},
};
pub(super) use volume::order;

use crate::{
    canon::Seed,
    document::{Place, Problem, Problems},
    model::{
        Catalogue, TableName,
        catalogue::{Column, Table},
    },
};

/// The tables whose rows are bound already.
pub(super) type Bound<'c> = BTreeMap<&'c TableName, (&'c Table, Arc<RowMaker>)>;

/// Binds every table.
pub(super) fn bind(
    dataset: &Dataset,
    catalogue: &Catalogue,
    volume: &Volume,
    seed: Seed,
) -> Result<Vec<TablePlan>, Problems> {
    let mut problems = Problems::new(&dataset.file);
    for form in &dataset.tables {
        check_names(form, catalogue, &mut problems);
    }
    let rows = volume::rows(dataset, catalogue, volume, &mut problems);
    let mut bound = Bound::new();
    let mut plans = Vec::new();
    for table in volume::order(catalogue, &stated_references(dataset)) {
        let form = dataset.tables.iter().find(|form| form.name.value == table.name);
        let rows = rows.get(&table.name).copied().unwrap_or(0);
        let mut binding = Binding::new(dataset, table, form, rows, seed.child(&table.name.to_string()));
        // A table without rows is bound only to say what is wrong with its form.
        let problems_here = if rows == 0 && form.is_none() { &mut Problems::new("") } else { &mut problems };
        references::assign(&mut binding, catalogue, &bound, problems_here);
        columns::fill(&mut binding, problems_here);
        uniques::keep(&mut binding, &bound, problems_here);
        let maker = Arc::new(binding.finish());
        if rows > 0 {
            let columns = maker.names.clone();
            plans.push(TablePlan { table: table.clone(), columns, rows, maker: Arc::clone(&maker) });
        }
        bound.insert(&table.name, (table, maker));
    }
    problems.or(plans)
}

/// Which table refers to which, as the dataset states it.
fn stated_references(dataset: &Dataset) -> Vec<(&TableName, &TableName)> {
    let mut stated = Vec::new();
    for form in &dataset.tables {
        stated.extend(form.columns.iter().filter_map(|column| match &column.source {
            Some(Source::Reference(reference)) => Some((&form.name.value, &reference.table)),
            _ => None,
        }));
    }
    stated
}

fn check_names(form: &TableForm, catalogue: &Catalogue, problems: &mut Problems) {
    let Some(table) = catalogue.tables.get(&form.name.value) else {
        let known: Vec<String> = catalogue.tables.keys().map(ToString::to_string).collect();
        let written = form.name.value.to_string();
        problems.add(Problem::unknown(&form.name.place, "table", &written, known.iter().map(String::as_str)));
        return;
    };
    for column in &form.columns {
        match table.column(&column.name.value) {
            None => {
                let known = table.columns.iter().map(|column| column.name.as_str());
                problems.add(Problem::unknown(&column.name.place, "column", &column.name.value, known));
            }
            Some(known) if known.generation.is_computed() => {
                let message = format!("`{}` is computed by the database", known.name);
                problems.add(Problem::new(&column.name.place, message).expected("no values for it"));
            }
            Some(_) => {}
        }
    }
}

/// A table while it is bound.
pub(super) struct Binding<'c> {
    pub dataset: &'c Dataset,
    pub table: &'c Table,
    pub form: Option<&'c TableForm>,
    pub rows: u64,
    pub seed: Seed,
    pub slots: Vec<Slot<'c>>,
    pub groups: Vec<Group>,
    /// For each group the slots that it fills, in the order of its parts.
    pub group_slots: Vec<Vec<usize>>,
    pub known: BTreeMap<String, Known>,
    /// Columns of a primary or unique key.
    pub keyed: BTreeSet<&'c str>,
}

/// A column while its table is bound.
pub(super) struct Slot<'c> {
    pub column: &'c Column,
    pub form: Option<&'c ColumnForm>,
    pub maker: Option<Maker>,
}

impl<'c> Binding<'c> {
    fn new(dataset: &'c Dataset, table: &'c Table, form: Option<&'c TableForm>, rows: u64, seed: Seed) -> Self {
        let form_of =
            |column: &Column| form.and_then(|form| form.columns.iter().find(|named| named.name.value == column.name));
        let loaded = table.columns.iter().filter(|column| !column.generation.is_computed());
        Self {
            dataset,
            table,
            form,
            rows,
            seed,
            slots: loaded.map(|column| Slot { column, form: form_of(column), maker: None }).collect(),
            groups: Vec::new(),
            group_slots: Vec::new(),
            known: constraint::known(table),
            keyed: table.unique_keys().flat_map(|key| key.columns.iter().map(String::as_str)).collect(),
        }
    }

    /// The slot of a column.
    fn slot(&self, column: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.column.name == column)
    }

    /// Where the file speaks of the table.
    fn place(&self) -> Place {
        self.form.map_or_else(|| Place::unwritten(format!("table.{}", self.table.name)), |form| form.name.place.clone())
    }

    /// Where the file speaks of a column, or else of its table.
    fn column_place(&self, slot: usize) -> Place {
        self.slots[slot].form.map_or_else(|| self.place(), |form| form.name.place.clone())
    }

    /// Whether a column may hold NULL: SQLite's primary keys do not say NOT NULL, and are keys all the same.
    fn nullable(&self, slot: usize) -> bool {
        let column = self.slots[slot].column;
        let in_primary_key = self.table.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name));
        column.nullable && !in_primary_key
    }

    /// The share of NULL in a column.
    fn null_fraction(&self, slot: usize) -> f64 {
        if !self.nullable(slot) {
            return 0.0;
        }
        let of_column = self.slots[slot].form.and_then(|form| form.null_fraction);
        let of_table = self.form.and_then(|form| form.null_fraction);
        of_column.or(of_table).unwrap_or(self.dataset.null_fraction)
    }

    fn finish(self) -> RowMaker {
        let (mut names, mut columns) = (Vec::new(), Vec::new());
        let mut position = vec![usize::MAX; self.slots.len()];
        for (at, slot) in self.slots.into_iter().enumerate() {
            if let Some(maker) = slot.maker {
                position[at] = names.len();
                names.push(slot.column.name.clone());
                columns.push(maker);
            }
        }
        let mut groups = self.groups;
        for group in &mut groups {
            if matches!(group.parent, super::plan::Parent::Itself) {
                group.parts.iter_mut().for_each(|part| *part = position[*part]);
            }
        }
        RowMaker { table: self.table.name.clone(), names, columns, groups, rows: self.rows }
    }
}
