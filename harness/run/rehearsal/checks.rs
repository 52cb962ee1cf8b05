//! The checks of a stage.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Rehearsal, bounded, millis};
use crate::{
    canon::comparison::{self, Derived},
    check::{self, CheckContext, Examined, Readers},
    model::{EventKind, Outcome, Share, Side, Sides, Stage, chain, event::CheckFinished},
    run::RunError,
};

/// Sample rows that a finding shows at most.
const SAMPLE: u32 = 10;

impl Rehearsal {
    pub(super) async fn check(&mut self, stage: Stage, id: &'static str) -> Result<(), RunError> {
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

    pub(super) fn skip_check(&mut self, stage: Stage, id: &str, reason: String) -> Result<(), RunError> {
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
}
