//! The report: a fold over the events of a run.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::snapshot::{StageFingerprints, TableFingerprint};
use super::{
    Coverage, Event, EventKind, Finding, HistoryReport, LossEntry, Outcome, RunId, Side, Sides, Stage, Unchecked,
    Verdict,
    event::{Direction, Figure},
    probe::{self, Probed},
};

/// Version of the report's form; `reports/report.schema.json` describes it.
pub const FORMAT_VERSION: u32 = 1;

/// What one run did and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`FORMAT_VERSION`] of the tool that wrote it.
    pub format_version: u32,
    /// The run itself.
    pub run: RunSection,
    /// The gravest verdict of its rehearsals.
    pub verdict: Verdict,
    /// All rehearsals' coverage together.
    pub coverage: Coverage,
    /// The rehearsals in the order in which they ran.
    pub scenarios: Vec<ScenarioReport>,
}

/// The run itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunSection {
    /// Its id.
    pub id: RunId,
    /// The seed that everything random derives from.
    pub root_seed: u64,
    /// How it was called.
    pub command: String,
    /// The command that repeats it with the same seed.
    pub repeat: String,
    /// The tool's version.
    pub tool_version: String,
    /// Wall clock of its start, RFC 3339 in UTC.
    pub started_at: String,
    /// Time from its first event to its last, in milliseconds.
    pub duration_ms: u64,
    /// False if the journal ends before the run did.
    pub finished: bool,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// One rehearsal of one scenario on one pair of servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioReport {
    /// The scenario, with the target's version where it is rehearsed on several.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Why the migration is done, where the scenario says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// False if the journal ends before the rehearsal did; its coverage is then what the checks reported so far.
    pub finished: bool,
    /// Its verdict.
    pub verdict: Verdict,
    /// What made the verdict worse than pass.
    pub reasons: Vec<String>,
    /// Why it did not run, where it did not.
    pub skipped: Option<String>,
    /// The source's engine, version and provider.
    pub source: Option<SideReport>,
    /// The target's engine, version and provider.
    pub target: Option<SideReport>,
    /// Files of the user's that were read, with their SHA-256 before and after.
    pub files: Vec<FileWitness>,
    /// The steps in the order in which they ran.
    pub steps: Vec<StepReport>,
    /// The checks in the order in which they ran.
    pub checks: Vec<CheckReport>,
    /// The migrations of a history, each on its own, and all in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryReport>,
    /// What share was checked.
    pub coverage: Coverage,
    /// The fingerprints of every table at every stage.
    pub fingerprints: Vec<StageFingerprints>,
    /// Rules that made unlike values equal, with the rows that they touched.
    pub loss_ledger: Vec<LossEntry>,
    /// What was not checked, and why.
    pub unchecked: Vec<Unchecked>,
    /// What the scenario's probes saw at each stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probed: Vec<Probed>,
}

/// One side of a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideReport {
    /// The engine's id.
    pub engine: String,
    /// The version that it says it has.
    pub version: String,
    /// The provisioner that gave it.
    pub provider: String,
    /// Why that provisioner.
    pub why: String,
    /// How the sessions to a server of the user's are encrypted (`TLSv1.3, server not verified`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
}

/// A file of the user's that was read and must not have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileWitness {
    /// Its path.
    pub path: PathBuf,
    /// SHA-256 before the run, in hexadecimal; `None` if it was not there.
    pub sha256_before: Option<String>,
    /// SHA-256 after the run; `None` if it was not there (or the run has not got so far).
    pub sha256_after: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepReport {
    /// Unique within the plan.
    pub id: String,
    /// Its name in the scenario.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Which way it ran.
    pub direction: Direction,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Rows that it moved.
    pub rows: u64,
    /// Figures of its own.
    pub figures: Vec<Figure>,
}

/// One check at one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// Its id.
    pub id: String,
    /// The stage that it looked at.
    pub stage: Stage,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What it found.
    pub findings: Vec<Finding>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Report {
    /// Folds the events of a run, whole or cut short, into its report. `None` without a first event that names the run.
    pub fn from_events(events: &[Event]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let EventKind::RunStarted(start) = &first.kind else { return None };
        let mut report = Self {
            format_version: FORMAT_VERSION,
            run: RunSection {
                id: start.id.clone(),
                root_seed: start.root_seed,
                command: start.command.join(" "),
                repeat: start.repeat.clone(),
                tool_version: start.tool_version.clone(),
                started_at: first.at.clone(),
                duration_ms: events.last().map_or(0, |last| last.elapsed_ms),
                finished: false,
                notes: Vec::new(),
            },
            verdict: Verdict::Pass,
            coverage: Coverage::default(),
            scenarios: Vec::new(),
        };
        for event in rest {
            report.accept(&event.kind);
        }
        report.conclude();
        Some(report)
    }

    fn accept(&mut self, kind: &EventKind) {
        match kind {
            EventKind::ScenarioStarted { name, title, reason, .. } => {
                self.scenarios.push(ScenarioReport { reason: reason.clone(), ..ScenarioReport::started(name, title) });
            }
            EventKind::ScenarioSkipped { name, title, reason, waived } => {
                let mut skipped = ScenarioReport::started(name, title);
                skipped.finished = true;
                skipped.skipped = Some(reason.clone());
                skipped.unchecked.push(Unchecked::new("scenario", name, reason));
                skipped.verdict = if *waived { Verdict::Pass } else { Verdict::Inconclusive };
                let waiver = if *waived { " (waived by --only-runnable)" } else { "" };
                skipped.reasons.push(format!("skipped: {reason}{waiver}"));
                self.scenarios.push(skipped);
            }
            EventKind::Note { text } => self.run.notes.push(text.clone()),
            EventKind::RunResumed { verb, .. } => {
                self.run.notes.push(format!("the run was taken up again by `{verb}`"))
            }
            EventKind::RunFinished { verdict, .. } => {
                self.run.finished = true;
                self.verdict = self.verdict.merge(*verdict);
            }
            other => {
                if let Some(scenario) = self.scenarios.last_mut() {
                    scenario.accept(other);
                }
            }
        }
    }

    fn conclude(&mut self) {
        if !self.run.finished {
            self.verdict = self.verdict.merge(Verdict::Inconclusive);
            self.run.notes.push("the journal ends before the run did".to_owned());
        }
        for scenario in &mut self.scenarios {
            if !scenario.finished {
                scenario.conclude_early();
            }
            self.verdict = self.verdict.merge(scenario.verdict);
            self.coverage.add(&scenario.coverage);
            scenario.loss_ledger.sort();
            scenario.loss_ledger.dedup();
            scenario.unchecked.sort();
            scenario.unchecked.dedup();
        }
    }

    /// Every finding with the check that reported it, in the order of the report.
    pub fn findings(&self) -> impl Iterator<Item = (&CheckReport, &Finding)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| &scenario.checks)
            .flat_map(|check| check.findings.iter().map(move |finding| (check, finding)))
    }
}

