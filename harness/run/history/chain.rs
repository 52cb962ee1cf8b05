//! All migrations that were asked for down in a row, and up again: that gives another answer than each on its own, both
//! ways. What became of rows is told apart from the schema: at the bottom those from before the first migration, at the top
//! those that the ways up alone leave. Whatever was filled in between goes with its tables.

use std::time::Instant;

use super::{judge, play::Play, recorded::Recorded, script::Stopped};
use crate::{
    check::defects::Defects,
    model::{
        Address, ChainReport, ChainStop, EventKind, Finding, Severity, Snapshot, TableName, chain, history::CHAIN,
    },
    run::examination::millis,
};

impl Play {
    /// Goes down from the last to the first and up again, in a database of its own.
    pub(super) async fn in_a_row(&mut self, last: usize) -> Result<(), String> {
        let (Some(first), Some(bottom)) = (self.subject.selected.first().copied(), self.bottom.take()) else {
            return Ok(());
        };
        let is_way_back = |at: usize| self.subject.history.migrations[at].down.is_some();
        // One alone is its own chain, what was left out in between would have its say, and without a way down there is none.
        let has_gaps = self.subject.selected.len() != last - first + 1;
        if first == last || has_gaps || !(first..=last).any(is_way_back) {
            return Ok(());
        }
        let Some(top) = self.state.as_ref().map(|recorded| recorded.state.clone()) else { return Ok(()) };
        let here = self.here.clone();
        // Another database would hold on to roles that the ways down drop.
        let has_roles = !self.databases.made_roles().await?.is_empty();
        let copy = if has_roles { Some(here.clone()) } else { self.databases.copy(&here).await? };
        let place = match copy {
            Some(copy) => copy,
            None => match self.replay(last + 1, true).await? {
                Some(anew) => {
                    self.keeps_bottom = false;
                    anew
                }
                None => return Ok(()),
            },
        };
        let started = Instant::now();
        let migrations: Vec<usize> =
            (first..=last).filter(|at| !self.subject.history.migrations[*at].is_repeatable).collect();
        let mut report = ChainReport { migrations: migrations.len() as u64, ..ChainReport::default() };
        self.down_and_up(&place, &migrations, (&bottom, &top), &mut report).await?;
        if report.ups == report.migrations && !has_roles {
            report.top_rows = self.not_made_again(&place, last, &bottom.state).await?;
        }
        if !has_roles {
            self.databases.drop(&place).await?;
        } else if self.subject.options.keep && !self.anew(last + 1, true).await? {
            return Err("failed to make the history anew behind its chain".to_owned());
        }
        report.duration_ms = millis(started);
        let stop = report.stopped.as_ref().or(report.stopped_again.as_ref()).map(|stop| stop.migration.clone());
        if report.severity() > Some(Severity::Note) {
            let names: Vec<&str> = stop.iter().map(String::as_str).chain([CHAIN]).collect();
            report.accepted = self.subject.accepted(&names, CHAIN, &mut self.used);
        }
        let event = EventKind::ChainRehearsed(Box::new(report));
        self.subject.recorder.emit(event).map_err(|error| chain(&error))
    }

    async fn down_and_up(
        &mut self,
        place: &Address,
        migrations: &[usize],
        (bottom, top): (&Recorded, &Snapshot),
        report: &mut ChainReport,
    ) -> Result<(), String> {
        for at in migrations.iter().rev() {
            let migration = &self.subject.history.migrations[*at];
            let stop = |why: String, failed| Some(ChainStop { migration: migration.name.clone(), why, failed });
            let Some(down) = &migration.down else {
                report.stopped = stop("there is no way down".to_owned(), false);
                return Ok(());
            };
            match self.down(place, *at, down).await {
                Ok(_) => report.downs += 1,
                Err(Stopped::Run(error)) => return Err(error),
                Err(Stopped::Migration(error)) => {
                    report.stopped = stop(error, true);
                    return Ok(());
                }
            }
        }
        let now = self.record(place).await?;
        report.bottom = judge::catalogues(&bottom.state, &now, &self.days);
        if self.keeps_bottom {
            let changes = self.changes(bottom, &now, place).await?;
            report.bottom_rows = judge::lost(&bottom.state, &now, &changes, None);
        } else if bottom.state.tables.iter().any(|(name, table)| table.rows.rows > 0 && !self.is_ledger(name)) {
            let why = "the database was made anew since, from ways up alone";
            self.note(format!("whether rows from before the first migration outlast the chain is not known: {why}"))?;
        }
        for at in migrations {
            match self.up(place, *at).await {
                Ok(_) => report.ups += 1,
                Err(Stopped::Run(error)) => return Err(error),
                Err(Stopped::Migration(why)) => {
                    let migration = self.subject.history.migrations[*at].name.clone();
                    report.stopped_again = Some(ChainStop { migration, why, failed: true });
                    return Ok(());
                }
            }
        }
        report.top = judge::catalogues(top, &self.record(place).await?, &self.days);
        Ok(())
    }

    /// Rows that the ways up alone leave, in tables that held none before the first of the chain, and that are not there now.
    async fn not_made_again(
        &mut self,
        place: &Address,
        last: usize,
        bottom: &Snapshot,
    ) -> Result<Vec<Finding>, String> {
        if !self.leaves_rows {
            return Ok(Vec::new());
        }
        let Some(alone) = self.replay(last + 1, false).await? else { return Ok(Vec::new()) };
        let mut left = self.record_again(&alone, Defects::default()).await?;
        self.databases.drop(&alone).await?;
        let held = |name: &TableName| bottom.tables.get(name).is_some_and(|table| table.rows.rows > 0);
        left.state.tables.retain(|name, _| !held(name));
        let mut now = self.record(place).await?;
        now.tables.retain(|name, _| left.state.tables.contains_key(name));
        let changes = self.changes(&left, &now, place).await?;
        Ok(judge::lost(&left.state, &now, &changes, Some(self.engine.dialect())))
    }
}
