//! One database against a baseline that was stored of it: every row, column and catalogue object in own form, by the rules
//! of *no trace*.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Audit, NAME, side::Reached};
use crate::{
    canon::CANON_VERSION,
    check::{
        Examined,
        difference::{FROM_BASELINE, compare},
    },
    engine,
    model::{
        EngineId, EventKind, Outcome, Report, Share, Side, Snapshot, Stage, Unchecked, Verdict, chain,
        event::{CheckFinished, Direction, StepStamp},
    },
    run::{
        RunError, clock,
        examination::{bounded, millis},
        frame::{self, Played},
        judge, snapshot,
    },
    scenario::Expectation,
};

/// Version of the file's form.
const BASELINE_VERSION: u32 = 1;
/// The check that looks at a database and its baseline.
const CHECK: &str = "no_trace";
/// What recording the database is called.
const RECORD: &str = "record/database";

/// A stored state of one database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    baseline_version: u32,
    canon_version: u32,
    /// The engine that held it.
    pub engine: EngineId,
    /// Where it was, without passwords.
    pub place: String,
    /// When it was recorded.
    pub taken_at: String,
    snapshot: Snapshot,
}

/// What is done with a baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Single {
    /// The database's state is stored in a file.
    Save(PathBuf),
    /// The database is compared with a stored state.
    Against(Box<Baseline>),
}

/// Reads a baseline.
///
/// # Errors
/// If the file cannot be read, is no baseline, or is one of another version: what it holds could not be compared.
pub fn load(path: &Path) -> Result<Baseline, String> {
    let file = path.display();
    let bytes = fs::read(path).map_err(|error| format!("failed to read `{file}`: {error}"))?;
    let parsed: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("`{file}` is no baseline: {error}"))?;
    for (key, what, ours) in
        [("baseline_version", "baselines", BASELINE_VERSION), ("canon_version", "the canonical form", CANON_VERSION)]
    {
        match parsed.get(key).and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(ours) => {}
            Some(version) => {
                return Err(format!(
                    "`{file}` is of version {version} of {what}, and this is version {ours}: save the baseline again"
                ));
            }
            None => return Err(format!("`{file}` is no baseline: it has no `{key}`")),
        }
    }
    serde_json::from_value(parsed).map_err(|error| format!("`{file}` is no baseline: {error}"))
}

impl Baseline {
    fn of(engine: EngineId, place: String, snapshot: Snapshot) -> Self {
        let taken_at = clock::now();
        Self { baseline_version: BASELINE_VERSION, canon_version: CANON_VERSION, engine, place, taken_at, snapshot }
    }

    /// Writes it; whole or not at all.
    fn save(&self, path: &Path) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            let fresh = path.with_extension("fresh");
            let mut file = fs::File::create(&fresh)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        };
        write().map_err(|error| format!("failed to write `{}`: {error}", path.display()))
    }
}

