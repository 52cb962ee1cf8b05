//! `copy`: rows of any engine into any engine, through a mapping that is data.
//!
//! Rows stream from the source's scan into the target's load, a part of a table at a time, in memory that does not grow. A part
//! and a line that says so in a table of the step's own are one transaction of the target, so that a step that was killed goes
//! on behind the last part that is there. At the end the rows of both sides have to account for each other: read = loaded, and
//! what was read and what was skipped for a stated reason is all that there is.
//!
//! The mapping (see [`crate::document::mapping`]) says what becomes of each table and column; the comparison of source and target
//! follows from the same words, and is carried out by other means.

mod account;
pub(super) mod array;
mod begun;
mod cut;
mod ledger;
mod load;
mod lookup;
mod number;
mod object;
mod parents;
mod plan;
mod play;
mod rejects;
mod resolve;
mod stream;
mod value;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{StepDone, StepError, StepKind, StepTask, StepVoice, transfer::WhenNotEmpty};
use crate::{
    canon::comparison::{Copying, Mapping},
    document::{self, Fields, Problem},
    model::event::Direction,
};

/// Rows of any engine into any engine.
pub struct Copy;

/// Parts that are loaded at the same time, at most.
const MOST_JOBS: u64 = 16;

/// Rows of a part, where nothing else is said.
const BATCH_ROWS: u64 = 50_000;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// What becomes of tables and columns, as far as that is stated.
    copying: Copying,
    /// How both sides compare, as far as that is stated in the same file.
    mapping: Mapping,
    /// Rows of a part.
    batch_rows: u64,
    /// What to do with a target that holds rows.
    when_not_empty: WhenNotEmpty,
    /// What to do with triggers of the target's tables.
    triggers: Triggers,
    /// Which of the source's tables are meant.
    #[serde(default)]
    tables: Meant,
    /// Parts that are loaded at the same time.
    #[serde(default = "one")]
    jobs: u64,
}

const fn one() -> u64 {
    1
}

/// Which of the source's tables are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Meant {
    /// Every one: what the mapping does not name goes by its own name.
    #[default]
    All,
    /// Those that the mapping names; the others are left to other steps.
    Stated,
}

/// What to do with triggers of the target's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Triggers {
    /// Nothing is written to a table that has one.
    Refuse,
    /// They fire for each row that is loaded.
    Fire,
    /// They are set aside while rows come, and while they are taken back.
    Off,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }
}

#[async_trait]
impl StepKind for Copy {
    fn id(&self) -> &'static str {
        "copy"
    }

    fn summary(&self) -> &'static str {
        "copies rows of any engine into any engine through a mapping, a part at a time"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let (mapping, copying) = fields
            .optional_str("mapping")
            .and_then(|written| document::mapping::of_step(fields, &written))
            .unwrap_or_default();
        let batch_rows = fields.optional_u64("batch_rows").map_or(BATCH_ROWS, |written| written.value.max(1));
        let when_not_empty = fields.optional_one_of("when_not_empty", "policy", &["refuse", "clear"]);
        let triggers = fields.optional_one_of("triggers", "policy", &["refuse", "fire", "off"]);
        let jobs = fields.optional_u64("jobs").map_or(1, |jobs| jobs.value.clamp(1, MOST_JOBS));
        let has_mapping = !fields.present(&["mapping"]).is_empty();
        let meant = fields.optional_one_of("tables", "choice of tables", &["all", "stated"]);
        if let Some(word) = meant.as_ref().filter(|word| word.value == "stated" && !has_mapping) {
            let problem = Problem::new(&word.place, "names no table");
            fields.problem(problem.expected("`mapping` beside it"));
        }
        let settings = Settings {
            copying,
            mapping,
            batch_rows,
            when_not_empty: match when_not_empty.map(|word| word.value) {
                Some("clear") => WhenNotEmpty::Clear,
                _ => WhenNotEmpty::Refuse,
            },
            triggers: match triggers.map(|word| word.value) {
                Some("fire") => Triggers::Fire,
                Some("off") => Triggers::Off,
                _ => Triggers::Refuse,
            },
            tables: if meant.is_some_and(|word| word.value == "stated") { Meant::Stated } else { Meant::All },
            jobs,
        };
        serde_json::to_value(settings).unwrap_or_default()
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        if direction == Direction::Back {
            return vec!["empty the tables that the copy filled, keys as they were".to_owned()];
        }
        let mut lines: Vec<String> = Vec::new();
        for one in &settings.copying.tables {
            let filter = one.filter.as_ref().map(|filter| format!(" where {}", filter.sql)).unwrap_or_default();
            lines.push(format!("copy `{}`{filter} into `{}`", one.source, one.target));
        }
        lines.extend(settings.copying.dropped.iter().map(|one| format!("leave `{}` behind: {}", one.source, one.why)));
        lines.push(match settings.tables {
            Meant::All => "copy every other table into the one of its name, column by column".to_owned(),
            Meant::Stated => "leave every other table to other steps".to_owned(),
        });
        let jobs = if settings.jobs > 1 { format!(", {} at a time", settings.jobs) } else { String::new() };
        lines.push(format!(
            "  parts of {} rows, a transaction each{jobs}; rows counted on both sides",
            settings.batch_rows
        ));
        if settings.triggers == Triggers::Off {
            lines.push("  triggers of the target's tables are off meanwhile".to_owned());
        }
        lines
    }

    fn states(&self, config: &Json) -> Option<Mapping> {
        Settings::of(config).ok().map(|settings| settings.mapping)
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        // Also what an earlier, interrupted process of this step has written is taken back if this one fails.
        let mut begun = begun::of(task);
        match play::play(task, &settings, &mut begun, voice).await {
            Err(error) => Err(match begun {
                Some(begun) => begun::undo(task, &begun, error, voice).await,
                None => error,
            }),
            done => done,
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let rows = match begun::of(task) {
            Some(begun) => begun::take_back(task, &begun, voice).await?,
            None => 0,
        };
        Ok(StepDone { rows, ..StepDone::default() })
    }
}
