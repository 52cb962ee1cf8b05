//! Runs checks over one pair of databases: the same for a stage of a rehearsal and for an audit.
//!
//! An examination knows where the databases are, which states were recorded of them, what is stated about how they
//! compare, and what was covered so far. Who plays says when a check runs and what it may take; what comes out is told
//! to the recorder as it is, and judged by others.

mod rejected;
mod sessions;

use std::{
    collections::BTreeMap,
    future::Future,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{RunError, Stop, recorder::Recorder};
use crate::{
    canon::comparison::{self, Derived, Mapping},
    check::{self, CheckContext, Examined, Probe, Resources, Surroundings, Tally},
    migrate::{LeftOut, NotCarried},
    model::{
        Coverage, EventKind, FindingKind, LossEntry, Outcome, Redaction, Severity, Side, Snapshot, Stage, chain,
        event::CheckFinished, probe::Probed,
    },
};
pub(super) use sessions::Sessions;

/// Sample rows that a finding shows at most.
const SAMPLE: u32 = 10;

/// One pair of databases under the checks.
pub(super) struct Examination {
    /// How the databases are reached.
    pub sessions: Sessions,
    /// The states recorded so far.
    pub snapshots: BTreeMap<(Stage, Side), Snapshot>,
    /// What is stated about tables and columns.
    pub mapping: Mapping,
    /// What the migration said that it leaves behind.
    pub not_carried: Vec<NotCarried>,
    /// Rules by which its steps held things to be the same.
    pub loss_ledger: Vec<LossEntry>,
    /// Files that its steps left out, and none took since.
    pub left_out: Vec<LeftOut>,
    /// Whether the migration may write to the source.
    pub writes_source: bool,
    /// Whether it is meant to leave the source otherwise than it was.
    pub changes_source: bool,
    /// What was covered so far.
    pub coverage: Coverage,
    /// What the scenario asks of the system.
    pub probes: Vec<Probe>,
    /// What was answered so far.
    pub probed: Vec<Probed>,
    /// Which rowsets are compared: as derived after the migration, where that was recorded.
    derived: Option<Derived>,
    /// The rows of each comparison, as an earlier check of the stage counted them.
    tallies: BTreeMap<Stage, Tally>,
}

/// What a check may take, and how it may show rows.
pub(super) struct Bounds<'a> {
    /// The longest that it may take.
    pub limit: Duration,
    /// The wish to stop.
    pub stop: &'a Stop,
    /// How rows' values may be shown.
    pub redaction: &'a Redaction,
    /// Which findings make a check fail.
    pub fail_on: &'a FailOn,
    /// What it may take of this machine.
    pub resources: &'a Resources,
    /// What is around the databases.
    pub surroundings: &'a Surroundings,
}

/// Which findings make a check fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// Those of this severity or a graver one.
    Severity(Severity),
    /// Those of these kinds, whatever their severity.
    Kinds(Vec<FindingKind>),
}

impl FailOn {
    /// Every error.
    pub const ERRORS: Self = Self::Severity(Severity::Error);

    /// Whether a check fails by what it found.
    pub(super) fn has_failed(&self, examined: &Examined) -> bool {
        examined.findings.iter().any(|finding| match self {
            Self::Severity(least) => finding.severity >= *least,
            Self::Kinds(kinds) => kinds.contains(&finding.kind),
        })
    }
}

/// What became of a check.
pub(super) struct Looked {
    /// Its outcome.
    pub outcome: Outcome,
    /// What it saw.
    pub examined: Examined,
    /// How long it took.
    pub duration_ms: u64,
}

impl Looked {
    /// Judges anew a check that ran, after its findings were looked at again.
    pub fn conclude(&mut self, has_failed: bool) {
        if matches!(self.outcome, Outcome::Passed | Outcome::Failed { .. }) {
            self.outcome = if has_failed { Outcome::Failed { because: None } } else { Outcome::Passed };
        }
    }

    /// A check that was not run.
    pub fn skipped(reason: String) -> Self {
        Self { outcome: Outcome::Skipped { reason }, examined: Examined::default(), duration_ms: 0 }
    }
}

impl Examination {
    /// An examination of which nothing is known yet.
    pub fn new(sessions: Sessions, mapping: Mapping) -> Self {
        Self {
            sessions,
            snapshots: BTreeMap::new(),
            mapping,
            not_carried: Vec::new(),
            loss_ledger: Vec::new(),
            left_out: Vec::new(),
            writes_source: false,
            changes_source: false,
            coverage: Coverage::default(),
            probes: Vec::new(),
            probed: Vec::new(),
            derived: None,
            tallies: BTreeMap::new(),
        }
    }

