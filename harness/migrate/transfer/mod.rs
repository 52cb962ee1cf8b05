//! `transfer`: rows through verified files. Analyze, export with a manifest, verify the export, import.
//!
//! The export is a faithful copy on disk (a JSON file a table, one with all, a manifest with counts and SHA-256) and is
//! verified against its manifest before the target is touched. The import goes table by table in dependency order, a
//! transaction a table, a batch at a time; on any error everything it wrote is taken back, also after a reconnect.

pub(super) mod convert;
mod export;
pub(super) mod field;
mod import;
mod manifest;
mod plan;
mod references;
mod verify;

use std::time::Instant;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{StepDone, StepError, StepKind, StepTask, StepVoice};
use crate::{
    document::Fields,
    model::event::{Direction, Figure},
};
use plan::TransferPlan;

/// Rows through verified files.
pub struct Transfer;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Rows a batch.
    batch_rows: u64,
    /// What to do with a target that holds rows.
    when_not_empty: WhenNotEmpty,
    /// What to do with a row whose parent is missing.
    orphans: Orphans,
}

/// What to do with a target that holds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WhenNotEmpty {
    /// Refuse before the first write.
    Refuse,
    /// Empty its tables first; they cannot be brought back.
    Clear,
}

/// What to do with a row whose parent is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Orphans {
    /// Stop before the import.
    Reject,
    /// Carry them; the orphan check reports them.
    Carry,
}

#[async_trait]
impl StepKind for Transfer {
    fn id(&self) -> &'static str {
        "transfer"
    }

    fn summary(&self) -> &'static str {
        "moves rows through files: export with manifest and SHA-256, verify the export, import"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        fields.optional_one_of("format", "export format", &["json"]);
        let mut word = |key: &str, what: &str, names: &[&'static str; 2]| {
            fields.optional_one_of(key, what, names).map_or(names[0], |written| written.value)
        };
        let when_not_empty = word("when_not_empty", "policy", &["refuse", "clear"]);
        let orphans = word("orphans", "policy", &["reject", "carry"]);
        let batch_rows = fields.optional_u64("batch_rows").map_or(1000, |written| written.value.max(1));
        json!({ "batch_rows": batch_rows, "when_not_empty": when_not_empty, "orphans": orphans })
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        if direction == Direction::Back {
            return vec!["empty the tables that the import filled, counters back to their start".to_owned()];
        }
        let batch = &config["batch_rows"];
        vec![
            "analyze: counts, foreign keys, dependency order, encrypted and JSON fields".to_owned(),
            "export: a JSON file a table, one with all, manifest with counts and SHA-256".to_owned(),
            "verify the export: presence, SHA-256, counts, structure, foreign keys".to_owned(),
            format!(
                "import: empty target, dependency order, batches of {batch}, a transaction a table, counts verified"
            ),
            "  many rows: keys and indexes are set aside for them, and come back checked".to_owned(),
        ]
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings: Settings = serde_json::from_value(task.config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))?;
        // Also what an earlier, interrupted process of this step has written is taken back if this one fails.
        let mut begun = import::begun(task);
        match phases(task, &settings, &mut begun, voice).await {
            Err(error) => Err(match begun {
                Some(begun) => import::undo(task, &begun, error, voice).await,
                None => error,
            }),
            done => done,
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let rows = import::take_back(task, voice).await?;
        Ok(StepDone { rows, ..StepDone::default() })
    }
}

/// Everything from the analysis to the import; `begun` is what may hold something of it.
async fn phases(
    task: &StepTask,
    settings: &Settings,
    begun: &mut Option<import::Begun>,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    let mut clock = Phases::start();
    let plan = TransferPlan::analyze(task).await?;
    clock.end("analyze", plan.rows());
    let manifest = export::export(task, &plan, voice).await?;
    let rows = manifest.rows();
    clock.end("export", rows);
    verify::verify(task, &plan, &manifest, settings.orphans, voice)?;
    clock.end("verify", rows);
    import::import(task, &plan, &manifest, settings, begun, voice).await?;
    clock.end("import", rows);
    Ok(StepDone { rows, figures: clock.figures, not_carried: plan.not_carried, ..StepDone::default() })
}

/// Times the phases of the step.
struct Phases {
    started: Instant,
    figures: Vec<Figure>,
}

impl Phases {
    fn start() -> Self {
        Self { started: Instant::now(), figures: Vec::new() }
    }

    fn end(&mut self, phase: &str, rows: u64) {
        let now = Instant::now();
        let seconds = (now - self.started).as_secs_f64();
        self.started = now;
        self.figures.push(Figure { name: format!("{phase}_ms"), value: (seconds * 1000.0).round() });
        if rows > 0 && seconds > 0.0 {
            self.figures.push(Figure { name: format!("{phase}_rows_per_s"), value: (rows as f64 / seconds).round() });
        }
    }
}
