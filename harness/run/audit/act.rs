//! The acts of an audit: reach both sides, read their catalogues, run the checks, judge.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{Audit, NAME};
use crate::{
    check::{self, Readers},
    engine::{self, Dialect, EngineError, Session, emptiness},
    model::{
        Catalogue, EventKind, Outcome, Report, Side, Sides, Snapshot, Stage, TableName, Verdict, chain,
        event::{Direction, StepStamp},
        snapshot::TableSnapshot,
    },
    run::{
        RunError,
        examination::{Bounds, Examination, Looked, Sessions, bounded, millis},
        frame::{self, Played},
        judge, snapshot,
    },
    scenario::Expectation,
};

/// The tables without rows: of those there is nothing to ask, and there may be a thousand.
async fn empty_tables(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    catalogue: &Catalogue,
) -> Result<BTreeMap<TableName, TableSnapshot>, EngineError> {
    let readable = catalogue.tables.values().filter(|table| table.unreadable.is_none());
    let names: Vec<&TableName> = readable.map(|table| &table.name).collect();
    let empty = emptiness::empty_tables(session, dialect, &names).await?;
    Ok(empty.into_iter().map(|name| (name, TableSnapshot::default())).collect())
}

/// The stage that an audit looks at: the migration has happened.
const STAGE: Stage = Stage::Migrated;
/// What reaching the sides and reading their catalogues is called.
const READ: &str = "read/catalogues";

impl Audit {
    /// Plays all acts and judges.
    pub(super) async fn play(self) -> Result<Played, RunError> {
        frame::make_work(&self.recorder, &self.work)?;
        let title = format!("{} against {}", self.sides.target, self.sides.source);
        self.recorder.emit(EventKind::ScenarioStarted { name: NAME.to_owned(), title, target: None })?;
        let stamp = StepStamp {
            step: READ.to_owned(),
            name: "catalogues".to_owned(),
            kind: "record".to_owned(),
            direction: Direction::Setup,
        };
        self.recorder.emit(EventKind::StepStarted(stamp))?;
        let started = Instant::now();
        let limit = Duration::from_millis(self.options.act_ms);
        let read = bounded(self.read(), limit, &self.stop).await;
        let outcome = match &read {
            Ok(_) => Outcome::Passed,
            Err(error) => Outcome::Broken { error: error.clone() },
        };
        let (step, duration_ms) = (READ.to_owned(), millis(started));
        self.recorder.emit(EventKind::StepFinished { step, outcome, rows: 0, duration_ms, figures: Vec::new() })?;
        let mut examination = read.unwrap_or_else(|_| Examination::new(Sessions::fresh(), Vec::new()));
        self.checks(&mut examination).await?;
        self.conclude(&examination)
    }

    /// Opens one pair of sessions and reads both catalogues in them.
    async fn read(&self) -> Result<Examination, String> {
        let addresses = Sides::new(self.reach(Side::Source).await?, self.reach(Side::Target).await?);
        let mut readers = Readers::open(&addresses).await.map_err(|error| chain(&error))?;
        let mut snapshots = BTreeMap::new();
        for side in Side::BOTH {
            let (provider, why) = self.sides.get(side).provider();
            let reading = |error| format!("failed to read the {side}: {}", chain(&error));
            let dialect = readers.engine(side).dialect();
            let session = readers.side(side).map_err(reading)?;
            let event = EventKind::SideReady {
                side,
                engine: addresses.get(side).engine.clone(),
                version: session.version().await.map_err(reading)?,
                provider: provider.to_owned(),
                why: why.to_owned(),
                place: self.sides.get(side).to_string(),
                encryption: engine::encryption(session, addresses.get(side)).await.map_err(reading)?,
            };
            self.recorder.emit(event).map_err(|error| chain(&error))?;
            // Rows are counted and compared by the checks; to record them in own form as well would read each table twice.
            let catalogue = session.introspect().await.map_err(reading)?;
            let tables = empty_tables(session, dialect, &catalogue).await.map_err(reading)?;
            snapshots.insert((STAGE, side), Snapshot { catalogue, tables, ..Snapshot::default() });
        }
        let mut examination = Examination::new(Sessions::shared(addresses, readers), Vec::new());
        examination.snapshots = snapshots;
        Ok(examination)
    }

    async fn checks(&self, examination: &mut Examination) -> Result<(), RunError> {
        let bounds = Bounds {
            limit: Duration::from_millis(self.options.act_ms),
            stop: &self.stop,
            redaction: &self.redaction,
            resources: &self.options.resources,
        };
        for check in order() {
            let looked = if examination.snapshots.is_empty() {
                Looked::skipped(format!("`{READ}` did not succeed"))
            } else if self.stop.is_asked() {
                Looked::skipped("the run was interrupted".to_owned())
            } else {
                examination.look(STAGE, check, &bounds).await
            };
            examination.tell(&self.recorder, STAGE, check, looked)?;
        }
        if let Err(error) = examination.sessions.close().await {
            self.recorder.emit(EventKind::Note { text: error })?;
        }
        Ok(())
    }

    fn conclude(&self, examination: &Examination) -> Result<Played, RunError> {
        let report = Report::from_events(&self.recorder.events());
        let report = report
            .as_ref()
            .and_then(|report| report.scenarios.last())
            .ok_or_else(|| RunError::WrongState("the audit left no events".to_owned()))?;
        let waivers = BTreeMap::new();
        let gate = self.options.require_coverage;
        let (mut verdict, mut reasons) =
            judge::judge(report, &examination.coverage, &waivers, gate, &Expectation::default());
        for file in &report.files {
            let mut witness = file.clone();
            witness.sha256_after = snapshot::sha256(&file.path).ok();
            if witness.sha256_after != witness.sha256_before {
                verdict = verdict.merge(Verdict::Inconclusive);
                reasons.push(format!("`{}` was changed by somebody else while the audit went on", file.path.display()));
            }
            self.recorder.emit(EventKind::FileWitnessed(witness))?;
        }
        let coverage = examination.coverage;
        self.recorder.emit(EventKind::ScenarioFinished { verdict, reasons, coverage })?;
        Ok(Played { verdict, refused: false })
    }
}

/// The checks of the stage in their order, but the one of the counts behind the one that counts.
fn order() -> impl Iterator<Item = &'static str> {
    let ids =
        || check::ALL.iter().map(|check| check.meta()).filter(|meta| meta.stages.contains(&STAGE)).map(|meta| meta.id);
    let is_counted = |id: &&str| *id == "row_count";
    ids().filter(move |id| !is_counted(id)).chain(ids().filter(is_counted))
}
