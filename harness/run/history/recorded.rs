//! States of a database with their rows and what is wrong with them, and what became of the rows from one to a later one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{judge, play::Play};
use crate::{
    check::{
        Resources,
        defects::{self, Defects, Known},
        difference::{KeptRows, Then, differing, row_change},
    },
    model::{Address, RowChange, Snapshot, TableName, chain},
    run::{examination::bounded, snapshot},
};

/// What became of the rows of each table that has others than before.
pub(super) type Changes = BTreeMap<TableName, RowChange>;

/// A state, and its rows to compare a later one with.
#[derive(Clone)]
pub(super) struct Recorded {
    pub state: Snapshot,
    pub defects: Defects,
    rows: Arc<KeptRows>,
}

impl Recorded {
    /// The state and what is wrong with it.
    pub const fn known(&self) -> Known<'_> {
        Known { state: &self.state, defects: &self.defects }
    }
}

impl Play {
    /// Records the state of a database; of the tool's own table only what it says was run.
    pub(super) async fn record(&self, address: &Address) -> Result<Snapshot, String> {
        let record = async { snapshot::record(address, &|_| ()).await.map_err(|error| chain(&error)) };
        let state = bounded(record, self.limit(), &self.subject.stop).await?;
        Ok(self.without_own(state))
    }

    /// The same, keeps the rows, and asks what is wrong with the state: all of it, or what became another since an earlier one.
    pub(super) async fn record_rows(&self, address: &Address, earlier: Option<&Recorded>) -> Result<Recorded, String> {
        let mut recorded = self.record_again(address, Defects::default()).await?;
        let is_own = |name: &TableName| self.is_ledger(name);
        let resources = Resources::usual(self.subject.work.clone());
        let look = async {
            let (known, means) = (earlier.map(Recorded::known), (&self.redaction, &resources));
            let looked = defects::look((self.engine, address), known, &recorded.state, &is_own, means).await;
            looked.map_err(|error| format!("failed to look at the state of the database: {}", chain(&error)))
        };
        recorded.defects = bounded(look, self.limit(), &self.subject.stop).await?;
        Ok(recorded)
    }

    /// The same of a state of which it is known what is wrong with it.
    pub(super) async fn record_again(&self, address: &Address, defects: Defects) -> Result<Recorded, String> {
        let record =
            async { snapshot::record_and_keep(address, &self.subject.work).await.map_err(|error| chain(&error)) };
        let (state, rows) = bounded(record, self.limit(), &self.subject.stop).await?;
        Ok(Recorded { state: self.without_own(state), defects, rows: Arc::new(rows) })
    }

    /// Counts the rows and values that are not what they were, in a database in whose state nothing happened since.
    pub(super) async fn changes(&self, then: &Recorded, now: &Snapshot, address: &Address) -> Result<Changes, String> {
        let resources = Resources::usual(self.subject.work.clone());
        let earlier = Then { state: &then.state, rows: &then.rows };
        let mut changes = Changes::new();
        for table in differing(&then.state, now) {
            let change = async {
                let counted = row_change(table, earlier, now, address, &resources, &self.redaction).await;
                counted.map_err(|error| format!("failed to compare the rows of {table}: {}", chain(&error)))
            };
            changes.insert(table.clone(), bounded(change, self.limit(), &self.subject.stop).await?);
        }
        Ok(changes)
    }

    /// Whether a table, but for the tool's own, holds more rows than in an earlier state.
    pub(super) fn has_more_rows(&self, then: &Recorded, now: &Recorded) -> bool {
        let held = |name: &TableName| then.state.tables.get(name).map_or(0, |table| table.rows.rows);
        now.state.tables.iter().any(|(name, table)| table.rows.rows > held(name) && !self.is_ledger(name))
    }

    fn without_own(&self, mut state: Snapshot) -> Snapshot {
        if let Some(ledger) = self.layout.ledger() {
            judge::keep_versions(&mut state, ledger);
        }
        if let Some(commands) = &self.subject.history.commands {
            state.set_aside(&commands.bookkeeping);
        }
        state
    }

    const fn limit(&self) -> Duration {
        Duration::from_millis(self.subject.options.limits.act_ms)
    }
}
