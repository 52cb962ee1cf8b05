//! The checks of a stage.

use std::{sync::Arc, time::Duration};

use super::Rehearsal;
use crate::{
    model::{Outcome, Share, Stage},
    run::{
        RunError,
        examination::{Bounds, FailOn, Looked},
    },
};

impl Rehearsal {
    pub(super) async fn check(&mut self, stage: Stage, id: &'static str) -> Result<(), RunError> {
        let run = Arc::clone(&self.run);
        let limit = Duration::from_millis(run.options.limits.act_ms);
        let (redaction, resources) = (&run.redaction, &run.options.resources);
        if stage == Stage::Baseline && self.surroundings.is_none() {
            self.surroundings = Some(self.look_around().await);
        }
        let surroundings = &self.surroundings.clone().unwrap_or_default();
        let bounds = Bounds { limit, stop: &run.stop, redaction, fail_on: &FailOn::ERRORS, resources, surroundings };
        let looked = self.examination.look(stage, id, &bounds).await;
        let is_despite = run.options.despite.iter().any(|despite| despite == id);
        if stage == Stage::Baseline && looked.outcome != Outcome::Passed && !is_despite {
            // The rest of the preflight is worth knowing all the same.
            self.no_go.get_or_insert_with(|| format!("the preflight says no-go: `{id}` {}", looked.outcome.word()));
        }
        self.checked(stage, id, looked)
    }

    pub(super) fn skip_check(&mut self, stage: Stage, id: &str, reason: String) -> Result<(), RunError> {
        self.checked(stage, id, Looked::skipped(reason))
    }

    fn checked(&mut self, stage: Stage, id: &str, mut looked: Looked) -> Result<(), RunError> {
        if id == "no_trace" {
            let proven = if looked.outcome == Outcome::Passed { self.rolled_back.len() as u64 } else { 0 };
            looked.examined.coverage.downs = Share::new(proven, self.run.scenario.rehearsed().len() as u64);
        }
        self.examination.tell(&self.run.recorder, stage, id, looked)
    }
}
