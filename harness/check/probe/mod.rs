//! `probe`: what a scenario asks of the system before and after its migration, and whether the answers hold.
//!
//! A `[[probe]]` is a query, a command or a request: a health endpoint, the sign-in of a user who was carried over, a spot
//! check, a query that must stay quick. It is asked of the source before the migration and after the rollback, and of the
//! target after it (of the target alone, where a database is changed where it stands). A new kind is one file and one line
//! in [`ALL`].

mod http;
mod judge;
mod read;
mod sql;

use std::{
    fmt,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{Check, CheckContext, CheckMeta, Examined, Readers};
use crate::{
    document::Fields,
    engine::EngineError,
    model::{Side, Stage, Unchecked, probe::Probed},
};
pub use read::read;

/// Every kind of probe.
pub const ALL: &[&dyn ProbeKind] = &[&sql::Sql, &http::Http];

/// The check's id: scenarios without a probe leave it out of their plan.
pub const ID: &str = "probe";

/// How long it is waited until something is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// What scenarios can ask.
#[async_trait]
pub trait ProbeKind: Sync {
    /// The keys of a `[[probe]]` that make it one of this kind.
    fn keys(&self) -> &'static [&'static str];

    /// Reads them and what else is its own, or tells what is wrong.
    fn configure(&self, fields: &mut Fields<'_>) -> Json;

    /// Whether it can be asked of a side.
    fn asks(&self, config: &Json, side: Side) -> bool;

    /// Asks once.
    ///
    /// # Errors
    /// Why there is no answer, without a row's value.
    async fn ask(&self, config: &Json, asked: &mut Asked<'_>) -> Result<Answer, String>;

    /// How the answer is come by, where that is told.
    async fn plan(&self, _config: &Json, _asked: &mut Asked<'_>) -> Option<String> {
        None
    }
}

impl fmt::Debug for dyn ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys().join("/"))
    }
}

/// Who is asked.
pub struct Asked<'a> {
    /// The side.
    pub side: Side,
    /// Its sessions.
    pub readers: &'a mut Readers,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it is, without a row's value: `3 rows`.
    pub told: String,
    /// BLAKE3 of all of it.
    pub digest: String,
    /// What was expected in place of it.
    pub unmet: Option<String>,
}

/// One probe of a scenario.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name, unique in the scenario.
    pub name: String,
    /// The step that has to be played for the answer to be the one that is meant.
    pub step: Option<String>,
    /// That step, where it is not played: nothing is asked.
    pub left_to: Option<String>,
    kind: &'static dyn ProbeKind,
    config: Json,
    when: When,
    /// The target stands for both sides.
    in_place: bool,
    /// The answer has to be that of the baseline.
    equal: bool,
    /// The longest median, in milliseconds.
    limit_ms: Option<f64>,
    /// By what the median may be multiplied where the plan is another one.
    slower: Option<f64>,
    /// How often it is timed.
    runs: u32,
    /// How long an answer, or the one that is expected, is waited for.
    patience: Duration,
}

/// When a probe is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
    Both,
}

impl Probe {
    /// What findings and waivers call it.
    pub fn subject(&self) -> String {
        format!("probe:{}", self.name)
    }

    /// The side that is in use at a stage, if the probe is asked there.
    fn side_at(&self, stage: Stage) -> Option<Side> {
        let is_before = matches!(stage, Stage::Baseline | Stage::RolledBack);
        let is_due = match self.when {
            When::Both => true,
            When::Before => is_before,
            When::After => !is_before,
        };
        let side = if is_before && !self.in_place { Side::Source } else { Side::Target };
        (is_due && self.kind.asks(&self.config, side)).then_some(side)
    }

    /// Asks until there is the answer that is expected, or patience ends; then times it.
    async fn probe(
        &self,
        side: Side,
        stage: Stage,
        readers: &mut Readers,
    ) -> Result<(Probed, Option<Answer>), EngineError> {
        let begun = Instant::now();
        let mut attempts = 0;
        let answer = loop {
            attempts += 1;
            let answer = self.kind.ask(&self.config, &mut Asked { side, readers }).await;
            if answer.is_err() {
                readers.recover().await?;
            }
            let is_wanted = answer.as_ref().is_ok_and(|answer| answer.unmet.is_none());
            if is_wanted || begun.elapsed() + PAUSE > self.patience {
                break answer;
            }
            tokio::time::sleep(PAUSE).await;
        };
        let mut probed = Probed {
            name: self.name.clone(),
            stage,
            side,
            told: answer.as_ref().map_or_else(Clone::clone, |answer| answer.told.clone()),
            digest: answer.as_ref().ok().map(|answer| answer.digest.clone()),
            attempts,
            times_ms: Vec::new(),
            plan: None,
        };
        if answer.is_ok() {
            probed.plan = self.kind.plan(&self.config, &mut Asked { side, readers }).await;
            for _ in 0..self.runs {
                let started = Instant::now();
                if self.kind.ask(&self.config, &mut Asked { side, readers }).await.is_err() {
                    readers.recover().await?;
                    break;
                }
                probed.times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        Ok((probed, answer.ok()))
    }
}

/// What a scenario asks holds.
pub struct Probes;

static META: CheckMeta = CheckMeta {
    id: ID,
    asserts: "every [[probe]] of the scenario is answered as it says: by the expected result or the one from before the migration, \
              within its limit, and no slower by another plan",
    why: "rows can be equal and the application out of order all the same: a sign-in that fails, a list that takes a minute",
    remedy: "compare plan and answer of both sides, which the report names; add the index that is missing, and run ANALYZE",
    example: "a query that read an index in the source and reads the whole table in the target",
    stages: &[Stage::Baseline, Stage::Migrated, Stage::RolledBack, Stage::Reapplied],
};

#[async_trait]
impl Check for Probes {
    fn meta(&self) -> &'static CheckMeta {
        &META
    }

    async fn run(&self, cx: &mut CheckContext<'_>) -> Result<Examined, EngineError> {
        let mut examined = Examined::default();
        for probe in cx.probes {
            let Some(side) = probe.side_at(cx.stage) else { continue };
            if let Some(step) = &probe.left_to {
                // Once is enough.
                if cx.stage == Stage::Migrated {
                    let reason = format!("left to the step `{step}`");
                    examined.unchecked.push(Unchecked::new("answer", probe.subject(), reason));
                }
                continue;
            }
            let (probed, answer) = probe.probe(side, cx.stage, &mut cx.readers).await?;
            let before = cx.probed.iter().find(|one| one.name == probe.name && one.stage == Stage::Baseline);
            examined.findings.extend(judge::judge(probe, &probed, answer.as_ref(), before));
            examined.probed.push(probed);
        }
        Ok(examined)
    }
}
