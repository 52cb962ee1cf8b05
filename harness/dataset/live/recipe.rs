//! What the rows of one table are made of.

use std::collections::BTreeSet;

use super::{known, parents};
use crate::{
    canon::Seed,
    dataset::{
        NULL_FRACTION,
        constraint::{self, Known, Pattern, mentioned},
        fakes::{Gives, Options},
        fit::Fit,
        generator::Generator,
        guess::guess,
        plan::Share,
    },
    engine::{Dialect, EngineError, Session},
    model::{
        Catalogue, LogicalType, TableName, Value,
        catalogue::{Column, ForeignKey, Table},
        inferred,
    },
};

/// What the rows of one table are made of.
pub(super) struct Recipe<'c> {
    pub table: &'c Table,
    pub dialect: &'c dyn Dialect,
    pub seed: Seed,
    /// Columns that rows can give.
    pub slots: Vec<Slot<'c>>,
    /// References, those of many columns first.
    pub references: Vec<Reference>,
    /// For each unique key that nothing else keeps apart, what can be combined to do so.
    pub combinations: Vec<Vec<Member>>,
}

/// A column that rows can give.
pub(super) struct Slot<'c> {
    pub column: &'c Column,
    pub how: How,
    pub nullable: bool,
    /// Whether every row should have a value of its own.
    pub apart: bool,
    /// What its CHECK constraints say.
    pub known: Known,
    pub seed: Seed,
    pub nulls: Share,
}

/// Where a column's values come from.
pub(super) enum How {
    /// A generator guessed as for a dataset.
    Made(Generator, Fit),
    /// A text that a constraint's pattern lets pass.
    Patterned(Pattern, Fit),
    /// The engine's own word for a value of its type.
    Spelled,
    /// The database itself: it counts or has a default.
    Left,
    /// Nobody knows a value.
    Unknown,
}

/// A foreign key.
pub(super) struct Reference {
    pub slots: Vec<usize>,
    pub parent: TableName,
    pub parent_columns: Vec<String>,
    pub match_full: bool,
    /// Nothing declares it; what it is called only makes it likely.
    pub likely: bool,
    /// Keys that the parent holds.
    pub keys: Vec<Vec<Value>>,
    pub seed: Seed,
    pub nulls: Share,
}

/// A part of a unique key that has a known number of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Slot(usize),
    Reference(usize),
}

impl<'c> Recipe<'c> {
    /// The recipe of a table, without its parents' keys.
    pub fn new(catalogue: &'c Catalogue, dialect: &'c dyn Dialect, table: &'c Table, seed: Seed) -> Self {
        let known = known::of(catalogue, table);
        let unique = unique_columns(table);
        let primary: &[String] = table.primary_key.as_ref().map_or(&[], |key| &key.columns);
        let slots = table.columns.iter().filter(|column| !column.generation.is_computed()).map(|column| {
            let is_key = primary == std::slice::from_ref(&column.name);
            let known = known.get(&column.name).cloned().unwrap_or_default();
            let (apart, seed) = (unique.contains(column.name.as_str()), seed.child(&column.name));
            Slot {
                how: how(dialect, column, &known, is_key, apart),
                nullable: column.nullable && !primary.contains(&column.name),
                apart,
                nulls: Share::new(seed.child("null"), null_fraction(column)),
                known,
                column,
                seed,
            }
        });
        let slots = slots.collect();
        let mut recipe = Self { table, dialect, seed, slots, references: Vec::new(), combinations: Vec::new() };
        recipe.references = table.foreign_keys.iter().filter_map(|key| recipe.reference(catalogue, key)).collect();
        recipe.references.sort_by_key(|reference| std::cmp::Reverse(reference.slots.len()));
        let likely: Vec<Reference> =
            (0..recipe.slots.len()).filter_map(|slot| recipe.likely(catalogue, slot)).collect();
        recipe.references.extend(likely);
        recipe.give_at_least_one();
        recipe
    }

    /// The reference that a column most likely is, where nothing declares one. Histories declare many of them later, and
    /// then the rows that are there have to keep them.
    fn likely(&self, catalogue: &Catalogue, at: usize) -> Option<Reference> {
        let Slot { column, known, how, seed, .. } = &self.slots[at];
        let is_declared = self.references.iter().any(|reference| reference.slots.contains(&at));
        if is_declared || known.constrained || !matches!(how, How::Made(..)) {
            return None;
        }
        let reference = inferred::likely(catalogue, self.table, column)?;
        Some(Reference {
            slots: vec![at],
            parent: reference.parent,
            parent_columns: reference.parent_columns,
            match_full: false,
            likely: true,
            keys: Vec::new(),
            nulls: Share::new(seed.child("null"), null_fraction(column)),
            seed: seed.child("likely"),
        })
    }

