//! Plays the acts of one rehearsal.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Options, RunError, Stop, child, judge,
    options::Subject,
    plan::{Act, ActKind, RehearsalPlan, stage_word},
    recorder::Recorder,
    servers::{self, Unready, Wanted},
    snapshot, source,
    step_process::{FailureKind, chain},
};
use crate::{
    canon::comparison::{self, Derived, Stated},
    check::{self, CheckContext, Examined, Readers},
    dataset::Volume,
    migrate::{NotCarried, StepDone, StepTask},
    model::{
        Address, Coverage, EventKind, Outcome, Redaction, RunId, Share, Side, Sides, Snapshot, Stage, Verdict,
        event::{CheckFinished, Direction, Figure, StepStamp},
        report::{Report, TableFingerprint},
    },
    provision::External,
    scenario::Scenario,
};

/// Sample rows that a finding shows at most.
const SAMPLE: u32 = 10;

/// What all rehearsals of a run share.
pub(super) struct Run {
    /// The run.
    pub id: RunId,
    /// The directory of its journal and reports.
    pub directory: PathBuf,
    /// The folder of its own files.
    pub work: PathBuf,
    /// What it was asked to do.
    pub options: Options,
    /// What is rehearsed.
    pub scenario: Scenario,
    /// Where events go.
    pub recorder: Recorder,
    /// The wish to stop.
    pub stop: Stop,
    /// How rows' values may be shown.
    pub redaction: Redaction,
    /// The user's own target, if there is one.
    pub external: Option<External>,
}

/// How the play goes on after an act.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Course {
    /// Everything went well so far.
    Whole,
    /// The migration failed and took itself back: what was done before it is rolled back, and looked at.
    RollingBack(String),
    /// Nothing more can be done, for this reason.
    Over(String),
}

/// One rehearsal that is being played.
pub(super) struct Rehearsal {
    run: Arc<Run>,
    plan: RehearsalPlan,
    /// Its own folder: a short name, because a socket's path has to fit into 107 bytes.
    folder: PathBuf,
    addresses: Sides<Option<Address>>,
    snapshots: BTreeMap<(Stage, Side), Snapshot>,
    derived: Option<Derived>,
    not_carried: Vec<NotCarried>,
    /// What the scenario states about tables and columns, and what steps that made them added.
    stated: Vec<Stated>,
    coverage: Coverage,
    course: Course,
    /// Steps that went forward and were not taken back, by position.
    standing: BTreeSet<usize>,
    /// Steps whose rollback ran.
    rolled_back: BTreeSet<usize>,
    /// Ids of acts that an earlier process of the run finished.
    done: BTreeSet<String>,
    /// The target may not be written to; nothing was.
    refused: bool,
}

/// How a rehearsal ended.
pub(super) struct Played {
    /// Its verdict.
    pub verdict: Verdict,
    /// The user's database was refused before a write.
    pub refused: bool,
}

impl Rehearsal {
    /// Prepares the rehearsal at this position of the run's plan.
    pub fn new(run: Arc<Run>, plan: RehearsalPlan, position: usize) -> Self {
        Self {
            folder: run.work.join(format!("r{position}")),
            stated: run.scenario.stated.clone(),
            run,
            plan,
            addresses: Sides::default(),
            snapshots: BTreeMap::new(),
            derived: None,
            not_carried: Vec::new(),
            coverage: Coverage::default(),
            course: Course::Whole,
            standing: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            done: BTreeSet::new(),
            refused: false,
        }
    }

