//! All migrations that were asked for down in a row, and up again: that gives another answer than each on its own, both
//! ways.

use std::time::Instant;

use super::{judge, play::Play, script::Stopped};
use crate::{
    model::{Address, ChainReport, ChainStop, EventKind, Finding, Severity, Snapshot, chain, history::CHAIN},
    run::examination::millis,
};

impl Play {
    /// Goes down from the last to the first and up again, in a database of its own. Catalogues are compared; the rows are
    /// gone with their tables.
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
                Some(anew) => anew,
                None => return Ok(()),
            },
        };
        let started = Instant::now();
        let migrations: Vec<usize> =
            (first..=last).filter(|at| !self.subject.history.migrations[*at].is_repeatable).collect();
        let mut report = ChainReport { migrations: migrations.len() as u64, ..ChainReport::default() };
        self.down_and_up(&place, &migrations, (&bottom, &top), &mut report).await?;
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
        (bottom, top): (&Snapshot, &Snapshot),
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
        report.bottom = self.compared(place, bottom).await?;
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
        report.top = self.compared(place, top).await?;
        Ok(())
    }

    async fn compared(&self, place: &Address, then: &Snapshot) -> Result<Vec<Finding>, String> {
        Ok(judge::catalogues(then, &self.record(place).await?, &self.days))
    }
}
