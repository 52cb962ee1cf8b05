//! Takes a run up again from its journal: `status`, `resume`, `rollback`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Finished, Options, Plan, RunError, Stop, audit,
    execute::Play,
    frame::redaction,
    history,
    journal::{self, Journal},
    plan::{ActKind, RehearsalPlan, stage_word},
    process,
    recorder::{EventSink, Recorder, held},
    registry::{Entry, Registry},
    rehearsal::Run,
    release::owner,
};
use crate::{
    canon::comparison::Stated,
    migrate::{LeftOut, NotCarried},
    model::{
        Coverage, Event, EventKind, Lease, LossEntry, Outcome, RunId, Side, Snapshot, Stage,
        event::{Direction, ProcessStamp},
        probe::Probed,
    },
    provision::{External, UrlSource},
    scenario::Scenario,
};

/// The verb that only rolls back.
const ROLLBACK: &str = "rollback";

/// What an earlier process of a run had done in the rehearsal at which it stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Earlier {
    /// Ids of acts that are done.
    pub done: BTreeSet<String>,
    /// The first act that did not succeed, and the stage that it was to lead to, if it was a step.
    pub failed: Option<(String, Option<Stage>)>,
    /// Steps that went forward and were not taken back.
    pub standing: BTreeSet<usize>,
    /// Steps that began to go forward, and of which nobody knows how far they got.
    pub begun: BTreeSet<usize>,
    /// Steps whose rollback ran.
    pub rolled_back: BTreeSet<usize>,
    /// Coverage by check, from its last word.
    pub coverage: BTreeMap<String, Coverage>,
    /// What its probes saw.
    pub probed: Vec<Probed>,
    /// Recorded states.
    pub snapshots: BTreeMap<(Stage, Side), Snapshot>,
    /// What the migration did not carry over.
    pub not_carried: Vec<NotCarried>,
    /// What its steps stated about the tables that they made.
    pub stated: Vec<Stated>,
    /// Rules by which its steps held things to be the same.
    pub loss_ledger: Vec<LossEntry>,
    /// Files that its steps left out, and none took since.
    pub left_out: Vec<LeftOut>,
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
    /// Whether the rehearsal came to its end.
    pub concluded: bool,
    /// Whether `resume` and `rollback` can go on from here: the baseline was recorded, and something is still held.
    pub can_go_on: bool,
    /// What it was asked to do; `None` for an audit or a history, with which nobody goes on.
    pub options: Option<Options>,
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
    let is_once = [audit::NAME, history::NAME].iter().any(|name| start.options.get(name).is_some());
    let options = match is_once {
        true => None,
        false => Some(
            serde_json::from_value(start.options.clone())
                .map_err(|error| unreadable(&format!("holds options that this version does not know: {error}")))?,
        ),
    };
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
        concluded: false,
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
            EventKind::ScenarioFinished { .. } => standing.concluded = true,
            EventKind::RunResumed { .. } => standing.finished = false,
            EventKind::RunFinished { kept, .. } => (standing.finished, standing.kept) = (true, *kept),
            _ => {}
        }
    }
    standing.can_go_on |= standing.concluded;
    standing.can_go_on &= !standing.leases.is_empty();
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
    /// The program that step processes are started from.
    pub program: PathBuf,
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
    refuse(&standing, again.only_rollback)?;
    // Opened before anything is read for good: from here on no other process can take the run up.
    let journal = Journal::append(&directory)?;
    let events = journal::read(&directory)?;
    let mut options = standing.options.clone().ok_or_else(|| {
        RunError::WrongState(format!("run {} is no rehearsal of a scenario: there is nothing to take up", standing.id))
    })?;
    let plan = Plan::of(&again.scenario, &options);
    let of_rollback = |event: &Event| matches!(&event.kind, EventKind::RunResumed { verb, .. } if verb == ROLLBACK);
    let only_rollback = again.only_rollback || events.iter().any(of_rollback);
    let (first, earlier) = position(&standing, &plan, &events, only_rollback)?;
    let earlier = match earlier {
        true => Some(self::earlier(&directory, &events[scope(&events)..], &plan.rehearsals[first], only_rollback)?),
        false => None,
    };
    let verb = if again.only_rollback { ROLLBACK } else { "resume" };
    options.keep &= !only_rollback;
    options.program = again.program;
    let recorder = Recorder::new(journal, again.sinks, events);
    recorder.emit(EventKind::RunResumed { verb: verb.to_owned(), process: process::current() })?;
    let run = Arc::new(Run {
        work: options.work_root.join(format!("rehearse-{}", standing.id)),
        id: standing.id,
        directory,
        redaction: redaction(options.show_values),
        options,
        scenario: again.scenario,
        recorder,
        stop: again.stop,
        external: again.external,
    });
    Play { run, urls: again.urls, registry: again.registry, first, earlier }.play_out().await
}

/// Why a run cannot be taken up.
fn refuse(standing: &Standing, only_rollback: bool) -> Result<(), RunError> {
    let id = &standing.id;
    let reason = if let Some(process) = standing.alive {
        format!("run {id} is being played by process {}", process.pid)
    } else if standing.leases.is_empty() {
        format!("run {id} holds nothing any more: there is nothing to go on with")
    } else if !standing.can_go_on {
        format!(
            "run {id} was interrupted before its baseline was recorded: there is nothing to go on from; \
             `rehearse clean {id}` gives back what it holds"
        )
    } else if standing.finished && !only_rollback {
        format!("run {id} came to its end: there is nothing to resume")
    } else {
        return Ok(());
    };
    Err(RunError::WrongState(reason))
}

