//! Rows for a schema that is there.
//!
//! A dataset plans all rows of all tables before there are any. Here tables already hold rows that others made (migrations
//! that insert, triggers, earlier fills), and whatever is there counts: only tables with fewer rows than wanted are topped
//! up (or with a column that says nothing), and references take the keys that their parents hold.
//!
//! What a row has to keep (CHECK constraints, triggers, exclusion constraints) is guessed as far as it can be read; beyond
//! that the server decides. A refused batch is tried row by row, each row with other values until one is taken or the
//! tries are used up, and then the table is named with the server's reason.
//!
//! The rows are a function of the seed, the table's name and how many rows it held, as long as its parents hold the same.

mod attempt;
mod known;
mod parents;
mod recipe;
mod row;
mod variety;

use std::collections::{BTreeMap, BTreeSet};

use super::bind::order;
use crate::{
    canon::Seed,
    engine::{Dialect, EngineError, Session},
    model::{
        Catalogue, TableName,
        catalogue::{Action, ForeignKey, Reference, Table},
        chain, inferred,
    },
};

use recipe::Recipe;

/// Tables that are counted by one statement.
const COUNTED_AT_ONCE: usize = 100;

/// What a fill did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Rows that were loaded, by table; what triggers put elsewhere on the way is not among them.
    pub loaded: BTreeMap<TableName, u64>,
    /// Tables that hold fewer rows than wanted, in the order of their names.
    pub unfilled: Vec<Unfilled>,
}

/// A table that did not get all of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled {
    /// The table.
    pub table: TableName,
    /// The rows that it holds.
    pub rows: u64,
    /// Why there are no more: the server's reason without the values of rows, or ours.
    pub reason: String,
}

/// Tops up every table of the catalogue, but for those to skip, to so many rows, and a few more where a column would hold
/// nothing but NULL or its default.
///
/// The session has no transaction open; each table is filled in one of its own.
///
/// # Errors
/// If the server is lost, or has no room left. What a table refuses is no error, but told in [`Filled::unfilled`].
pub async fn fill(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    catalogue: &Catalogue,
    skip: &BTreeSet<TableName>,
    seed: Seed,
    rows_per_table: u64,
) -> Result<Filled, EngineError> {
    let tables: Vec<&Table> = in_order(catalogue).into_iter().filter(|table| !skip.contains(&table.name)).collect();
    let seed = seed.child("live");
    let mut filled = Filled::default();
    let mut waiting = short(session, dialect, &tables, rows_per_table, &mut filled).await?;
    let mut unfilled = BTreeMap::new();
    // A table may wait for one behind it: of a cycle, or one that only a trigger asks for. So as long as some get rows, the
    // others are tried again.
    while !waiting.is_empty() {
        let mut left = Vec::new();
        let mut progress = false;
        for table in waiting {
            let mut recipe = Recipe::new(catalogue, dialect, table, seed.child(&table.name.to_string()));
            let topped_up = attempt::top_up(session, dialect, &mut recipe, rows_per_table).await?;
            if topped_up.loaded > 0 {
                progress = true;
                *filled.loaded.entry(table.name.clone()).or_default() += topped_up.loaded;
            }
            match topped_up.refused {
                Some(reason) => {
                    let rows = topped_up.rows;
                    unfilled.insert(&table.name, Unfilled { table: table.name.clone(), rows, reason });
                    left.push(table);
                }
                None => drop(unfilled.remove(&table.name)),
            }
        }
        waiting = if progress { left } else { Vec::new() };
    }
    let full = tables.iter().copied().filter(|table| {
        let is_refused = filled.unfilled.iter().any(|refused| refused.table == table.name);
        !is_refused && !unfilled.contains_key(&table.name)
    });
    let mut recipes: Vec<Recipe<'_>> =
        full.map(|table| Recipe::new(catalogue, dialect, table, seed.child(&table.name.to_string()))).collect();
    for (table, rows) in variety::vary(session, dialect, &mut recipes, rows_per_table).await? {
        *filled.loaded.entry(table).or_default() += rows;
    }
    filled.unfilled.extend(unfilled.into_values());
    filled.unfilled.sort_by(|one, other| one.table.cmp(&other.table));
    Ok(filled)
}

/// Tables with parents before children, also where a reference is only likely.
fn in_order(catalogue: &Catalogue) -> Vec<&Table> {
    let mut tables = catalogue.tables.clone();
    for table in tables.values_mut() {
        let likely = table.columns.iter().filter_map(|column| inferred::likely(catalogue, table, column));
        let likely: Vec<ForeignKey> = likely.map(undeclared).collect();
        table.foreign_keys.extend(likely);
    }
    let related = Catalogue { tables, ..Catalogue::default() };
    order(&related, &[]).into_iter().filter_map(|table| catalogue.tables.get(&table.name)).collect()
}

/// A reference as a foreign key that nothing declares.
fn undeclared(reference: Reference) -> ForeignKey {
    let Reference { columns, parent, parent_columns, match_full, .. } = reference;
    let (on_update, on_delete) = (Action::NoAction, Action::NoAction);
    let (name, deferrable, validated) = (None, None, false);
    ForeignKey { name, columns, parent, parent_columns, on_update, on_delete, match_full, deferrable, validated }
}

/// The tables with fewer rows than wanted. Those whose rows nobody can load are named at once.
async fn short<'t>(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    tables: &[&'t Table],
    wanted: u64,
    filled: &mut Filled,
) -> Result<Vec<&'t Table>, EngineError> {
    let mut short = Vec::new();
    let (readable, unreadable): (Vec<&Table>, Vec<&Table>) =
        tables.iter().partition(|table| table.unreadable.is_none());
    filled.unfilled.extend(unreadable.into_iter().filter_map(|table| {
        let reason = table.unreadable.clone()?;
        Some(Unfilled { table: table.name.clone(), rows: 0, reason })
    }));
    for chunk in readable.chunks(COUNTED_AT_ONCE) {
        match holding(session, dialect, chunk, wanted).await {
            Ok(counts) => {
                short.extend(chunk.iter().zip(counts).filter(|(_, held)| *held < wanted).map(|(table, _)| *table))
            }
            // One of them may be locked, or not for this role to read.
            Err(error) if attempt::is_told(&error) => {
                for table in chunk {
                    match holding(session, dialect, std::slice::from_ref(table), wanted).await {
                        Ok(counts) => short.extend((counts != [wanted]).then_some(*table)),
                        Err(error) if attempt::is_told(&error) => {
                            let (table, reason) = (table.name.clone(), chain(&error));
                            filled.unfilled.push(Unfilled { table, rows: 0, reason });
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(short)
}

/// How many rows each of these tables holds, up to a bound.
async fn holding(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    tables: &[&Table],
    at_most: u64,
) -> Result<Vec<u64>, EngineError> {
    let counts: Vec<String> = tables.iter().map(|table| format!("({})", count(dialect, table, at_most))).collect();
    let rows = session.query(&format!("SELECT {}", counts.join(", "))).await?;
    Ok(rows.into_iter().flatten().map(|count| count.and_then(|count| count.parse().ok()).unwrap_or(0)).collect())
}

/// The query that counts a table's rows up to a bound.
fn count(dialect: &dyn Dialect, table: &Table, at_most: u64) -> String {
    format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {at_most}) AS held", dialect.table(&table.name))
}
