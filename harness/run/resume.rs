//! Takes a run up again from its journal: `status`, `resume`, `rollback`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use serde_json::Value as Json;

use super::{
    Finished, Options, Plan, RunError, Stop,
    execute::{Play, redaction},
    journal::{self, Journal},
    plan::ActKind,
    process,
    recorder::{EventSink, Recorder, held},
    registry::{Entry, Registry},
    rehearsal::Run,
    release::owner,
};
use crate::{
    canon::comparison::Stated,
    migrate::NotCarried,
    model::{
        Coverage, Event, EventKind, Lease, Outcome, RunId, Side, Snapshot, Stage,
        event::{Direction, ProcessStamp},
    },
    provision::{External, UrlSource},
    scenario::Scenario,
};

/// What an earlier process of a run had done in the rehearsal at which it stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier {
    /// Ids of acts that are done.
    pub done: BTreeSet<String>,
    /// Marks by step.
    pub marks: BTreeMap<String, Vec<Json>>,
    /// Steps that went forward and were not taken back.
    pub standing: BTreeSet<usize>,
    /// Steps that began to go forward and did not end.
    pub begun: BTreeSet<usize>,
    /// Steps whose rollback ran.
    pub rolled_back: u64,
    /// Coverage so far.
    pub coverage: Coverage,
    /// Recorded states.
    pub snapshots: BTreeMap<(Stage, Side), Snapshot>,
    /// What the migration did not carry over.
    pub not_carried: Vec<NotCarried>,
    /// What its steps stated about the tables that they made.
    pub stated: Vec<Stated>,
    /// Only roll back, prove it, and end.
    pub only_rollback: bool,
}

/// Where a run stands, from its journal.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The run.
    pub id: RunId,
    /// Its scenario, as far as it got.
    pub rehearsal: Option<String>,
    /// The process that owns it, if that is still there.
    pub alive: Option<ProcessStamp>,
    /// Whether it came to its end.
    pub finished: bool,
    /// Whether it was left standing on request.
    pub kept: bool,
    /// Acts that are done, in order.
    pub done: Vec<String>,
    /// The act that was being played when the journal ends.
    pub interrupted: Option<String>,
    /// What it holds.
    pub leases: Vec<Lease>,
    /// Where its databases are.
    pub places: Vec<(Side, String)>,
    /// Whether `resume` and `rollback` can go on from here: the baseline was recorded.
    pub can_go_on: bool,
    /// What it was asked to do.
    pub options: Options,
}

/// Reads where a run stands.
///
/// # Errors
/// If its journal cannot be read.
pub fn status(directory: &Path) -> Result<Standing, RunError> {
    let events = journal::read(directory)?;
    let unreadable = |problem: &str| RunError::UnreadableJournal {
        path: directory.join(journal::FILE),
        problem: problem.to_owned(),
    };
    let Some(EventKind::RunStarted(start)) = events.first().map(|event| &event.kind) else {
        return Err(unreadable("does not begin with the start of a run"));
    };
    let options: Options = serde_json::from_value(start.options.clone())
        .map_err(|error| unreadable(&format!("holds options that this version does not know: {error}")))?;
    let scope = scope(&events);
    let mut standing = Standing {
        id: start.id.clone(),
        rehearsal: None,
        alive: owner(&events).filter(|owner| process::is_alive(*owner)),
        finished: false,
        kept: false,
        done: Vec::new(),
        interrupted: None,
        leases: held(&events),
        places: Vec::new(),
        can_go_on: false,
        options,
    };
    for event in &events[scope..] {
        match &event.kind {
            EventKind::ScenarioStarted { name, .. } => standing.rehearsal = Some(name.clone()),
            EventKind::SideReady { side, place, .. } => standing.places.push((*side, place.clone())),
            EventKind::StepStarted(stamp) => standing.interrupted = Some(stamp.step.clone()),
            EventKind::StepFinished { step, outcome, .. } => {
                standing.interrupted = None;
                if *outcome == Outcome::Passed {
                    standing.done.push(step.clone());
                }
            }
            EventKind::SnapshotTaken { stage: Stage::Baseline, side: Side::Target, .. } => standing.can_go_on = true,
            EventKind::RunFinished { kept, .. } => (standing.finished, standing.kept) = (true, *kept),
            _ => {}
        }
    }
    let has_servers = standing.leases.len() > 1 || !standing.leases.is_empty();
    standing.can_go_on &= has_servers;
    Ok(standing)
}

/// The position of the last rehearsal's start.
fn scope(events: &[Event]) -> usize {
    events.iter().rposition(|event| matches!(event.kind, EventKind::ScenarioStarted { .. })).unwrap_or(0)
}