/// The first rehearsal that is still to be played, and whether it had begun.
fn position(
    standing: &Standing,
    plan: &Plan,
    events: &[Event],
    only_rollback: bool,
) -> Result<(usize, bool), RunError> {
    let name = standing.rehearsal.clone().unwrap_or_default();
    let last = plan.rehearsals.iter().position(|rehearsal| rehearsal.name == name).ok_or_else(|| {
        let id = &standing.id;
        RunError::WrongState(format!("the scenario of run {id} has changed: it has no rehearsal `{name}` any more"))
    })?;
    if only_rollback {
        // At its end, what was not to be kept is given back already, or on its way.
        let stands = standing.kept || !standing.concluded;
        return Ok(if stands { (last, true) } else { (plan.rehearsals.len(), false) });
    }
    if !standing.concluded {
        return Ok((last, true));
    }
    let skipped =
        events[scope(events)..].iter().filter(|event| matches!(event.kind, EventKind::ScenarioSkipped { .. }));
    Ok((last + 1 + skipped.count(), false))
}

fn earlier(directory: &Path, events: &[Event], plan: &RehearsalPlan, only_rollback: bool) -> Result<Earlier, RunError> {
    let mut earlier = Earlier { only_rollback, ..Earlier::default() };
    for event in events {
        match &event.kind {
            EventKind::StepStarted(stamp) => earlier.started(&stamp.step, plan),
            EventKind::StepFinished { step, outcome, .. } => earlier.ended(step, outcome, plan),
            EventKind::StepMark { mark, .. } => {
                if let Some(list) = mark.get("not_carried") {
                    let list = serde_json::from_value::<Vec<NotCarried>>(list.clone());
                    earlier.not_carried.extend(list.unwrap_or_default());
                    let stated = mark.get("stated").cloned().unwrap_or_default();
                    earlier.stated.extend(serde_json::from_value::<Vec<Stated>>(stated).unwrap_or_default());
                    let ledger = mark.get("loss_ledger").cloned().unwrap_or_default();
                    earlier.loss_ledger.extend(serde_json::from_value::<Vec<LossEntry>>(ledger).unwrap_or_default());
                    let left_out = mark.get("left_out").cloned().unwrap_or_default();
                    let left_out = serde_json::from_value::<Vec<LeftOut>>(left_out).unwrap_or_default();
                    let retried = mark.get("retried").and_then(|step| step.as_str());
                    LeftOut::learn(&mut earlier.left_out, left_out, retried);
                }
            }
            EventKind::SnapshotTaken { stage, side, file, .. } => {
                earlier.snapshots.insert((*stage, *side), read_snapshot(&directory.join(file))?);
            }
            EventKind::CheckFinished(check)
                if !matches!(check.outcome, Outcome::Broken { .. } | Outcome::Skipped { .. }) =>
            {
                let id = format!("check/{}/{}", stage_word(check.stage), check.id);
                earlier.done.insert(id.clone());
                earlier.coverage.insert(id, check.coverage);
                earlier.probed.extend(check.probed.iter().cloned());
            }
            _ => {}
        }
    }
    // Checks that will run again bring their coverage again.
    let done = &earlier.done;
    earlier.coverage.retain(|id, _| done.contains(id));
    Ok(earlier)
}

impl Earlier {
    fn started(&mut self, id: &str, plan: &RehearsalPlan) {
        if let Some((index, Direction::Forward, _)) = step_of(id, plan) {
            self.begun.insert(index);
            if self.only_rollback {
                // What was proven of the way back holds no longer, now that it went forward again.
                self.rolled_back.clear();
                let is_back = |id: &String| plan.acts.iter().any(|act| act.id == *id && act.kind.is_way_back());
                self.done.retain(|id| !is_back(id));
            }
        }
    }

    fn ended(&mut self, id: &str, outcome: &Outcome, plan: &RehearsalPlan) {
        let step = step_of(id, plan);
        if *outcome != Outcome::Passed {
            self.failed.get_or_insert_with(|| (id.to_owned(), step.map(|(_, _, towards)| towards)));
            return;
        }
        self.done.insert(id.to_owned());
        match step {
            Some((index, Direction::Back, _)) => {
                self.standing.remove(&index);
                self.begun.remove(&index);
                self.rolled_back.insert(index);
            }
            Some((index, ..)) => {
                self.begun.remove(&index);
                self.standing.insert(index);
            }
            None => {}
        }
    }
}

fn step_of(id: &str, plan: &RehearsalPlan) -> Option<(usize, Direction, Stage)> {
    plan.acts.iter().find(|act| act.id == id).and_then(|act| match act.kind {
        ActKind::Step { index, direction, towards } => Some((index, direction, towards)),
        _ => None,
    })
}

fn read_snapshot(path: &Path) -> Result<Snapshot, RunError> {
    let text = std::fs::read(path).map_err(|source| RunError::Journal { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| RunError::UnreadableJournal {
        path: path.to_owned(),
        problem: format!("is no recorded state: {error}"),
    })
}
