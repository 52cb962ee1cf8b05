//! The acts of an audit: reach both sides, read their catalogues, run the checks, judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    Audit, NAME,
    side::{Given, Reached},
};
use crate::{
    canon::comparison::Mapping,
    check::{self, Readers, Surroundings},
    document::{Place, Problem, Problems},
    engine::{self, Dialect, EngineError, Session, Standpoint, emptiness},
    model::{
        Address, Catalogue, EventKind, Outcome, Report, Side, Sides, Snapshot, Stage, TableName, Verdict, chain,
        event::{Direction, StepStamp},
        snapshot::TableSnapshot,
    },
    run::{
        RunError, clock,
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

/// What is known of a side before its rows are read.
struct Described {
    version: String,
    encryption: Option<String>,
    standpoint: Standpoint,
    snapshot: Snapshot,
}

/// Asks one side. Rows are counted and compared by the checks; to record them in own form as well would read each table
/// twice.
async fn described(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    address: &Address,
) -> Result<Described, EngineError> {
    let version = session.version().await?;
    let encryption = engine::encryption(session, address).await?;
    let catalogue = session.introspect().await?;
    let standpoint = session.standpoint().await?;
    let tables = empty_tables(session, dialect, &catalogue).await?;
    Ok(Described { version, encryption, standpoint, snapshot: Snapshot { catalogue, tables, ..Snapshot::default() } })
}

/// The stage that an audit looks at: the migration has happened.
pub(super) const STAGE: Stage = Stage::Migrated;

/// How the error of a mapping begins that does not fit the databases.
const INVALID: &str = "invalid input";
/// How the error begins of a role that may not be used.
const REFUSED: &str = "the role is refused";
/// What reaching the sides and reading their catalogues is called.
const READ: &str = "read/catalogues";

impl Audit {
    /// Plays all acts and judges.
    pub(super) async fn play(self) -> Result<Played, RunError> {
        if let Some((side, single)) = &self.single {
            return self.play_single(*side, single).await;
        }
        frame::make_work(&self.recorder, &self.work)?;
        let title = format!("{} against {}", self.sides.target, self.sides.source);
        self.recorder.emit(EventKind::ScenarioStarted { name: NAME.to_owned(), title, reason: None, target: None })?;
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
        let read = read.and_then(|examination| refuse_unmet(&examination).map(|()| examination));
        let outcome = match &read {
            Ok(_) => Outcome::Passed,
            Err(error) => Outcome::Broken { error: error.clone() },
        };
        let (step, duration_ms) = (READ.to_owned(), millis(started));
        self.recorder.emit(EventKind::StepFinished { step, outcome, rows: 0, duration_ms, figures: Vec::new() })?;
        let refused = matches!(&read, Err(error) if error.starts_with(INVALID) || error.starts_with(REFUSED));
        let mut examination = read.unwrap_or_else(|_| Examination::new(Sessions::fresh(), Mapping::default()));
        self.checks(&mut examination).await?;
        let played = self.conclude(&examination)?;
        Ok(Played { refused, ..played })
    }

    /// Says what the sessions of a side see, and what its role could do to it.
    fn stands(&self, side: Side, standpoint: &Standpoint) -> Result<(), String> {
        let Standpoint { taken_at, position, is_alone, could_write } = standpoint;
        if let Some(taken_at) = taken_at {
            let position = position.as_ref().map(|position| format!(" ({position})")).unwrap_or_default();
            let alone = if *is_alone { ", by one connection" } else { "" };
            self.note(format!("the {side} was read in one snapshot{alone}, taken at {taken_at}{position}"))?;
        }
        // A copy is ours to write to, though nobody does.
        if could_write.is_empty() || !matches!(self.sides.get(side), Given::Server(_)) {
            return Ok(());
        }
        let rights = could_write.join(", ");
        if self.options.require_readonly_role {
            return Err(format!(
                "{REFUSED}: the role of the {side} could write ({rights}), and `--require-readonly-role` was given"
            ));
        }
        self.note(format!("the role of the {side} could write ({rights}); the audit's sessions are read-only"))
    }

    /// Opens one pair of sessions and reads both catalogues in them.
    async fn read(&self) -> Result<Examination, String> {
        let reached = Sides::new(self.reach(Side::Source).await?, self.reach(Side::Target).await?);
        let addresses = reached.as_ref().map(|reached| reached.address.clone());
        let mut readers = Readers::open_with(&addresses, &self.options.manner).await.map_err(|error| chain(&error))?;
        let dialects = Sides::from_fn(|side| readers.engine(side).dialect());
        let sessions = readers.both().map_err(|error| chain(&error))?;
        let (source, target) = tokio::join!(
            described(sessions.source, dialects.source, &addresses.source),
            described(sessions.target, dialects.target, &addresses.target)
        );
        let mut snapshots = BTreeMap::new();
        for (side, described) in Sides::new(source, target).into_each() {
            let reading = |error| format!("failed to read the {side}: {}", chain(&error));
            let Described { version, encryption, standpoint, snapshot } = described.map_err(reading)?;
            let Reached { provider, why, .. } = reached.get(side);
            let event = EventKind::SideReady {
                side,
                engine: addresses.get(side).engine.clone(),
                version,
                provider: provider.clone(),
                why: why.clone(),
                place: self.sides.get(side).to_string(),
                encryption,
            };
            self.recorder.emit(event).map_err(|error| chain(&error))?;
            self.stands(side, &standpoint)?;
            snapshots.insert((STAGE, side), snapshot);
        }
        let mapping = Mapping { today: clock::today(), ..self.options.mapping.clone() };
        let mut examination =
            Examination::new(Sessions::shared(addresses, readers, self.options.manner.clone()), mapping);
        examination.snapshots = snapshots;
        Ok(examination)
    }

    /// Says something that no other event carries.
    pub(super) fn note(&self, text: String) -> Result<(), String> {
        self.recorder.emit(EventKind::Note { text }).map_err(|error| chain(&error))
    }

    async fn checks(&self, examination: &mut Examination) -> Result<(), RunError> {
        let bounds = Bounds {
            limit: Duration::from_millis(self.options.act_ms),
            stop: &self.stop,
            redaction: &self.redaction,
            fail_on: &self.options.fail_on,
            resources: &self.options.resources,
            surroundings: &Surroundings::default(),
        };
        let mut seconds = BTreeMap::new();
        for check in order() {
            let mut looked = if examination.snapshots.is_empty() {
                Looked::skipped(format!("`{READ}` did not succeed"))
            } else if self.stop.is_asked() {
                Looked::skipped("the run was interrupted".to_owned())
            } else {
                examination.look(STAGE, check, &bounds).await
            };
            self.say_renewed(examination, check).await?;
            match check {
                "checksum" if !examination.snapshots.is_empty() => {
                    let again = self.settle(examination, &mut looked);
                    match bounded(again, bounds.limit, bounds.stop).await {
                        Ok(told) => seconds = told,
                        Err(error) => looked.outcome = Outcome::Broken { error },
                    }
                }
                "row_count" => self.recount(&seconds, &mut looked),
                _ => {}
            }
            examination.tell(&self.recorder, STAGE, check, looked)?;
        }
        if let Err(error) = examination.sessions.close().await {
            self.recorder.emit(EventKind::Note { text: error })?;
        }
        Ok(())
    }

    /// Says from which check on a side was read in a later snapshot, because a session was lost on the way.
    async fn say_renewed(&self, examination: &mut Examination, check: &str) -> Result<(), RunError> {
        // A session that is lost again meanwhile has broken the check, or breaks the next one.
        for (side, seen) in examination.sessions.renewed().await.unwrap_or_default() {
            let taken_at = seen.taken_at.map(|at| format!(", taken at {at}")).unwrap_or_default();
            let text = format!(
                "a session was lost: from check `{check}` on the {side} was read in a later snapshot{taken_at}"
            );
            self.recorder.emit(EventKind::Note { text })?;
        }
        Ok(())
    }

    fn conclude(&self, examination: &Examination) -> Result<Played, RunError> {
        let report = Report::from_events(&self.recorder.events());
        let report = report
            .as_ref()
            .and_then(|report| report.scenarios.last())
            .ok_or_else(|| RunError::WrongState("the audit left no events".to_owned()))?;
        let waivers = examination.waivers();
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

/// Refuses a mapping that names what is not there: that is told by the catalogues alone, before a row is read.
fn refuse_unmet(examination: &Examination) -> Result<(), String> {
    let derived = examination.derive(STAGE)?;
    let files: BTreeSet<&str> = derived.problems.iter().map(|one| one.at.file.as_str()).collect();
    let mut told = Vec::new();
    for file in files {
        let mut problems = Problems::new(file);
        for one in derived.problems.iter().filter(|one| one.at.file == file) {
            let place = Place { line: one.at.line, column: 0, key: one.at.key.clone() };
            problems.add(Problem::unknown(&place, &one.what, &one.name, one.known.iter().map(String::as_str)));
        }
        let in_order = problems.or(()).err().map(|problems| problems.to_string());
        told.extend(in_order);
    }
    match derived.problems.len() {
        0 => Ok(()),
        1 => Err(format!("{INVALID}: 1 problem\n{}", told.join("\n"))),
        total => Err(format!("{INVALID}: {total} problems\n{}", told.join("\n"))),
    }
}

/// The checks of the stage in their order, but the one of the counts behind the one that counts. Only scenarios ask
/// questions of their own.
fn order() -> impl Iterator<Item = &'static str> {
    let ids = || {
        check::ALL
            .iter()
            .map(|check| check.meta())
            .filter(|meta| meta.stages.contains(&STAGE) && meta.id != check::probe::ID)
            .map(|meta| meta.id)
    };
    let is_counted = |id: &&str| *id == "row_count";
    ids().filter(move |id| !is_counted(id)).chain(ids().filter(is_counted))
}