/// What is needed to go on with a run, besides its journal.
pub struct Again {
    /// Where the run is registered.
    pub entry: Entry,
    /// Its scenario, read again.
    pub scenario: Scenario,
    /// The registry.
    pub registry: Registry,
    /// The user's own target, found again.
    pub external: Option<External>,
    /// Finds URLs again.
    pub urls: Arc<dyn UrlSource + Send + Sync>,
    /// Whoever watches.
    pub sinks: Vec<Box<dyn EventSink>>,
    /// The wish to stop.
    pub stop: Stop,
    /// Only roll back, prove it, and end.
    pub only_rollback: bool,
}

/// Goes on with an interrupted run (or rolls a kept one back) and plays it to its end.
///
/// # Errors
/// If its process is still there, its baseline was never recorded, or its databases are gone.
pub async fn go_on(again: Again) -> Result<Finished, RunError> {
    let directory = again.entry.directory.clone();
    let standing = status(&directory)?;
    let id = &standing.id;
    if let Some(process) = standing.alive {
        return Err(RunError::WrongState(format!("run {id} is being played by process {}", process.pid)));
    }
    if !standing.can_go_on {
        return Err(RunError::WrongState(format!(
            "run {id} was interrupted before its baseline was recorded: there is nothing to go on from; \
             `rehearse clean {id}` gives back what it holds"
        )));
    }
    if standing.finished && !again.only_rollback {
        return Err(RunError::WrongState(format!("run {id} came to its end: there is nothing to resume")));
    }
    let events = journal::read(&directory)?;
    let plan = Plan::of(&again.scenario, &standing.options);
    let name = standing.rehearsal.clone().unwrap_or_default();
    let position = plan.rehearsals.iter().position(|rehearsal| rehearsal.name == name).ok_or_else(|| {
        RunError::WrongState(format!("the scenario of run {id} has changed: it has no rehearsal `{name}` any more"))
    })?;
    let mut earlier = earlier(&directory, &events[scope(&events)..], &plan.rehearsals[position])?;
    earlier.only_rollback = again.only_rollback;
    let verb = if again.only_rollback { "rollback" } else { "resume" };
    let work = standing.options.work_root.join(format!("rehearse-{id}"));
    let recorder = Recorder::new(Journal::append(&directory)?, again.sinks, events);
    recorder.emit(EventKind::RunResumed { verb: verb.to_owned(), process: process::current() })?;
    let mut options = standing.options;
    options.keep = false;
    let run = Arc::new(Run {
        id: id.clone(),
        directory,
        work,
        redaction: redaction(&options),
        options,
        scenario: again.scenario,
        recorder,
        stop: again.stop,
        external: again.external,
    });
    let earlier = Some((position, earlier));
    Play { run, urls: again.urls, registry: again.registry, earlier }.to_the_end().await
}

fn earlier(directory: &Path, events: &[Event], plan: &super::plan::RehearsalPlan) -> Result<Earlier, RunError> {
    let mut earlier = Earlier::default();
    let step_of = |id: &str| {
        plan.acts.iter().find(|act| act.id == id).and_then(|act| match act.kind {
            ActKind::Step { index, direction, .. } => Some((index, direction)),
            _ => None,
        })
    };
    for event in events {
        match &event.kind {
            EventKind::StepStarted(stamp) => {
                if let Some((index, Direction::Forward)) = step_of(&stamp.step) {
                    earlier.begun.insert(index);
                }
            }
            EventKind::StepMark { step, mark } => {
                if let Some(list) = mark.get("not_carried") {
                    earlier
                        .not_carried
                        .extend(serde_json::from_value::<Vec<NotCarried>>(list.clone()).unwrap_or_default());
                    let stated = mark.get("stated").cloned().unwrap_or_default();
                    earlier.stated.extend(serde_json::from_value::<Vec<Stated>>(stated).unwrap_or_default());
                } else {
                    earlier.marks.entry(step.clone()).or_default().push(mark.clone());
                }
            }
            EventKind::StepFinished { step, outcome: Outcome::Passed, .. } => {
                earlier.done.insert(step.clone());
                match step_of(step) {
                    Some((index, Direction::Back)) => {
                        earlier.standing.remove(&index);
                        earlier.begun.remove(&index);
                        earlier.rolled_back += 1;
                    }
                    Some((index, _)) => {
                        earlier.begun.remove(&index);
                        earlier.standing.insert(index);
                    }
                    None => {}
                }
            }
            EventKind::SnapshotTaken { stage, side, file, .. } => {
                earlier.snapshots.insert((*stage, *side), read_snapshot(&directory.join(file))?);
            }
            EventKind::CheckFinished(check) if !matches!(check.outcome, Outcome::Broken { .. }) => {
                earlier.done.insert(format!("check/{}/{}", super::plan::stage_word(check.stage), check.id));
                earlier.coverage.add(&check.coverage);
            }
            _ => {}
        }
    }
    Ok(earlier)
}

fn read_snapshot(path: &Path) -> Result<Snapshot, RunError> {
    let text = std::fs::read(path).map_err(|source| RunError::Journal { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| RunError::UnreadableJournal {
        path: path.to_owned(),
        problem: format!("is no recorded state: {error}"),
    })
}
