//! Makes the database ready for the next migration: rows in every table that takes some, and its state recorded.

use std::collections::BTreeSet;

use super::{play::Play, rows};
use crate::{
    canon::Seed,
    model::{Snapshot, TableName, Unchecked, catalogue::Table, chain},
};

/// A table that could not be filled, as it was then.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GivenUp {
    table: Table,
    rows: u64,
    why: String,
}

impl Play {
    /// Fills the tables that hold fewer rows than wanted, and records the state.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        let here = self.here.clone();
        let state = match self.state.take() {
            Some(state) => state,
            None => self.record(&here).await?,
        };
        let wanting = self.wanting(&state);
        if wanting.is_empty() {
            self.state = Some(state);
            return Ok(());
        }
        let skip: BTreeSet<TableName> =
            state.catalogue.tables.keys().filter(|name| !wanting.contains(*name)).cloned().collect();
        let options = &self.subject.options;
        let mut session = self.engine.connect(&here).await.map_err(|error| chain(&error))?;
        let seed = Seed::root(options.root_seed).child("history");
        let filled =
            rows::fill(&mut *session, self.engine.dialect(), &state.catalogue, &skip, seed, options.rows).await;
        let filled = filled.map_err(|error| format!("failed to fill the tables: {}", chain(&error)))?;
        session.close().await.map_err(|error| chain(&error))?;
        for (name, rows, why) in filled.unfilled {
            if let Some(table) = state.catalogue.tables.get(&name) {
                self.given_up.insert(name, GivenUp { table: table.clone(), rows, why });
            }
        }
        self.state = Some(if filled.loaded > 0 { self.record(&here).await? } else { state });
        Ok(())
    }

    /// The tables that hold fewer rows than wanted, and may take some.
    fn wanting(&self, state: &Snapshot) -> BTreeSet<TableName> {
        let wanted = self.subject.options.rows;
        let tables = state.catalogue.tables.iter().filter(|(name, table)| {
            let rows = state.tables.get(*name).map_or(0, |table| table.rows.rows);
            let is_given_up = self.given_up.get(*name).is_some_and(|then| then.table == **table && then.rows == rows);
            table.unreadable.is_none() && rows < wanted && !is_given_up
        });
        tables.map(|(name, _)| name.clone()).collect()
    }

    /// The tables that hold no row, so that nothing of a migration was tried on rows of theirs.
    pub(super) fn empty_tables(&self, state: &Snapshot) -> Vec<Unchecked> {
        let is_empty = |name: &TableName| state.tables.get(name).is_some_and(|table| table.rows.rows == 0);
        let empty = self.given_up.iter().filter(|(name, _)| is_empty(name));
        empty.map(|(name, given_up)| Unchecked::new("row", format!("{name} holds none"), &given_up.why)).collect()
    }
}
