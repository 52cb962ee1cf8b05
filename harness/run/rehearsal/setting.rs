//! Everything that is no part of the migration: databases, tables, rows, recorded states.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Rehearsal, told};
use crate::{
    dataset::Volume,
    model::{EventKind, Side, Stage, chain, report::TableFingerprint},
    run::{
        examination::bounded,
        options::Subject,
        plan::{ActKind, stage_word},
        servers::{self, Unready, Wanted},
        snapshot, source,
    },
};

impl Rehearsal {
    /// Everything that is no part of the migration.
    pub(super) async fn set_up(&mut self, kind: &ActKind) -> Result<u64, String> {
        let run = Arc::clone(&self.run);
        let limits = &run.options.limits;
        let limit = Duration::from_millis(match kind {
            // Servers have a deadline of their own, which tells more; this one is for all that is not bounded by it.
            ActKind::Provision(_) => limits.act_ms.max(2 * limits.server_ms + 60_000),
            _ => limits.act_ms,
        });
        let work = async {
            match kind {
                ActKind::Provision(side) => self.provision(*side).await.map(|()| 0),
                ActKind::Schema(side) => {
                    for file in run.scenario.schema(*side) {
                        source::schema(self.address(*side)?, file).await?;
                    }
                    Ok(0)
                }
                ActKind::Populate(side) => {
                    let started = Instant::now();
                    self.populate(*side, &|| run.stop.is_asked() || started.elapsed() > limit).await
                }
                ActKind::Record(stage) => self.record(*stage).await,
                ActKind::Step { .. } | ActKind::Check { .. } => Ok(0),
            }
        };
        bounded(work, limit, &run.stop).await
    }

    async fn provision(&mut self, side: Side) -> Result<(), String> {
        let ready = servers::acquire(&self.wanted(side), &self.run.options.means(), &self.run.recorder).await;
        let ready = ready.map_err(|unready| {
            self.refused |= matches!(unready, Unready::Refused(_));
            told(&unready)
        })?;
        self.run.recorder.emit(ready.event).map_err(|error| chain(&error))?;
        self.examination.sessions.set(side, ready.address);
        Ok(())
    }

    async fn populate(&mut self, side: Side, is_over: &(dyn Fn() -> bool + Sync)) -> Result<u64, String> {
        let (options, recorder) = (&self.run.options, &self.run.recorder);
        let address = self.address(side)?;
        let snapshot = match &options.subject {
            Subject::File { file, .. } => Some(file),
            Subject::Scenario { .. } => options.snapshot.as_ref(),
        };
        if let Some(file) = snapshot {
            return source::copy(file, address, recorder).await;
        }
        let volume = Volume { scale: options.scale, rows: options.rows };
        let dataset = self.run.scenario.source.dataset.as_ref();
        let rows = source::populate(address, dataset, &volume, options.root_seed, recorder, is_over).await?;
        if let Some(file) = &self.run.scenario.source.rows {
            source::schema(address, file).await?;
        }
        Ok(rows)
    }

    /// Records both sides, one after the other in fresh sessions, on disk and in memory.
    async fn record(&mut self, stage: Stage) -> Result<u64, String> {
        let mut rows = 0;
        for side in Side::BOTH {
            let address = self.address(side)?.clone();
            let doing = format!("record {side} {stage}");
            let told = |rows| self.run.recorder.progress(&doing, rows, None);
            let mut state = snapshot::record(&address, &told).await.map_err(|error| chain(&error))?;
            state.set_aside(&self.run.scenario.bookkeeping);
            let file = PathBuf::from(format!("snapshots/{}-{}-{side}.json", self.plan.name, stage_word(stage)));
            snapshot::store(&state, &self.run.directory.join(&file))?;
            let tables = state.tables.iter();
            let tables = tables.map(|(table, one)| TableFingerprint { table: table.clone(), fingerprint: one.rows });
            let tables: Vec<TableFingerprint> = tables.collect();
            rows += tables.iter().map(|table| table.fingerprint.rows).sum::<u64>();
            let event = EventKind::SnapshotTaken { stage, side, file, tables };
            self.run.recorder.emit(event).map_err(|error| chain(&error))?;
            self.examination.snapshots.insert((stage, side), state);
        }
        Ok(rows)
    }

    /// What the target would be here, if both sides can be had; found out before anything is started.
    pub(super) async fn offers(&self) -> Result<String, Unready> {
        servers::offer(&self.wanted(Side::Source), &self.run.options.means()).await?;
        servers::offer(&self.wanted(Side::Target), &self.run.options.means()).await
    }

    pub(super) fn wanted(&self, side: Side) -> Wanted<'_> {
        let scenario = &self.run.scenario;
        let (engine, version, image, provider) = match side {
            Side::Source => {
                let source = &scenario.source;
                // Databases between which only the migration makes a difference are of one version.
                let version = source.version.clone();
                let version = version.or_else(|| self.plan.version.clone().filter(|_| scenario.target.in_place));
                (&source.engine, version, source.image.clone(), source.provider.clone())
            }
            Side::Target => {
                let target = &scenario.target;
                let image = self.run.options.image.clone().or_else(|| target.image.clone());
                (&target.engine, self.plan.version.clone(), image, target.provider.clone())
            }
        };
        let external = self.run.external.clone().filter(|_| side == Side::Target);
        Wanted { run: &self.run.id, side, engine, version, image, provider, external, work: self.work() }
    }
}
