//! Comparison is data: which rowsets are compared, by which key, and per column under which rule.
//!
//! Where tables and columns match by their folded names, the comparison is derived; a scenario states the rest. Whatever
//! has no counterpart or no rule is named, never left out in silence.

mod columns;
pub mod copied;
mod made;
mod narrow;
mod pair;
mod references;
pub mod stated;

use std::{collections::BTreeMap, fmt};

use super::rule::Rule;
use crate::model::{
    Catalogue, LogicalType, Side, Sides, TableName, Unchecked,
    catalogue::{Column, Reference},
};

pub use copied::{Constant, Copied, Copying, DroppedTable, REJECTS};
pub use made::{By, Found, Lookup, Member, Object};
pub use stated::{
    At, Condition, Derivation, Expression, Ignored, Mapping, Others, Reason, ReferenceEnd, Selection, Stated,
    StatedColumn, StatedReference, Terms, ValueMap,
};

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
    /// How the rows of each side are read.
    pub terms: Sides<Terms>,
    /// It follows from what a copy does.
    pub is_copied: bool,
    /// The target's table of the rows that the copy rejected.
    pub rejects: Option<String>,
    /// Where it is stated, if it is.
    pub at: At,
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
    /// Pairs of which the rows alone are compared: queries, and further parts of a table that is split or merged.
    pub rows_only: Vec<Comparison>,
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
    pub problems: Vec<Unmet>,
    /// Both catalogues without the tables that were not asked for or are ignored.
    pub catalogues: Sides<Catalogue>,
    /// What was left out on purpose.
    pub left_out: Vec<Unchecked>,
    /// The source's columns in tables that were left out.
    pub columns_left_out: u64,
    /// Columns that are left out: the reason, and whether it still holds.
    pub ignored: BTreeMap<(Side, TableName, String), (String, bool)>,
    /// References that are stated in the names of one side, and why they are there.
    pub references: Sides<Vec<(Reference, String)>>,
    /// Why something need not be checked, by its subject.
    pub waivers: BTreeMap<String, String>,
}

/// A statement that names something that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Where it is stated.
    pub at: At,
    /// What should be there: `source table`.
    pub what: String,
    /// What it is called.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} names {} `{}`, which does not exist", self.at, self.what, self.name)
    }
}

impl Derived {
    /// Every pair whose rows are compared; a pair's place here is its position.
    pub fn all(&self) -> impl Iterator<Item = &Comparison> {
        self.comparisons.iter().chain(&self.rows_only)
    }

    /// Whether a column of the source need not have a counterpart in one comparison: it is ignored, or another comparison of
    /// the same table has it.
    pub fn is_accounted_for(&self, table: &TableName, column: &str) -> bool {
        let key = (Side::Source, table.clone(), column.to_owned());
        let has = |one: &Comparison| {
            let is_paired = one.columns.iter().any(|pair| pair.source.name == column);
            one.source == *table && (is_paired || one.terms.source.assembles(column))
        };
        self.ignored.contains_key(&key) || self.all().any(has)
    }
}

/// Derives the comparisons of two catalogues. `same_engine` tells whether both are of one engine: only there is the own
/// form of a type without a rule comparable.
pub fn derive(source: &Catalogue, target: &Catalogue, stated: &[Stated], same_engine: bool) -> Derived {
    derive_by(source, target, &Mapping::from(stated), same_engine)
}

/// The same by a mapping.
pub fn derive_by(source: &Catalogue, target: &Catalogue, mapping: &Mapping, same_engine: bool) -> Derived {
    let mut derived = Derived { same_engine, ..Derived::default() };
    let catalogues = narrow::narrow(&Sides::new(source, target), mapping, &mut derived);
    pair::pair_all(&catalogues, source, mapping, &mut derived);
    references::resolve_all(&catalogues, mapping, &mut derived);
    derived.catalogues = catalogues;
    derived
}

impl Comparison {
    /// What one side's rows are called.
    pub const fn table(&self, side: Side) -> &TableName {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

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