impl ScenarioReport {
    fn started(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            reason: None,
            // Until the rehearsal says otherwise, it did not come to an end.
            finished: false,
            verdict: Verdict::Inconclusive,
            reasons: Vec::new(),
            skipped: None,
            source: None,
            target: None,
            files: Vec::new(),
            steps: Vec::new(),
            checks: Vec::new(),
            history: None,
            coverage: Coverage::default(),
            fingerprints: Vec::new(),
            loss_ledger: Vec::new(),
            unchecked: Vec::new(),
            probed: Vec::new(),
        }
    }

    /// Both sides, as far as they are known.
    pub const fn sides(&self) -> Sides<Option<&SideReport>> {
        Sides::new(self.source.as_ref(), self.target.as_ref())
    }

    /// Says that it did not come to an end; what its checks found until then stays found.
    fn conclude_early(&mut self) {
        self.reasons.push("the rehearsal did not come to an end".to_owned());
        for check in &self.checks {
            self.verdict = self.verdict.merge(check.outcome.verdict());
            if check.outcome != Outcome::Passed {
                self.reasons.push(format!("{} at {}: {}", check.id, check.stage, check.outcome.word()));
            }
        }
    }

    fn accept(&mut self, kind: &EventKind) {
        match kind {
            EventKind::SideReady { side, engine, version, provider, why, encryption, .. } => {
                let ready = Some(SideReport {
                    engine: engine.to_string(),
                    version: version.clone(),
                    provider: provider.clone(),
                    why: why.clone(),
                    encryption: encryption.clone(),
                });
                match side {
                    Side::Source => self.source = ready,
                    Side::Target => self.target = ready,
                }
            }
            EventKind::FileWitnessed(witness) => {
                self.files.retain(|known| known.path != witness.path);
                self.files.push(witness.clone());
            }
            EventKind::StepStarted(stamp) => {
                // A run that was taken up again plays a step anew that did not come to its end.
                self.steps.retain(|step| step.id != stamp.step);
                self.steps.push(StepReport {
                    id: stamp.step.clone(),
                    name: stamp.name.clone(),
                    kind: stamp.kind.clone(),
                    direction: stamp.direction,
                    outcome: Outcome::Broken { error: "the step did not come to an end".to_owned() },
                    duration_ms: 0,
                    rows: 0,
                    figures: Vec::new(),
                });
            }
            EventKind::StepFinished { step, outcome, rows, duration_ms, figures } => {
                if let Some(started) = self.steps.iter_mut().rev().find(|started| started.id == *step) {
                    started.outcome = outcome.clone();
                    started.rows = *rows;
                    started.duration_ms = *duration_ms;
                    started.figures.clone_from(figures);
                }
            }
            EventKind::SnapshotTaken { stage, side, tables, .. } => {
                self.fingerprints.retain(|known| (known.stage, known.side) != (*stage, *side));
                self.fingerprints.push(StageFingerprints { stage: *stage, side: *side, tables: tables.clone() });
            }
            EventKind::CheckFinished(check) => {
                // Stands only if the rehearsal does not come to its end, which brings the whole figures.
                self.coverage.add(&check.coverage);
                self.loss_ledger.extend(check.loss_ledger.iter().cloned());
                self.unchecked.extend(check.unchecked.iter().cloned());
                probe::renew(&mut self.probed, &check.probed);
                self.checks.retain(|known| (&known.id, known.stage) != (&check.id, check.stage));
                self.checks.push(CheckReport {
                    id: check.id.clone(),
                    stage: check.stage,
                    outcome: check.outcome.clone(),
                    findings: check.findings.clone(),
                    duration_ms: check.duration_ms,
                });
            }
            EventKind::ScenarioFinished { verdict, reasons, coverage } => {
                self.finished = true;
                self.verdict = *verdict;
                self.reasons.clone_from(reasons);
                self.coverage = *coverage;
            }
            other => self.accept_of_history(other),
        }
    }
}

impl ScenarioReport {
    fn accept_of_history(&mut self, kind: &EventKind) {
        match kind {
            EventKind::HistoryStarted(history) => {
                self.unchecked.extend(history.unchecked.iter().cloned());
                self.history = Some(*history.clone());
            }
            EventKind::MigrationRehearsed(migration) => self.unchecked.extend(migration.unchecked.iter().cloned()),
            _ => {}
        }
        self.history.iter_mut().for_each(|history| history.accept(kind));
    }
}
