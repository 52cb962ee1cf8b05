//! Makes the database ready for the next migration: rows in every table that takes some, and its state recorded.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::play::Play;
use crate::{
    canon::Seed,
    dataset::live::{self, Filled, Unfilled},
    engine::Session,
    model::{Catalogue, Snapshot, TableName, Unchecked, catalogue::Table, chain},
    run::examination::bounded,
};

/// Rows that a table gets besides when it has new columns: those that it holds have nothing in them that could be lost.
const MORE: u64 = 2;

/// A table that could not be filled, as it was then.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GivenUp {
    table: Table,
    rows: u64,
    why: String,
}

impl Play {
    /// Fills the tables that hold fewer rows than wanted or have new columns, and records the state.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        let here = self.here.clone();
        let recorded = match self.state.take() {
            Some(mut recorded) => {
                // The migration before told it.
                recorded.defects.unasked.clear();
                recorded
            }
            None => self.record_rows(&here, None).await?,
        };
        let state = &recorded.state;
        self.tell_own_tables(state)?;
        let (wanting, widened) = (self.wanting(state), self.widened(state));
        let columns = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect();
        self.known = state.catalogue.tables.iter().map(|(name, table)| (name.clone(), columns(table))).collect();
        if wanting.is_empty() && widened.is_empty() {
            self.state = Some(recorded);
            return Ok(());
        }
        let mut session = self.engine.connect(&here).await.map_err(|error| chain(&error))?;
        let wanted = self.subject.options.rows;
        let filled = self.fill(&mut *session, &state.catalogue, &wanting, wanted).await?;
        let mut loaded = !filled.loaded.is_empty();
        for Unfilled { table: name, rows, reason } in filled.unfilled {
            if let Some(table) = state.catalogue.tables.get(&name) {
                self.given_up.insert(name, GivenUp { table: table.clone(), rows, why: reason });
            }
        }
        for (name, rows) in widened {
            let filled = self.fill(&mut *session, &state.catalogue, &BTreeSet::from([name]), rows + MORE).await?;
            loaded |= !filled.loaded.is_empty();
        }
        session.close().await.map_err(|error| chain(&error))?;
        self.state = Some(if loaded {
            let mut filled = self.record_rows(&here, Some(&recorded)).await?;
            filled.defects.unasked.extend(recorded.defects.unasked);
            filled
        } else {
            recorded
        });
        Ok(())
    }

    /// Tells which tables are set aside as a tool's own, each once.
    fn tell_own_tables(&mut self, state: &Snapshot) -> Result<(), String> {
        for one in state.bookkeeping.iter().filter(|one| one.rows.is_some()) {
            if self.own_tables.insert(one.declared.name.clone()) {
                self.note(format!("`{}` is set aside: {}", one.declared.name, one.declared.why))?;
            }
        }
        Ok(())
    }

    /// Fills these tables alone.
    async fn fill(
        &self,
        session: &mut dyn Session,
        catalogue: &Catalogue,
        tables: &BTreeSet<TableName>,
        wanted: u64,
    ) -> Result<Filled, String> {
        let skip: BTreeSet<TableName> =
            catalogue.tables.keys().filter(|name| !tables.contains(*name)).cloned().collect();
        let seed = Seed::root(self.subject.options.root_seed).child("history");
        let filled = live::fill(session, self.engine.dialect(), catalogue, &skip, seed, wanted);
        let filled = async { filled.await.map_err(|error| format!("failed to fill the tables: {}", chain(&error))) };
        let limit = Duration::from_millis(self.subject.options.limits.act_ms);
        bounded(filled, limit, &self.subject.stop).await
    }

    /// Tables with rows that have columns which they did not have when they were looked at last, and how many rows.
    fn widened(&self, state: &Snapshot) -> BTreeMap<TableName, u64> {
        let has_new = |name: &TableName, table: &Table| {
            let known = self.known.get(name);
            !self.is_ledger(name)
                && known.is_some_and(|known| table.columns.iter().any(|column| !known.contains(&column.name)))
        };
        let tables = state.catalogue.tables.iter().filter(|(name, table)| has_new(name, table));
        let held = tables.filter_map(|(name, _)| Some((name.clone(), state.tables.get(name)?.rows.rows)));
        held.filter(|(_, rows)| *rows >= self.subject.options.rows.max(1)).collect()
    }

    /// The tables that hold fewer rows than wanted, and may take some.
    fn wanting(&self, state: &Snapshot) -> BTreeSet<TableName> {
        let wanted = self.subject.options.rows;
        let tables = state.catalogue.tables.iter().filter(|(name, table)| {
            let rows = state.tables.get(*name).map_or(0, |table| table.rows.rows);
            let is_given_up = self.given_up.get(*name).is_some_and(|then| then.table == **table && then.rows == rows);
            table.unreadable.is_none() && rows < wanted && !is_given_up && !self.is_ledger(name)
        });
        tables.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn is_ledger(&self, name: &TableName) -> bool {
        self.layout.ledger().is_some_and(|ledger| *name == TableName::new(ledger.table()))
    }

    /// The tables that hold no row, so that nothing of a migration was tried on rows of theirs.
    pub(super) fn empty_tables(&self, state: &Snapshot) -> Vec<Unchecked> {
        let is_empty = |name: &TableName| state.tables.get(name).is_some_and(|table| table.rows.rows == 0);
        let empty = self.given_up.iter().filter(|(name, _)| is_empty(name));
        empty.map(|(name, given_up)| Unchecked::new("row", format!("{name} holds none"), &given_up.why)).collect()
    }
}
