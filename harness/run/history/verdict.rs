//! What is accepted, what a reader is told, and the verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::play::{Play, Subject};
use crate::{
    migrate::layout::{self, History, Migration},
    model::{
        Accepted, Disorder, DisorderKind, EventKind, FindingKind, HistoryReport, MigrationClass, MigrationReport,
        Report, Severity, Share, StaleAcceptance, Verdict, Worsened, chain, report::ScenarioReport,
    },
    run::{RunError, clock, judge},
    scenario::Acceptance,
};

/// Whether something is accepted as this class under one of these names, and still is.
pub fn accepts(acceptance: &Acceptance, history: &History, names: &[&str], class: &str) -> bool {
    let Acceptance { migration, class: accepted, until, .. } = acceptance;
    let of_history = || history.position(migration).map(|at| history.migrations[at].name.as_str());
    let is_meant = names.contains(&migration.as_str()) || of_history().is_some_and(|name| names.contains(&name));
    accepted == class && is_meant && until.as_ref().is_none_or(|until| *until >= clock::today())
}

impl Subject {
    /// Says that the folder is not as it was read: what was rehearsed is what it held then.
    fn changed_meanwhile(&self) -> Option<String> {
        let folder = &self.options.folder;
        let now = match layout::read(folder, Some(self.history.layout), &self.options.engine) {
            Ok(now) if now.commands.is_some() => {
                return (now.commands != self.history.commands).then(|| meanwhile(&folder.display().to_string()));
            }
            Ok(now) => now.migrations,
            Err(_) => return Some(meanwhile(&folder.display().to_string())),
        };
        let was = &self.history.migrations;
        if now == *was {
            return None;
        }
        let changed = was.iter().find(|one| !now.contains(one)).or_else(|| now.iter().find(|one| !was.contains(one)));
        Some(meanwhile(&changed.map_or_else(|| folder.display().to_string(), |one| one.up.file.display().to_string())))
    }

    /// The acceptance of one of these names as this class, where there is one that still holds; it is marked as used.
    pub(super) fn accepted(&self, names: &[&str], class: &str, used: &mut BTreeSet<usize>) -> Option<Accepted> {
        let found = self.acceptances.iter().position(|one| accepts(one, &self.history, names, class))?;
        let acceptance = &self.acceptances[found];
        used.insert(found);
        Some(Accepted { why: acceptance.why.clone(), until: acceptance.until.clone() })
    }
}

impl Subject {
    /// What is in disorder, with what is accepted of it, and which acceptances that took.
    pub(super) fn disorder(&self) -> (Vec<Disorder>, BTreeSet<usize>) {
        let (mut disorder, mut used) = (self.disorder.clone(), BTreeSet::new());
        for one in &mut disorder {
            one.accepted = self.accepted(&[&one.migration], one.kind.word(), &mut used);
        }
        (disorder, used)
    }
}

fn meanwhile(what: &str) -> String {
    format!("`{what}` was changed while the rehearsal ran, which is about what was there when it began")
}

impl Play {
    /// Tells what became of a migration.
    pub(super) fn tell(&mut self, mut report: MigrationReport) -> Result<(), String> {
        if report.class.severity().is_some() {
            report.accepted = self.subject.accepted(&[&report.name], report.class.word(), &mut self.used);
        }
        for worse in &mut report.worsened {
            worse.accepted = self.subject.accepted(&[&report.name], worse.word(), &mut self.used);
        }
        let is_this = |one: &&Migration| one.name == report.name;
        if self.subject.history.migrations.iter().find(is_this).is_some_and(|one| !one.is_repeatable) {
            let failed = [Some(report.class), report.without_rows].contains(&Some(MigrationClass::DownFails));
            self.coverage.downs += Share::new(u64::from(report.down_ms.is_some() || failed), 1);
        }
        let event = EventKind::MigrationRehearsed(Box::new(report));
        self.subject.recorder.emit(event).map_err(|error| chain(&error))
    }

    /// Ends the rehearsal with its verdict. `broken` says why it did not come to its end.
    pub(super) fn conclude(&mut self, broken: Option<String>) -> Result<Verdict, RunError> {
        let recorder = self.subject.recorder.clone();
        let report = Report::from_events(&recorder.events());
        let mut scenario = report
            .and_then(|mut report| report.scenarios.pop())
            .ok_or_else(|| RunError::WrongState("the history left no events".to_owned()))?;
        let mut stale = Vec::new();
        if let (None, Some(history)) = (&broken, &scenario.history) {
            stale = self.stale(history);
        }
        for one in &stale {
            recorder.emit(EventKind::AcceptanceStale(one.clone()))?;
        }
        if let Some(history) = &mut scenario.history {
            history.stale = stale;
        }
        let (mut verdict, mut reasons) = told(&scenario);
        if let Some(changed) = self.subject.changed_meanwhile() {
            verdict = verdict.merge(Verdict::Inconclusive);
            reasons.push(changed);
        }
        if let Some(error) = broken {
            verdict = verdict.merge(Verdict::Inconclusive);
            reasons.push(format!("the rehearsal did not come to its end: {error}"));
        }
        let gate = self.subject.options.require_coverage;
        let covered = judge::covered(&scenario.unchecked, &self.coverage, &waivers(&scenario), gate, &mut reasons);
        verdict = verdict.merge(covered);
        recorder.emit(EventKind::ScenarioFinished { verdict, reasons, coverage: self.coverage })?;
        Ok(verdict)
    }