    fn reference(&self, catalogue: &Catalogue, key: &ForeignKey) -> Option<Reference> {
        let slots: Option<Vec<usize>> = key.columns.iter().map(|name| self.slot(name)).collect();
        let primary = || catalogue.tables.get(&key.parent)?.primary_key.as_ref().map(|key| key.columns.clone());
        let parent_columns = if key.parent_columns.is_empty() { primary()? } else { key.parent_columns.clone() };
        let seed = self.seed.child(&format!("reference:{}", key.columns.join(",")));
        Some(Reference {
            slots: slots.filter(|slots| slots.len() == parent_columns.len())?,
            parent: key.parent.clone(),
            parent_columns,
            match_full: key.match_full,
            likely: false,
            keys: Vec::new(),
            nulls: Share::new(seed.child("null"), NULL_FRACTION),
            seed,
        })
    }

    /// A row has to give something: of a table whose columns are all left to the database, the first.
    fn give_at_least_one(&mut self) {
        let is_left = |slot: &Slot<'_>| matches!(slot.how, How::Left);
        if self.slots.iter().all(is_left)
            && self.references.is_empty()
            && let Some(first) = self.slots.first_mut()
        {
            let kind = &first.column.kind;
            first.how = match (kind, Fit::of(Gives::Integer, kind, None, None)) {
                (LogicalType::Integer { .. } | LogicalType::Decimal { .. }, Some(fit)) => {
                    How::Made(Generator::Sequence { start: 1, step: 1 }, fit)
                }
                _ => How::Spelled,
            };
        }
    }

    /// Reads the keys that the parents hold now, and settles how unique keys are kept apart with them.
    pub async fn look_up(&mut self, session: &mut dyn Session) -> Result<(), EngineError> {
        for reference in &mut self.references {
            reference.keys = parents::keys(session, &reference.parent, &reference.parent_columns).await?;
        }
        self.combinations = self.combine();
        Ok(())
    }

    /// The slot of a column.
    pub fn slot(&self, column: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.column.name == column)
    }

    /// Why no row can be made at all, where that is known beforehand.
    pub fn impossible(&self) -> Option<String> {
        if self.slots.is_empty() {
            return Some("has no column that rows can give".to_owned());
        }
        let referring: BTreeSet<usize> =
            self.references.iter().flat_map(|reference| reference.slots.iter().copied()).collect();
        let unknown = |(at, slot): &(usize, &Slot<'_>)| matches!(slot.how, How::Unknown) && !referring.contains(at);
        let (_, slot) = self.slots.iter().enumerate().find(unknown)?;
        let column = slot.column;
        Some(format!("no value can be made up for `{}`, which is {}", column.name, column.declared))
    }

    /// How many values a member of a combination has.
    pub fn range(&self, member: Member) -> u64 {
        match member {
            Member::Reference(at) => self.references[at].keys.len() as u64,
            Member::Slot(at) => match &self.slots[at].how {
                How::Made(generator, _) => generator.capacity().unwrap_or(0),
                _ => 0,
            },
        }
    }

    /// For each unique key all of whose columns repeat, the members that can be combined. A member belongs to the first key
    /// that takes it, narrow keys first.
    fn combine(&self) -> Vec<Vec<Member>> {
        let mut taken: Vec<Member> = Vec::new();
        let mut combinations = Vec::new();
        for columns in unique_keys(self.table) {
            let slots: Vec<usize> = columns.iter().filter_map(|name| self.slot(name)).collect();
            let referring = |slot: usize| self.references.iter().position(|reference| reference.slots.contains(&slot));
            let is_safe = |slot: &usize| referring(*slot).is_none() && self.never_repeats(*slot);
            if slots.iter().any(is_safe) {
                continue;
            }
            let mut members = Vec::new();
            for slot in slots {
                let member = referring(slot).map_or(Member::Slot(slot), Member::Reference);
                if !taken.contains(&member) && !members.contains(&member) && self.range(member) > 0 {
                    members.push(member);
                }
            }
            taken.extend(&members);
            combinations.push(members);
        }
        combinations
    }

    /// Whether a column has a value of its own for any number of rows.
    fn never_repeats(&self, slot: usize) -> bool {
        match &self.slots[slot].how {
            How::Made(generator, fit) => generator.capacity().is_none() && fit.keeps_apart(generator.gives()),
            How::Left => self.slots[slot].column.generation.is_counter(),
            How::Spelled | How::Patterned(..) => true,
            How::Unknown => false,
        }
    }
}