    /// Runs one check at one stage.
    pub async fn look(&mut self, stage: Stage, id: &str, bounds: &Bounds<'_>) -> Looked {
        let started = Instant::now();
        let result = bounded(self.examine(stage, id, bounds), bounds.limit, bounds.stop).await;
        let (outcome, examined) = match result {
            Err(error) => (Outcome::Broken { error }, Examined::default()),
            Ok(examined) => match &examined.skipped {
                Some(reason) => (Outcome::Skipped { reason: reason.clone() }, examined),
                None if bounds.fail_on.has_failed(&examined) => (Outcome::Failed { because: None }, examined),
                None => (Outcome::Passed, examined),
            },
        };
        Looked { outcome, examined, duration_ms: millis(started) }
    }

    /// Tells what became of a check, and adds what it covered.
    pub fn tell(&mut self, recorder: &Recorder, stage: Stage, id: &str, looked: Looked) -> Result<(), RunError> {
        let Looked { outcome, examined, duration_ms } = looked;
        self.coverage.add(&examined.coverage);
        self.probed.extend(examined.probed.iter().cloned());
        recorder.emit(EventKind::CheckFinished(Box::new(CheckFinished {
            id: id.to_owned(),
            stage,
            outcome,
            findings: examined.findings,
            unchecked: examined.unchecked,
            loss_ledger: examined.loss_ledger,
            coverage: examined.coverage,
            probed: examined.probed,
            duration_ms,
        })))
    }

    async fn examine(&mut self, at: Stage, id: &str, bounds: &Bounds<'_>) -> Result<Examined, String> {
        let check = check::by_id(id).ok_or_else(|| format!("no check is called `{id}`"))?;
        if self.derived.is_none() {
            let has_both = |stage| Side::BOTH.iter().all(|side| self.snapshots.contains_key(&(stage, *side)));
            // A run that was taken up again derives from where the earlier process did.
            let stage = if has_both(Stage::Migrated) { Stage::Migrated } else { at };
            let mut derived = self.derive(stage)?;
            if stage != Stage::Migrated {
                // Statements may name what only a migration makes, and no check of this stage compares the sides.
                return self.examine_with(check, at, &derived, bounds).await;
            }
            if let Some(problem) = derived.problems.first() {
                return Err(problem.to_string());
            }
            if derived.all().any(|one| one.rejects.is_some()) {
                let mut readers = self.sessions.readers().await?;
                rejected::set_aside(&mut derived, &mut readers).await?;
                self.sessions.give_back(readers).await?;
            }
            self.derived = Some(derived);
        }
        let derived = self.derived.take().expect("just looked");
        let examined = self.examine_with(check, at, &derived, bounds).await;
        self.derived = Some(derived);
        examined
    }

    /// Which rowsets are compared, and how, by the catalogues of a stage.
    pub fn derive(&self, stage: Stage) -> Result<Derived, String> {
        let catalogue = |side| self.snapshots.get(&(stage, side)).map(|state| &state.catalogue);
        let (source, target) =
            catalogue(Side::Source).zip(catalogue(Side::Target)).ok_or("the stage was not recorded")?;
        Ok(comparison::derive_by(source, target, &self.mapping, self.sessions.same_engine()?))
    }

    /// Why something need not be checked, by its subject, as far as the mapping says so.
    pub fn waivers(&self) -> BTreeMap<String, String> {
        match &self.derived {
            Some(derived) => derived.waivers.clone(),
            None => self.derive(Stage::Migrated).map(|derived| derived.waivers).unwrap_or_default(),
        }
    }

    async fn examine_with(
        &mut self,
        check: &'static dyn check::Check,
        stage: Stage,
        derived: &Derived,
        bounds: &Bounds<'_>,
    ) -> Result<Examined, String> {
        let not_carried: Vec<(String, String)> =
            self.not_carried.iter().map(|one| (one.object.clone(), one.reason.clone())).collect();
        let mut cx = CheckContext {
            stage,
            readers: self.sessions.readers().await?,
            snapshots: &self.snapshots,
            derived,
            tally: self.tallies.remove(&stage).unwrap_or_default(),
            not_carried: &not_carried,
            loss_ledger: &self.loss_ledger,
            left_out: &self.left_out,
            redaction: bounds.redaction,
            sample: SAMPLE,
            resources: bounds.resources,
            writes_source: self.writes_source,
            changes_source: self.changes_source,
            surroundings: bounds.surroundings,
            probes: &self.probes,
            probed: &self.probed,
        };
        let examined = check.run(&mut cx).await.map_err(|error| chain(&error))?;
        let CheckContext { readers, tally, .. } = cx;
        self.tallies.insert(stage, tally);
        self.sessions.give_back(readers).await?;
        Ok(examined)
    }
}

/// Bounds an act in time, and ends it when the run is asked to stop.
pub(super) async fn bounded<T>(
    work: impl Future<Output = Result<T, String>>,
    limit: Duration,
    stop: &Stop,
) -> Result<T, String> {
    tokio::select! {
        result = work => result,
        () = tokio::time::sleep(limit) => Err(format!("no end within {} s", limit.as_secs())),
        () = stop.asked() => Err("interrupted".to_owned()),
    }
}

/// Milliseconds since a moment.
pub(super) fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
