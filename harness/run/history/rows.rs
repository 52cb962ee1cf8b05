//! Fills the tables of the live schema, so that a migration meets rows from before it.

use std::collections::BTreeSet;

use crate::{
    canon::Seed,
    dataset::{Dataset, Volume},
    engine::{Dialect, EngineError, Session},
    model::{Catalogue, TableName},
};

/// What a fill did.
#[derive(Clone, Debug, Default)]
pub(super) struct Filled {
    /// How many rows were loaded.
    pub loaded: u64,
    /// Tables that hold fewer rows than wanted: the table, the rows that it holds, and why.
    pub unfilled: Vec<(TableName, u64, String)>,
}

/// Tops up every table, but for those to skip, to so many rows.
pub(super) async fn fill(
    session: &mut dyn Session,
    _dialect: &dyn Dialect,
    catalogue: &Catalogue,
    skip: &BTreeSet<TableName>,
    seed: Seed,
    rows_per_table: u64,
) -> Result<Filled, EngineError> {
    // SEAM: replaced by dataset::live::fill.
    let mut filled = Filled::default();
    let _ = rows_per_table;
    let volume = Volume { scale: 1.0, rows: None };
    let mut narrowed = catalogue.clone();
    narrowed.tables.retain(|name, _| !skip.contains(name));
    match Dataset::derived(&narrowed).bind(catalogue, &volume, seed) {
        Ok(plans) => {
            for plan in plans {
                let mut rows = plan.source();
                match session.load(&plan.table, &plan.columns, &mut rows).await {
                    Ok(loaded) => filled.loaded += loaded,
                    Err(error) => {
                        filled.unfilled.push((plan.table.name.clone(), 0, crate::model::chain(&error)));
                    }
                }
            }
        }
        Err(problems) => {
            for name in narrowed.tables.keys() {
                filled.unfilled.push((name.clone(), 0, problems.to_string()));
            }
        }
    }
    Ok(filled)
}