/// How a column's values are made.
fn how(dialect: &dyn Dialect, column: &Column, known: &Known, is_key: bool, apart: bool) -> How {
    let draws = |default: &str| default.to_ascii_lowercase().contains("nextval(");
    if column.generation.is_counter() || column.default.as_deref().is_some_and(draws) {
        return How::Left;
    }
    let known = &Known { json: known.json || holds_json(column), ..known.clone() };
    // A word that the schema itself gives is the only one that is known to be right, also once it becomes an enumeration.
    let is_word = matches!(column.kind, LogicalType::Text { .. });
    if is_word && !apart && column.default.as_deref().is_some_and(constraint::is_word) {
        return How::Left;
    }
    let fit = |gives| Fit::of(gives, &column.kind, None, known.max_length);
    if let (Some(pattern), Some(fit)) = (&known.pattern, fit(Gives::Text)) {
        return How::Patterned(pattern.clone(), fit);
    }
    let generator = guess(column, known, is_key).map(|generator| within_type(generator, dialect, column));
    let made = generator.and_then(|generator| {
        let form = match &generator {
            Generator::Fake(_, options) => options.form,
            _ => None,
        };
        let fit = Fit::of(generator.gives(), &column.kind, form, known.max_length)?;
        Some(How::Made(generator, fit))
    });
    match made {
        Some(made) => made,
        None if dialect.specimen(column, 0).is_some() => How::Spelled,
        None if column.default.is_some() => How::Left,
        None => How::Unknown,
    }
}

/// Whether a column of text most likely holds JSON: the names under which programs keep what has no column of its own.
fn holds_json(column: &Column) -> bool {
    const NAMES: &[&str] = &["data", "payload", "attributes", "properties", "metadata", "extra"];
    let name = column.name.to_lowercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    column.kind == LogicalType::Text { limit: None } && NAMES.contains(&last)
}

/// The share of NULL in a column that may hold it: none where it has a default, or is the moment of the row's creation,
/// which programs always give.
fn null_fraction(column: &Column) -> f64 {
    let is_given = column.default.is_some() || column.name.to_lowercase().contains("created");
    if is_given { 0.0 } else { NULL_FRACTION }
}

/// Keeps whole numbers within what the type holds, whatever a constraint allows, and bytes within the declared length.
fn within_type(generator: Generator, dialect: &dyn Dialect, column: &Column) -> Generator {
    match (generator, &column.kind) {
        (Generator::Fake(fake, options), LogicalType::Integer { bits }) if fake.gives == Gives::Integer => {
            let most = i64::MAX >> (64 - (*bits).clamp(8, 64));
            let (least, most) = dialect.bounds(column).unwrap_or((-most, most));
            let (from, to) = (options.from.clamp(least, most), options.to.clamp(least, most));
            Generator::Fake(fake, Options { from, to, ..options })
        }
        (Generator::Fake(fake, options), LogicalType::Bytes) if fake.gives == Gives::Bytes => {
            let declared = column.declared.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            let most = declared.and_then(|(length, _)| length.trim().parse().ok()).unwrap_or(options.length);
            Generator::Fake(fake, Options { length: options.length.min(most), ..options })
        }
        (generator, _) => generator,
    }
}

/// Every set of columns that must not repeat, narrow ones first; of an expression, the columns that it mentions.
fn unique_keys(table: &Table) -> Vec<Vec<&str>> {
    let keys = table.unique_keys().map(|key| key.columns.iter().map(String::as_str).collect());
    let mut keys: Vec<Vec<&str>> = keys.collect();
    for index in table.indexes.iter().filter(|index| index.unique) {
        let mut columns: Vec<&str> = index.parts.iter().filter_map(|part| part.column.as_deref()).collect();
        let expressions = index.parts.iter().filter_map(|part| part.expression.as_deref());
        columns.extend(expressions.flat_map(|expression| mentioned(table, expression)));
        keys.push(columns);
    }
    keys.retain(|columns| !columns.is_empty());
    keys.sort_by_key(Vec::len);
    keys
}

fn unique_columns(table: &Table) -> BTreeSet<&str> {
    unique_keys(table).into_iter().flatten().collect()
}