impl Audit {
    /// Stores one side's state, or compares it with a stored one.
    pub(super) async fn play_single(&self, side: Side, single: &Single) -> Result<Played, RunError> {
        frame::make_work(&self.recorder, &self.work)?;
        let given = self.sides.get(side);
        let title = match single {
            Single::Save(_) => format!("baseline of {given}"),
            Single::Against(baseline) => format!("{given} against its baseline of {}", baseline.taken_at),
        };
        self.recorder.emit(EventKind::ScenarioStarted { name: NAME.to_owned(), title, reason: None, target: None })?;
        let stamp = StepStamp {
            step: RECORD.to_owned(),
            name: "database".to_owned(),
            kind: "record".to_owned(),
            direction: Direction::Setup,
        };
        self.recorder.emit(EventKind::StepStarted(stamp))?;
        let (started, limit) = (Instant::now(), Duration::from_millis(self.options.act_ms));
        let recorded = bounded(self.record(side, single), limit, &self.stop).await;
        let (outcome, rows) = match &recorded {
            Ok(now) => (Outcome::Passed, now.tables.values().map(|table| table.rows.rows).sum()),
            Err(error) => (Outcome::Broken { error: error.clone() }, 0),
        };
        let (step, duration_ms) = (RECORD.to_owned(), millis(started));
        self.recorder.emit(EventKind::StepFinished { step, outcome, rows, duration_ms, figures: Vec::new() })?;
        let started = Instant::now();
        let (outcome, examined) = match (&recorded, single) {
            (Err(_), _) => (Outcome::Skipped { reason: format!("`{RECORD}` did not succeed") }, Examined::default()),
            (Ok(now), Single::Save(_)) => (Outcome::Passed, seen(side, now, now)),
            (Ok(now), Single::Against(baseline)) => {
                let mut examined = seen(side, &baseline.snapshot, now);
                compare(side, &baseline.snapshot, now, &FROM_BASELINE, &mut examined);
                let has_failed = self.options.fail_on.has_failed(&examined);
                (if has_failed { Outcome::Failed { because: None } } else { Outcome::Passed }, examined)
            }
        };
        let coverage = examined.coverage;
        self.recorder.emit(EventKind::CheckFinished(Box::new(CheckFinished {
            id: CHECK.to_owned(),
            stage: Stage::Baseline,
            outcome,
            findings: examined.findings,
            unchecked: examined.unchecked,
            loss_ledger: Vec::new(),
            coverage,
            probed: Vec::new(),
            duration_ms: millis(started),
        })))?;
        let report = Report::from_events(&self.recorder.events());
        let report = report
            .as_ref()
            .and_then(|report| report.scenarios.last())
            .ok_or_else(|| RunError::WrongState("the audit left no events".to_owned()))?;
        let gate = self.options.require_coverage;
        let (verdict, reasons) = judge::judge(report, &coverage, &Default::default(), gate, &Expectation::default());
        let refused = matches!(&recorded, Err(error) if error.starts_with(OTHER_ENGINE));
        self.recorder.emit(EventKind::ScenarioFinished { verdict, reasons, coverage })?;
        Ok(Played { verdict: if refused { Verdict::Inconclusive } else { verdict }, refused })
    }

    /// Records the side, and stores what was recorded if that is asked for.
    async fn record(&self, side: Side, single: &Single) -> Result<Snapshot, String> {
        let Reached { address, provider, why } = self.reach(side).await?;
        if let Single::Against(baseline) = single
            && baseline.engine != address.engine
        {
            return Err(format!("{OTHER_ENGINE} {}, and this is one of {}", baseline.engine, address.engine));
        }
        let mut session = match engine::by_id(address.engine.as_str()) {
            Some(engine) => engine.connect(&address).await.map_err(|error| chain(&error))?,
            None => return Err(format!("no engine is called `{}`", address.engine)),
        };
        let version = session.version().await.map_err(|error| chain(&error))?;
        let encryption = engine::encryption(&mut *session, &address).await.map_err(|error| chain(&error))?;
        session.close().await.map_err(|error| chain(&error))?;
        let place = self.sides.get(side).to_string();
        let event = EventKind::SideReady {
            side,
            engine: address.engine.clone(),
            version,
            provider,
            why,
            place: place.clone(),
            encryption,
        };
        self.recorder.emit(event).map_err(|error| chain(&error))?;
        let told = |rows| self.recorder.progress("record", rows, None);
        let guard = &self.options.manner.guard;
        let now = snapshot::record_guarded(&address, guard, &told).await.map_err(|error| chain(&error))?;
        if let Single::Save(path) = single {
            Baseline::of(address.engine.clone(), place, now.clone()).save(path)?;
            self.note(format!("the baseline was saved to `{}`", path.display()))?;
        }
        Ok(now)
    }
}

/// How the error begins of a baseline that another engine made.
const OTHER_ENGINE: &str = "the baseline is of a database of";

/// What there is to see of two states, and what of it could not be read.
fn seen(side: Side, then: &Snapshot, now: &Snapshot) -> Examined {
    let mut examined = Examined::default();
    for (name, table) in &now.tables {
        let columns = now.catalogue.tables.get(name).map_or(0, |table| table.columns.len() as u64);
        let is_read = table.unreadable.is_none();
        examined.coverage.columns += Share::new(if is_read { columns } else { 0 }, columns);
        examined.coverage.rows += Share::new(table.rows.rows, table.rows.rows);
        if std::ptr::eq(then, now)
            && let Some(reason) = &table.unreadable
        {
            examined.unchecked.push(Unchecked::new("row", format!("{side} {name}"), reason));
        }
    }
    examined
}