    /// Plays all acts and judges.
    pub async fn play(mut self) -> Result<Played, RunError> {
        let (name, title) = (self.plan.name.clone(), self.run.scenario.title.clone());
        let target = match self.offers().await {
            Ok(target) => Some(target),
            Err(Unready::Unable(unable)) => {
                let reason = format!("{}; hint: {}", unable.reason, unable.hint);
                let waived = self.run.options.only_runnable;
                self.run.recorder.emit(EventKind::ScenarioSkipped { name, title, reason, waived })?;
                let verdict = if waived { Verdict::Pass } else { Verdict::Inconclusive };
                return Ok(Played { verdict, refused: false });
            }
            // Whatever else is wrong with a server is told by the act that gets it.
            Err(Unready::Refused(_) | Unready::Broken(_)) => None,
        };
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| RunError::Journal { path: self.folder.clone(), source })?;
        self.run.recorder.emit(EventKind::ScenarioStarted { name, title, target })?;
        self.acts().await?;
        self.conclude()
    }

    /// Goes on with a rehearsal that an earlier process began.
    pub async fn go_on(mut self, earlier: super::resume::Earlier) -> Result<Played, RunError> {
        self.done = earlier.done;
        self.standing = earlier.standing;
        self.rolled_back = earlier.rolled_back;
        earlier.coverage.values().for_each(|coverage| self.coverage.add(coverage));
        self.snapshots = earlier.snapshots;
        self.learned(StepDone { not_carried: earlier.not_carried, stated: earlier.stated, ..StepDone::default() });
        for side in Side::BOTH {
            let wanted = self.wanted(side);
            match servers::reattach(&wanted, &self.run.options, &self.run.recorder.leases()).await {
                Ok(address) => *self.addresses.get_mut(side) = Some(address),
                Err(unready) => {
                    let id = &self.run.id;
                    return Err(RunError::WrongState(format!(
                        "failed to reach the {side} again: {}; `rehearse clean {id}` gives back what the run holds",
                        told(&unready)
                    )));
                }
            }
        }
        self.course = match earlier.failed {
            _ if earlier.only_rollback => Course::RollingBack("the run was rolled back on request".to_owned()),
            Some((id, Some(towards))) => after_failure(&id, towards),
            Some((id, None)) => Course::Over(format!("`{id}` did not succeed")),
            None => Course::Whole,
        };
        if matches!(self.course, Course::RollingBack(_)) {
            // How far these got is known to their marks alone; taking nothing back does no harm.
            self.standing.extend(earlier.begun);
        }
        self.acts().await?;
        self.conclude()
    }

    async fn acts(&mut self) -> Result<(), RunError> {
        for act in self.plan.acts.clone() {
            if self.done.contains(&act.id) {
                continue;
            }
            if self.run.stop.is_asked() && !matches!(self.course, Course::Over(_)) {
                self.course = Course::Over("the run was interrupted".to_owned());
            }
            match (&act.kind, self.reason_to_skip(&act)) {
                (ActKind::Check { stage, id }, Some(reason)) => self.skip_check(*stage, id, reason)?,
                (_, Some(_)) => {}
                (_, None) => self.act(&act).await?,
            }
        }
        Ok(())
    }

    /// Why an act is not played, in the course that the rehearsal has taken.
    fn reason_to_skip(&self, act: &Act) -> Option<String> {
        match &self.course {
            Course::Whole => None,
            Course::Over(reason) => Some(reason.clone()),
            Course::RollingBack(reason) => match &act.kind {
                ActKind::Step { index, direction: Direction::Back, .. } if self.standing.contains(index) => None,
                ActKind::Record(Stage::RolledBack) | ActKind::Check { stage: Stage::RolledBack, .. } => None,
                _ => Some(reason.clone()),
            },
        }
    }

    async fn act(&mut self, act: &Act) -> Result<(), RunError> {
        if let ActKind::Check { stage, id } = &act.kind {
            return self.check(*stage, id).await;
        }
        let run = Arc::clone(&self.run);
        let direction = match &act.kind {
            ActKind::Step { direction, .. } => *direction,
            _ => Direction::Setup,
        };
        let name = act.id.rsplit('/').next().unwrap_or(&act.id).to_owned();
        let kind = match &act.kind {
            ActKind::Step { index, .. } => run.scenario.steps[*index].kind.clone(),
            other => other.word().to_owned(),
        };
        run.recorder.emit(EventKind::StepStarted(StepStamp { step: act.id.clone(), name, kind, direction }))?;
        let started = Instant::now();
        let (outcome, rows, figures) = match &act.kind {
            ActKind::Step { index, direction, towards } => self.step(&act.id, *index, *direction, *towards).await,
            other => match self.set_up(other).await {
                Ok(rows) => (Outcome::Passed, rows, Vec::new()),
                Err(error) => {
                    self.course = Course::Over(format!("`{}` did not succeed", act.id));
                    (Outcome::Broken { error }, 0, Vec::new())
                }
            },
        };
        let duration_ms = millis(started);
        run.recorder.emit(EventKind::StepFinished { step: act.id.clone(), outcome, rows, duration_ms, figures })
    }

    /// Everything that is no part of the migration.
    async fn set_up(&mut self, kind: &ActKind) -> Result<u64, String> {
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
                    let file = match side {
                        Side::Source => run.scenario.source.schema.as_ref(),
                        Side::Target => run.scenario.target.schema.as_ref(),
                    };
                    match file {
                        Some(file) => source::schema(self.address(*side)?, file).await.map(|()| 0),
                        None => Ok(0),
                    }
                }
                ActKind::Populate => {
                    let started = Instant::now();
                    self.populate(&|| run.stop.is_asked() || started.elapsed() > limit).await
                }
                ActKind::Record(stage) => self.record(*stage).await,
                ActKind::Step { .. } | ActKind::Check { .. } => Ok(0),
            }
        };
        bounded(work, limit, &run.stop).await
    }

    async fn provision(&mut self, side: Side) -> Result<(), String> {
        let ready = servers::acquire(&self.wanted(side), &self.run.options, &self.run.recorder).await;
        let ready = ready.map_err(|unready| {
            self.refused |= matches!(unready, Unready::Refused(_));
            told(&unready)
        })?;
        self.run.recorder.emit(ready.event).map_err(|error| chain(&error))?;
        *self.addresses.get_mut(side) = Some(ready.address);
        Ok(())
    }

    async fn populate(&mut self, is_over: &(dyn Fn() -> bool + Sync)) -> Result<u64, String> {
        let (options, recorder) = (&self.run.options, &self.run.recorder);
        let address = self.address(Side::Source)?;
        let snapshot = match &options.subject {
            Subject::File { file, .. } => Some(file),
            Subject::Scenario { .. } => options.snapshot.as_ref(),
        };
        if let Some(file) = snapshot {
            return source::copy(file, address, recorder).await;
        }
        let volume = Volume { scale: options.scale, rows: options.rows };
        let dataset = self.run.scenario.source.dataset.as_ref();
        source::populate(address, dataset, &volume, options.root_seed, recorder, is_over).await
    }

    /// Records both sides, one after the other in fresh sessions, on disk and in memory.
    async fn record(&mut self, stage: Stage) -> Result<u64, String> {
        let mut rows = 0;
        for side in Side::BOTH {
            let address = self.address(side)?.clone();
            let doing = format!("record {side} {stage}");
            let told = |rows| self.run.recorder.progress(&doing, rows, None);
            let state = snapshot::record(&address, &told).await.map_err(|error| chain(&error))?;
            let file = PathBuf::from(format!("snapshots/{}-{}-{side}.json", self.plan.name, stage_word(stage)));
            snapshot::store(&state, &self.run.directory.join(&file))?;
            let tables = state.tables.iter();
            let tables = tables.map(|(table, one)| TableFingerprint { table: table.clone(), fingerprint: one.rows });
            let tables: Vec<TableFingerprint> = tables.collect();
            rows += tables.iter().map(|table| table.fingerprint.rows).sum::<u64>();
            let event = EventKind::SnapshotTaken { stage, side, file, tables };
            self.run.recorder.emit(event).map_err(|error| chain(&error))?;
            self.snapshots.insert((stage, side), state);
        }
        Ok(rows)
    }

    /// One step of the migration in its own process.
    async fn step(
        &mut self,
        id: &str,
        index: usize,
        direction: Direction,
        towards: Stage,
    ) -> (Outcome, u64, Vec<Figure>) {
        let broken = |error: String| (Outcome::Broken { error }, 0, Vec::new());
        let task = match self.task(id, index, direction) {
            Ok(task) => task,
            Err(error) => {
                self.course = Course::Over(error.clone());
                return broken(error);
            }
        };
        let limit = Duration::from_millis(self.run.options.limits.act_ms);
        let stop = self.run.stop.clone();
        let stopping = async move {
            tokio::select! { () = stop.asked() => {}, () = tokio::time::sleep(limit) => {} }
        };
        let run = Arc::clone(&self.run);
        match child::run(&run.options.program, id, &task, &run.recorder, stopping).await {
            Ok(done) => {
                self.went(index, direction);
                if towards == Stage::Migrated && !(done.not_carried.is_empty() && done.stated.is_empty()) {
                    let mark = json!({ "not_carried": done.not_carried, "stated": done.stated });
                    if let Err(error) = run.recorder.emit(EventKind::StepMark { step: id.to_owned(), mark }) {
                        return broken(chain(&error));
                    }
                    self.learned(done.clone());
                }
                (Outcome::Passed, done.rows, done.figures)
            }
            Err(failure) => {
                if direction == Direction::Forward && failure.kind == FailureKind::Unrestored {
                    // A step that could not take itself back stands: its rollback is tried once more.
                    self.standing.insert(index);
                }
                // If the run was asked to stop, it ends before the next act.
                self.course = after_failure(id, towards);
                self.refused |= failure.kind == FailureKind::Refused;
                let error = match failure.kind {
                    FailureKind::Interrupted if !run.stop.is_asked() => format!("no end within {} s", limit.as_secs()),
                    _ => failure.error,
                };
                let outcome = match failure.kind {
                    FailureKind::Rejected => Outcome::Failed { because: Some(error) },
                    _ => Outcome::Broken { error },
                };
                (outcome, 0, Vec::new())
            }
        }
    }

    /// Keeps what a step says about what it made. Two steps may say the same.
    fn learned(&mut self, done: StepDone) {
        let unknown: Vec<NotCarried> =
            done.not_carried.into_iter().filter(|one| !self.not_carried.contains(one)).collect();
        self.not_carried.extend(unknown);
        let stated = done.stated.into_iter().filter(|one| !self.stated.iter().any(|known| known.source == one.source));
        self.stated.extend(stated.collect::<Vec<_>>());
    }

    fn went(&mut self, index: usize, direction: Direction) {
        if direction == Direction::Back {
            self.standing.remove(&index);
            self.rolled_back.insert(index);
        } else {
            self.standing.insert(index);
        }
    }

    fn task(&self, id: &str, index: usize, direction: Direction) -> Result<StepTask, String> {
        let spec = &self.run.scenario.steps[index];
        let folder = self.work().join("steps").join(&spec.name);
        std::fs::create_dir_all(&folder).map_err(|error| format!("failed to make `{}`: {error}", folder.display()))?;
        // A rollback works from the marks of the migration that it takes back.
        let forward = [format!("migrate/{}", spec.name), format!("reapply/{}", spec.name)];
        let recorded = self.run.recorder.events();
        let scope = recorded.iter().rposition(|event| matches!(event.kind, EventKind::ScenarioStarted { .. }));
        let marks = recorded[scope.unwrap_or(0)..].iter().filter_map(|event| match &event.kind {
            EventKind::StepMark { step, mark }
                if *step == id || (direction == Direction::Back && forward.contains(step)) =>
            {
                Some(mark.clone())
            }
            _ => None,
        });
        Ok(StepTask {
            kind: spec.kind.clone(),
            name: spec.name.clone(),
            direction,
            config: spec.config.clone(),
            addresses: Sides::new(self.address(Side::Source)?.clone(), self.address(Side::Target)?.clone()),
            stated: self.stated.clone(),
            folder,
            marks: marks.collect(),
            reconnect_ms: self.run.options.limits.reconnect_ms,
        })
    }

    async fn check(&mut self, stage: Stage, id: &'static str) -> Result<(), RunError> {
        let started = Instant::now();
        let limit = Duration::from_millis(self.run.options.limits.act_ms);
        let run = Arc::clone(&self.run);
        let result = match bounded(self.examine(stage, id), limit, &run.stop).await {
            Ok(examined) => examined,
            Err(error) => {
                return self.checked(stage, id, Outcome::Broken { error }, Examined::default(), millis(started));
            }
        };
        let outcome = match &result.skipped {
            Some(reason) => Outcome::Skipped { reason: reason.clone() },
            None if result.has_failed() => Outcome::Failed { because: None },
            None => Outcome::Passed,
        };
        self.checked(stage, id, outcome, result, millis(started))
    }

    async fn examine(&mut self, at: Stage, id: &str) -> Result<Examined, String> {
        let check = check::by_id(id).ok_or_else(|| format!("no check is called `{id}`"))?;
        if self.derived.is_none() {
            let both =
                |stage| self.snapshots.get(&(stage, Side::Source)).zip(self.snapshots.get(&(stage, Side::Target)));
            // A run that was taken up again derives from where the earlier process did.
            let stage = if both(Stage::Migrated).is_some() { Stage::Migrated } else { at };
            let (source, target) = both(stage).ok_or("the stage was not recorded")?;
            let derived = comparison::derive(&source.catalogue, &target.catalogue, &self.stated, self.same_engine());
            if let Some(problem) = derived.problems.first() {
                return Err(problem.clone());
            }
            if stage != Stage::Migrated {
                return self.examine_with(check, at, &derived).await;
            }
            self.derived = Some(derived);
        }
        let derived = self.derived.take().expect("just looked");
        let examined = self.examine_with(check, at, &derived).await;
        self.derived = Some(derived);
        examined
    }

    async fn examine_with(
        &self,
        check: &'static dyn check::Check,
        stage: Stage,
        derived: &Derived,
    ) -> Result<Examined, String> {
        let addresses = Sides::new(self.address(Side::Source)?.clone(), self.address(Side::Target)?.clone());
        let not_carried: Vec<(String, String)> =
            self.not_carried.iter().map(|one| (one.object.clone(), one.reason.clone())).collect();
        let mut cx = CheckContext {
            stage,
            readers: Readers::open(&addresses).await.map_err(|error| chain(&error))?,
            snapshots: &self.snapshots,
            derived,
            not_carried: &not_carried,
            redaction: &self.run.redaction,
            sample: SAMPLE,
            writes_source: false,
        };
        let examined = check.run(&mut cx).await.map_err(|error| chain(&error))?;
        cx.readers.close().await.map_err(|error| chain(&error))?;
        Ok(examined)
    }

    fn skip_check(&mut self, stage: Stage, id: &str, reason: String) -> Result<(), RunError> {
        self.checked(stage, id, Outcome::Skipped { reason }, Examined::default(), 0)
    }

    fn checked(
        &mut self,
        stage: Stage,
        id: &str,
        outcome: Outcome,
        examined: Examined,
        duration_ms: u64,
    ) -> Result<(), RunError> {
        let mut coverage = examined.coverage;
        if id == "no_trace" {
            let proven = if outcome == Outcome::Passed { self.rolled_back.len() as u64 } else { 0 };
            coverage.downs = Share::new(proven, self.run.scenario.steps.len() as u64);
        }
        self.coverage.add(&coverage);
        self.run.recorder.emit(EventKind::CheckFinished(Box::new(CheckFinished {
            id: id.to_owned(),
            stage,
            outcome,
            findings: examined.findings,
            unchecked: examined.unchecked,
            loss_ledger: examined.loss_ledger,
            coverage,
            duration_ms,
        })))
    }

    fn conclude(self) -> Result<Played, RunError> {
        let report = Report::from_events(&self.run.recorder.events());
        let report = report
            .as_ref()
            .and_then(|report| report.scenarios.last())
            .ok_or_else(|| RunError::WrongState("the rehearsal left no events".to_owned()))?;
        let (options, scenario) = (&self.run.options, &self.run.scenario);
        let (mut verdict, mut reasons) =
            judge::judge(report, &self.coverage, &scenario.waivers, options.require_coverage, &scenario.expect);
        for file in &report.files {
            let mut witness = file.clone();
            witness.sha256_after = snapshot::sha256(&file.path).ok();
            if witness.sha256_after != witness.sha256_before {
                verdict = verdict.merge(Verdict::Inconclusive);
                reasons.push(format!("`{}` was changed by somebody else while the run went on", file.path.display()));
            }
            self.run.recorder.emit(EventKind::FileWitnessed(witness))?;
        }
        let event = EventKind::ScenarioFinished { verdict, reasons, coverage: self.coverage };
        self.run.recorder.emit(event)?;
        Ok(Played { verdict, refused: self.refused })
    }

    /// What the target would be here, if both sides can be had; found out before anything is started.
    async fn offers(&self) -> Result<String, Unready> {
        servers::offer(&self.wanted(Side::Source), &self.run.options).await?;
        servers::offer(&self.wanted(Side::Target), &self.run.options).await
    }

    fn wanted(&self, side: Side) -> Wanted<'_> {
        let scenario = &self.run.scenario;
        let (engine, version, image, provider) = match side {
            Side::Source => {
                let source = &scenario.source;
                (&source.engine, source.version.clone(), source.image.clone(), source.provider.clone())
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

    fn same_engine(&self) -> bool {
        self.run.scenario.source.engine == self.run.scenario.target.engine
    }

    fn work(&self) -> PathBuf {
        self.folder.clone()
    }

    fn address(&self, side: Side) -> Result<&Address, String> {
        self.addresses.get(side).as_ref().ok_or_else(|| format!("the {side} is not there"))
    }
}

/// How the play goes on after a step that did not succeed.
fn after_failure(id: &str, towards: Stage) -> Course {
    let reason = format!("step `{id}` did not succeed");
    match towards {
        // The rollback was proven already; there is nothing to go back to but the end.
        Stage::Reapplied => Course::Over(reason),
        // What a failed rollback left is told by the no-trace check.
        Stage::Baseline | Stage::Migrated | Stage::RolledBack => Course::RollingBack(reason),
    }
}

fn told(unready: &Unready) -> String {
    match unready {
        Unready::Unable(unable) => format!("{}; hint: {}", unable.reason, unable.hint),
        Unready::Refused(what) | Unready::Broken(what) => what.clone(),
    }
}

/// Bounds an act in time, and ends it when the run is asked to stop.
async fn bounded<T>(work: impl Future<Output = Result<T, String>>, limit: Duration, stop: &Stop) -> Result<T, String> {
    tokio::select! {
        result = work => result,
        () = tokio::time::sleep(limit) => Err(format!("no end within {} s", limit.as_secs())),
        () = stop.asked() => Err("interrupted".to_owned()),
    }
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
