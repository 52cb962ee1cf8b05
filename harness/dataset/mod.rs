//! Floor 3: synthetic rows to start from.
//!
//! Every value is a pure function of the root seed, its table and column by name, and the row's position. So rows cost no
//! memory, a parent's key is made again wherever a child needs it, and the same root seed gives the same rows with every
//! build (`fake` and `rand` are pinned). A table's values do not depend on any other table, except that a reference
//! depends on how many rows the parent has.
//!
//! # The dataset file
//!
//! ```toml
//! format_version = 1
//! null_fraction = 0.1       # of nullable columns, unless said otherwise; 0.1 if left out
//! edge_fraction = 0.05      # of columns that take edge values; 0.05 if left out
//!
//! [table.users]             # or [table."audit.log"]; a table that is not named stays empty
//! rows = 7                  # at scale 1; 0 if left out
//! weight = 1.0              # share of the rows that `--rows N` puts on top; 0 if left out
//! null_fraction = 0.2       # and edge_fraction: of this table's columns
//!
//! [table.users.columns]     # a column that is not named gets a generator by its type, name and CHECK constraints
//! email = { fake = "email" }
//! age = { fake = "integer", min = 18, max = 99 }
//! role = { one_of = ["admin", "viewer"], weights = [1, 9] }
//! manager_id = { reference = "users.id", distribution = "zipf" }      # or "uniform", the default
//! number = { sequence = 1000, step = 10 }
//! code = { pattern = "PFA-####-??" }       # # digit, ? letter, {n} row number, \ takes the next sign as it is
//! plan = { constant = "basic" }
//! settings = { json = '{"mail":{{email}},"limit":{{integer}}}' }      # {{name}} is a made-up value as JSON
//! notes = { null_fraction = 0.5, edges = true }
//! ```
//!
//! Each column has at most one of `fake`, `one_of`, `reference`, `sequence`, `pattern`, `constant`, `json`, and beside it
//! `null_fraction`, `unique` and `edges` (whether edge values may stand in; only columns that are not named have them
//! unasked). A fake's options are in its registry entry ([`fakes`]): `min` and `max` (integer), these and `scale`
//! (amount, real), `from`, `to` and `form` (datetime: `iso`, `iso_space`, `epoch_ms`, `epoch_s`; date: `iso`), `length`
//! (hex, base64, bytes, ciphertext), `ratio` (boolean).
//!
//! References come from the catalogue's foreign keys by themselves, uniques are unique by construction, and what cannot
//! be satisfied (more rows than a unique key has values) is told before anything is loaded.

mod bind;
mod constraint;
mod draw;
mod edge;
pub mod fakes;
mod fit;
mod form;
mod generator;
mod guess;
pub mod live;
mod moment;
mod plan;
#[cfg(test)]
mod tests;

use crate::{
    canon::Seed,
    document::{Located, Place, Problems},
    model::Catalogue,
};

pub use plan::{Rows, TablePlan};

/// Share of NULL in nullable columns where nothing else is said.
const NULL_FRACTION: f64 = 0.1;
/// Share of edge values where nothing else is said.
const EDGE_FRACTION: f64 = 0.05;
/// Rows of each table where there is no dataset file.
const DERIVED_ROWS: u64 = 20;

/// A dataset as its file states it.
#[derive(Clone, Debug)]
pub struct Dataset {
    file: String,
    null_fraction: f64,
    edge_fraction: f64,
    tables: Vec<form::TableForm>,
}

/// How many rows to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// Multiplies the rows of every table.
    pub scale: f64,
    /// Rows to put on top, distributed by the tables' weights.
    pub rows: Option<u64>,
}

impl Default for Volume {
    fn default() -> Self {
        Self { scale: 1.0, rows: None }
    }
}

impl Dataset {
    /// Reads a dataset file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        form::read(file, text)
    }

    /// A dataset for a catalogue without a file: some rows in every table, all generators guessed.
    pub fn derived(catalogue: &Catalogue) -> Self {
        let readable = catalogue.tables.values().filter(|table| table.unreadable.is_none());
        let tables = readable
            .map(|table| form::TableForm {
                name: Located { value: table.name.clone(), place: Place::unwritten(format!("table.{}", table.name)) },
                rows: DERIVED_ROWS,
                weight: 1.0,
                null_fraction: None,
                edge_fraction: None,
                columns: Vec::new(),
            })
            .collect();
        Self { file: String::new(), null_fraction: NULL_FRACTION, edge_fraction: EDGE_FRACTION, tables }
    }

    /// Binds the dataset to a catalogue: what is loaded into each table that gets rows, parents before children.
    ///
    /// A foreign key that points forward in a cycle of tables is NULL.
    ///
    /// # Errors
    /// Names that are not in the catalogue, generators that do not fit their column, and keys that cannot be satisfied,
    /// all at once.
    pub fn bind(&self, catalogue: &Catalogue, volume: &Volume, root: Seed) -> Result<Vec<TablePlan>, Problems> {
        bind::bind(self, catalogue, volume, root.child("dataset"))
    }
}

/// Rows of all tables together.
pub fn rows_total(plans: &[TablePlan]) -> u64 {
    plans.iter().map(|plan| plan.rows).sum()
}
