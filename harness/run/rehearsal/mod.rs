//! Plays the acts of one rehearsal.

mod checks;
mod scratch;
mod setting;
mod steps;
mod surroundings;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Instant};

use super::{
    Options, RunError, Stop, clock,
    examination::{Examination, Sessions, millis},
    frame::Played,
    judge,
    plan::{Act, ActKind, RehearsalPlan},
    recorder::Recorder,
    servers::{self, Unready},
    snapshot,
};
use steps::after_failure;

use crate::{
    canon::comparison::Mapping,
    check::Surroundings,
    migrate::{self, StepDone},
    model::{
        Address, EventKind, Outcome, Redaction, RunId, Side, Stage, Verdict,
        event::{Direction, StepStamp},
        report::Report,
    },
    provision::External,
    scenario::{Scenario, StepSpec},
};

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
    /// Its databases, their recorded states, and what the scenario and its steps state about tables and columns.
    examination: Examination,
    course: Course,
    /// Steps that went forward and were not taken back, by position.
    standing: BTreeSet<usize>,
    /// Steps whose rollback ran.
    rolled_back: BTreeSet<usize>,
    /// Ids of acts that an earlier process of the run finished.
    done: BTreeSet<String>,
    /// The target may not be written to; nothing was.
    refused: bool,
    /// What is around the databases, once the preflight asked.
    surroundings: Option<Surroundings>,
    /// Why nothing of the migration is begun.
    no_go: Option<String>,
}

impl Rehearsal {
    /// Prepares the rehearsal at this position of the run's plan.
    pub fn new(run: Arc<Run>, plan: RehearsalPlan, position: usize) -> Self {
        let mapping = Mapping { today: clock::today(), ..run.scenario.stated.clone() };
        let mut examination = Examination::new(Sessions::fresh(), mapping);
        let writes = |step: &StepSpec| migrate::by_id(&step.kind).is_some_and(|kind| kind.writes_source(&step.config));
        examination.changes_source = run.scenario.changes_source.is_some();
        examination.writes_source = run.scenario.rehearsed().iter().any(writes);
        examination.probes.clone_from(&run.scenario.probes);
        Self {
            folder: run.work.join(format!("r{position}")),
            examination,
            run,
            plan,
            course: Course::Whole,
            standing: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            done: BTreeSet::new(),
            refused: false,
            surroundings: None,
            no_go: None,
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
        let reason = self.run.scenario.reason.clone();
        self.run.recorder.emit(EventKind::ScenarioStarted { name, title, reason, target })?;
        self.acts().await?;
        self.conclude()
    }

    /// Goes on with a rehearsal that an earlier process began.
    pub async fn go_on(mut self, earlier: super::resume::Earlier) -> Result<Played, RunError> {
        self.done = earlier.done;
        self.standing = earlier.standing;
        self.rolled_back = earlier.rolled_back;
        earlier.coverage.values().for_each(|coverage| self.examination.coverage.add(coverage));
        self.examination.snapshots = earlier.snapshots;
        self.examination.probed = earlier.probed;
        let (not_carried, stated, left_out) = (earlier.not_carried, earlier.stated, earlier.left_out);
        let loss_ledger = earlier.loss_ledger;
        self.learned(StepDone { not_carried, stated, loss_ledger, left_out, ..StepDone::default() });
        for side in Side::BOTH {
            let wanted = self.wanted(side);
            match servers::reattach(&wanted, &self.run.options.means(), &self.run.recorder.leases()).await {
                Ok(address) => self.examination.sessions.set(side, address),
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
            if matches!(act.kind, ActKind::Step { .. })
                && let Some(reason) = self.no_go.take()
            {
                self.course = Course::Over(reason);
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
            Course::Whole => {
                let name = self.without_way_back().filter(|_| act.kind.is_way_back() || act.kind.is_again())?;
                Some(format!("step `{name}` has no way down, so that there is nothing to go back to"))
            }
            Course::Over(reason) => Some(reason.clone()),
            Course::RollingBack(reason) => match &act.kind {
                ActKind::Step { index, direction: Direction::Back, .. } if self.standing.contains(index) => None,
                ActKind::Record(Stage::RolledBack) | ActKind::Check { stage: Stage::RolledBack, .. } => None,
                _ => Some(reason.clone()),
            },
        }
    }

    /// The first step without a way back.
    fn without_way_back(&self) -> Option<&str> {
        let has_none = |step: &&StepSpec| {
            migrate::by_id(&step.kind).is_some_and(|kind| !migrate::rollback::has_way_back(kind, &step.config))
        };
        self.run.scenario.rehearsed().iter().find(has_none).map(|step| step.name.as_str())
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

    fn conclude(self) -> Result<Played, RunError> {
        let report = Report::from_events(&self.run.recorder.events());
        let report = report
            .as_ref()
            .and_then(|report| report.scenarios.last())
            .ok_or_else(|| RunError::WrongState("the rehearsal left no events".to_owned()))?;
        let (options, scenario) = (&self.run.options, &self.run.scenario);
        let mut waivers = self.examination.waivers();
        waivers.extend(scenario.waivers.clone());
        waivers.extend(scenario.bookkeeping.iter().map(|one| (one.subject(), one.why.clone())));
        let (mut verdict, mut reasons) =
            judge::judge(report, &self.examination.coverage, &waivers, options.require_coverage, &scenario.expect);
        for file in &report.files {
            let mut witness = file.clone();
            witness.sha256_after = snapshot::sha256(&file.path).ok();
            if witness.sha256_after != witness.sha256_before {
                verdict = verdict.merge(Verdict::Inconclusive);
                reasons.push(format!("`{}` was changed by somebody else while the run went on", file.path.display()));
            }
            self.run.recorder.emit(EventKind::FileWitnessed(witness))?;
        }
        let event = EventKind::ScenarioFinished { verdict, reasons, coverage: self.examination.coverage };
        self.run.recorder.emit(event)?;
        Ok(Played { verdict, refused: self.refused })
    }

    fn work(&self) -> PathBuf {
        self.folder.clone()
    }

    fn address(&self, side: Side) -> Result<&Address, String> {
        self.examination.sessions.address(side)
    }
}

pub(super) fn told(unready: &Unready) -> String {
    match unready {
        Unready::Unable(unable) => format!("{}; hint: {}", unable.reason, unable.hint),
        Unready::Refused(what) | Unready::Broken(what) => what.clone(),
    }
}