    /// Acceptances that expired, or accept what did not come. Of migrations that were not asked for nothing is said.
    fn stale(&self, history: &HistoryReport) -> Vec<StaleAcceptance> {
        let today = clock::today();
        let unused = self.subject.acceptances.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        let stale = unused.filter_map(|(_, acceptance)| {
            let position = self.subject.history.position(&acceptance.migration);
            let expired = acceptance.until.as_ref().filter(|until| **until < today);
            let report = position.and_then(|at| {
                let name = &self.subject.history.migrations[at].name;
                history.migrations.iter().find(|one| one.name == *name)
            });
            let problem = match (expired, position, report) {
                (Some(until), ..) => format!("expired on {until}"),
                // Whoever compares with no revision finds nothing of the kind.
                _ if DisorderKind::of_word(&acceptance.class).is_some() => {
                    history.since.as_ref().map(|since| format!("nothing of the kind happened since {since}"))?
                }
                (None, None, _) if acceptance.migration != acceptance.class => "there is no such migration".to_owned(),
                (None, Some(at), _) if !self.subject.selected.contains(&at) => return None,
                (None, _, Some(_)) if Worsened::KINDS.iter().any(|(_, word)| *word == acceptance.class) => {
                    "its way up leaves nothing of the kind".to_owned()
                }
                (None, _, Some(report)) => format!("it {}", report.class.sentence()),
                (None, _, None) => match &history.chain {
                    Some(chain) => format!("the chain {}", chain.sentence()),
                    None => return None,
                },
            };
            Some(StaleAcceptance {
                migration: acceptance.migration.clone(),
                class: acceptance.class.clone(),
                problem,
                place: acceptance.place.clone(),
            })
        });
        stale.collect()
    }
}

/// What was found, and what that means: a line for each class.
fn told(scenario: &ScenarioReport) -> (Verdict, Vec<String>) {
    let (mut verdict, mut reasons) = (Verdict::Pass, Vec::new());
    for step in scenario.steps.iter().filter(|step| step.outcome.verdict() != Verdict::Pass) {
        verdict = verdict.merge(step.outcome.verdict());
        reasons.push(format!("step `{}` {}", step.id, step.outcome.word()));
    }
    let Some(history) = &scenario.history else { return (verdict, reasons) };
    let mut classes: BTreeMap<MigrationClass, Vec<&str>> = BTreeMap::new();
    let mut worse: BTreeMap<FindingKind, BTreeSet<&str>> = BTreeMap::new();
    for migration in &history.migrations {
        if migration.class_severity() == Some(Severity::Error) {
            classes.entry(migration.class).or_default().push(&migration.name);
        }
        for one in migration.worsened.iter().filter(|one| one.severity() == Severity::Error) {
            worse.entry(one.finding.kind).or_default().insert(&migration.name);
        }
    }
    for (class, names) in classes.iter().rev() {
        verdict = Verdict::Fail;
        reasons.push(match names.as_slice() {
            [name] => format!("`{name}` {}", class.sentence()),
            [first, rest @ ..] => format!("`{first}` and {} more: each {}", rest.len(), class.sentence()),
            [] => class.sentence().to_owned(),
        });
    }
    for (kind, names) in worse {
        verdict = Verdict::Fail;
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        reasons.push(format!("behind {}: {}", shortened(&names), kind.sentence()));
    }
    if let Some(chain) = history.chain.as_ref().filter(|chain| chain.severity() == Some(Severity::Error)) {
        verdict = Verdict::Fail;
        reasons.push(format!("the whole chain {}", chain.sentence()));
    }
    for one in history.disorder.iter().filter(|one| one.severity() == Severity::Error) {
        verdict = Verdict::Fail;
        reasons.push(format!("`{}` {}", one.migration, one.told));
    }
    for stale in &history.stale {
        verdict = Verdict::Fail;
        reasons.push(format!(
            "{}: `{}` is accepted as {}, and {}",
            stale.place, stale.migration, stale.class, stale.problem
        ));
    }
    (verdict, reasons)
}

/// The first of several names, and how many more there are.
fn shortened(names: &[String]) -> String {
    match names {
        [first, _, ..] => format!("{first} and {} more", names.len() - 1),
        _ => names.concat(),
    }
}

/// What need not be checked, because somebody accepts it: ways down that are not there.
fn waivers(scenario: &ScenarioReport) -> BTreeMap<String, String> {
    let migrations = scenario.history.iter().flat_map(|history| &history.migrations);
    let accepted = migrations.filter(|one| one.class == MigrationClass::NoDown);
    accepted.filter_map(|one| Some((one.name.clone(), one.accepted.as_ref()?.why.clone()))).collect()
}
