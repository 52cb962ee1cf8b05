//! The steps of the migration, each in its own process.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use super::{Course, Rehearsal};
use crate::{
    migrate::{LeftOut, NotCarried, StepDone, StepTask},
    model::{
        Address, EventKind, Outcome, Side, Sides, Stage, chain,
        event::{Direction, Figure},
    },
    run::{child, step_process::FailureKind},
};

/// What whoever takes the run up has to know of a step.
fn told_later(done: &StepDone) -> Json {
    let StepDone { not_carried, stated, loss_ledger, left_out, retried, .. } = done;
    json!({
        "not_carried": not_carried, "stated": stated, "loss_ledger": loss_ledger, "left_out": left_out, "retried": retried
    })
}

impl Rehearsal {
    /// One step of the migration in its own process.
    pub(super) async fn step(
        &mut self,
        id: &str,
        index: usize,
        direction: Direction,
        towards: Stage,
    ) -> (Outcome, u64, Vec<Figure>) {
        let broken = |error: String| (Outcome::Broken { error }, 0, Vec::new());
        let ready = async {
            let scratch = self.announce_scratch(index).await?;
            let address = scratch.as_ref().map(|scratch| scratch.address.clone());
            Ok::<_, String>((self.task(id, index, direction, address)?, scratch))
        };
        let (task, scratch) = match ready.await {
            Ok(ready) => ready,
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
        let ended = child::run(&run.options.program, id, &task, &run.recorder, stopping).await;
        if let Some(scratch) = &scratch {
            self.drop_scratch(scratch).await;
        }
        match ended {
            Ok(done) => {
                self.went(index, direction);
                for text in done.notes.clone() {
                    if let Err(error) = run.recorder.emit(EventKind::Note { text }) {
                        return broken(chain(&error));
                    }
                }
                if matches!(towards, Stage::Baseline | Stage::Migrated) && done.tells_later() {
                    let mark = told_later(&done);
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
    pub(super) fn learned(&mut self, done: StepDone) {
        let unknown: Vec<NotCarried> =
            done.not_carried.into_iter().filter(|one| !self.examination.not_carried.contains(one)).collect();
        self.examination.not_carried.extend(unknown);
        let stated = done
            .stated
            .into_iter()
            .filter(|one| !self.examination.mapping.compare.iter().any(|known| known.source == one.source));
        self.examination.mapping.compare.extend(stated.collect::<Vec<_>>());
        self.examination.loss_ledger.extend(done.loss_ledger);
        LeftOut::learn(&mut self.examination.left_out, done.left_out, done.retried.as_deref());
    }

    fn went(&mut self, index: usize, direction: Direction) {
        if direction == Direction::Back {
            self.standing.remove(&index);
            self.rolled_back.insert(index);
        } else {
            self.standing.insert(index);
        }
    }

    fn task(&self, id: &str, index: usize, direction: Direction, scratch: Option<Address>) -> Result<StepTask, String> {
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
            stated: self.examination.mapping.compare.clone(),
            folder,
            log: Some(self.run.directory.join("commands").join(format!("{}.log", id.replace('/', "-")))),
            marks: marks.collect(),
            reconnect_ms: self.run.options.limits.reconnect_ms,
            scratch,
        })
    }
}

/// How the play goes on after a step that did not succeed.
pub(super) fn after_failure(id: &str, towards: Stage) -> Course {
    let reason = format!("step `{id}` did not succeed");
    match towards {
        // The rollback was proven already, or nothing of it is rehearsed yet; there is nothing to go back to but the end.
        Stage::Reapplied | Stage::Baseline => Course::Over(reason),
        // What a failed rollback left is told by the no-trace check.
        Stage::Migrated | Stage::RolledBack => Course::RollingBack(reason),
    }
}
