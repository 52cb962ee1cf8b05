//! `migrations`: a database goes along a folder of migrations, up or down, to a version that is named.
//!
//! Where it stands is what the tool's own table says. Each migration runs as its tool would run it, and the tool's table is
//! written in the same transaction. What the schema is at each version is kept on the way up; a way down, or a second way up,
//! that gives another schema fails. The way back of going up are the ways down; of anything else, a backup.

mod states;
mod walk;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice,
    layout::{self, History, LedgerSql},
    restore::{Before, bring_back, keep},
};
use crate::{
    document::{Fields, Problem},
    engine,
    model::{
        EngineId, Side, chain,
        event::{Direction, Figure},
    },
};
use walk::Walk;

/// A database along its migrations.
pub struct Migrations;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Whose database it is.
    side: Side,
    /// The folder of the migrations.
    folder: PathBuf,
    /// Its layout, where that is stated.
    layout: Option<String>,
    /// Where it goes.
    to: Goal,
}

/// Where a database goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Goal {
    /// Behind the last migration.
    Newest,
    /// Before the first.
    Empty,
    /// Behind the migration of this version.
    Version(String),
    /// So many down from where it stands.
    Down(u64),
}

/// The word for the last version.
const NEWEST: &str = "newest";
/// The word for no version at all.
const EMPTY: &str = "empty";

/// What the journal knows about a walk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// The database stands where it stood, and is written to next.
    Going(Start),
    /// It is where it should go.
    Arrived(Start),
    /// It is where it was.
    TakenBack,
}

/// Where a walk began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Start {
    /// How many migrations it had.
    position: usize,
    /// Whether the tool's own table was there.
    has_ledger: bool,
    /// What was there, where the ways down would not bring it back.
    before: Option<Before>,
}

impl Mark {
    fn json(&self) -> Json {
        json!(self)
    }
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }

    fn history(&self, engine: &EngineId) -> Result<History, String> {
        let history = layout::read(&self.folder, self.layout.as_deref(), engine).map_err(|error| error.to_string())?;
        let ledger = layout::by_id(history.layout).and_then(layout::Layout::ledger);
        let says = |engine| ledger.and_then(|ledger| ledger.standing(&LedgerSql { engine }));
        let is_told = engine::by_id(engine.as_str()).and_then(says).is_some();
        if !is_told || history.commands.is_some() {
            let folder = self.folder.display();
            return Err(format!(
                "`{folder}` is of the layout {}, which does not say where a database is",
                history.layout
            ));
        }
        Ok(history)
    }
}

impl Goal {
    fn position(&self, history: &History, from: usize) -> Result<usize, StepError> {
        let rejected = |what: String| Err(StepError::Rejected { what });
        match self {
            Self::Newest => Ok(history.migrations.len()),
            Self::Empty => Ok(0),
            Self::Version(version) => match history.position(version) {
                Some(at) => Ok(at + 1),
                None => rejected(format!("no migration is called `{version}`")),
            },
            Self::Down(steps) => match from.checked_sub(usize::try_from(*steps).unwrap_or(usize::MAX)) {
                Some(to) => Ok(to),
                None => rejected(format!("{from} migrations are there, and {steps} cannot be taken down")),
            },
        }
    }
}

#[async_trait]
impl StepKind for Migrations {
    fn id(&self) -> &'static str {
        "migrations"
    }

    fn summary(&self) -> &'static str {
        "takes a database up or down along a folder of migrations, and compares its schema with that of the first time"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = fields.optional_one_of("side", "side", &["target", "source"]).map(|side| side.value);
        let side = if side == Some("source") { Side::Source } else { Side::Target };
        let ids: Vec<&'static str> = layout::ALL.iter().map(|layout| layout.id()).collect();
        let layout = fields.optional_one_of("layout", "layout", &ids).map(|layout| layout.value);
        let written = fields.required_str("folder");
        let folder = written.as_ref().map(|written| fields.folder().join(&written.value)).unwrap_or_default();
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let (to, down) = (fields.optional_str("to"), fields.optional_u64("down"));
        if to.is_some() == down.is_some() {
            let wrong = if to.is_some() { "`to` and `down` exclude each other" } else { "nothing says where to go" };
            let right = format!("`to`, a version, `{NEWEST}` or `{EMPTY}`, or `down`, a number of migrations");
            fields.problem(Problem::new(fields.place(), wrong).expected(right));
        }
        let to = match (to.map(|to| to.value), down) {
            (Some(word), _) if word == NEWEST => Goal::Newest,
            (Some(word), _) if word == EMPTY => Goal::Empty,
            (Some(version), _) => Goal::Version(version),
            (None, down) => Goal::Down(down.map_or(0, |down| down.value)),
        };
        let settings = Settings { side, folder, layout: layout.map(str::to_owned), to };
        // Which engine it is for is not known here; a folder that is right for none is wrong.
        let histories = engine::ALL.iter().map(|engine| settings.history(&engine::engine_id(*engine)));
        let wrong: Result<(), String> =
            histories.map(|history| history.map(drop)).reduce(|first, other| other.or(first)).unwrap_or(Ok(()));
        if let (Some(written), Err(why)) = (written, wrong) {
            let problem = Problem::new(&written.place, why);
            fields.problem(
                problem.expected("a folder of migrations whose tool keeps versions, relative to the scenario"),
            );
        }
        json!(settings)
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        match (settings.history(around.engines.get(settings.side)), &settings.to) {
            (Ok(history), Goal::Version(version)) if history.position(version).is_none() => {
                let known = history.migrations.iter().map(|one| one.version.clone()).collect();
                vec![Misplaced { key: "to", what: "version", name: version.clone(), known }]
            }
            _ => Vec::new(),
        }
    }

    fn writes_source(&self, config: &Json) -> bool {
        Settings::of(config).is_ok_and(|settings| settings.side == Side::Source)
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        let (side, folder) = (settings.side, name_of(&settings.folder));
        match (direction, &settings.to) {
            (Direction::Back, Goal::Newest | Goal::Version(_)) => {
                vec![format!("take the {side} back to the version at which it was")]
            }
            (Direction::Back, _) => vec![format!("make the {side} anew, and restore what was in it before")],
            (_, Goal::Newest) => vec![format!("take the {side} up to the newest version of `{folder}`")],
            (_, Goal::Empty) => vec![format!("take the {side} down before the first version of `{folder}`")],
            (_, Goal::Version(to)) => vec![format!("take the {side} to version {to} of `{folder}`")],
            (_, Goal::Down(steps)) => vec![format!("take the {side} down by {steps} of `{folder}`")],
        }
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match last(task) {
            Some(Mark::Arrived(_)) => return Ok(StepDone::default()),
            Some(Mark::Going(start)) => taken_back(task, &settings, &start, voice).await?,
            Some(Mark::TakenBack) | None => {}
        }
        let walk = Walk::of(task, &settings)?;
        let (from, has_ledger) = walk.standing().await?;
        walk.unchanged(from).await?;
        let to = settings.to.position(&walk.history, from)?;
        walk.ways(from, to)?;
        // Ways down lose rows, and what is no transaction may end in its middle.
        let is_kept = to < from || !walk.are_whole(from, to);
        let before = if is_kept { Some(keep(task, walk.address, voice).await?) } else { None };
        let start = Start { position: from, has_ledger, before };
        voice.mark(Mark::Going(start.clone()).json()).await?;
        match walk.go(from, to, voice).await {
            Ok(compared) => {
                voice.mark(Mark::Arrived(start).json()).await?;
                let figure = |name: &str, value: usize| Figure { name: name.to_owned(), value: value as f64 };
                let figures = vec![figure("migrations", from.abs_diff(to)), figure("versions_compared", compared)];
                Ok(StepDone { figures, ..StepDone::default() })
            }
            Err(error) => Err(match taken_back(task, &settings, &start, voice).await {
                Ok(()) => error,
                Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
            }),
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        if let Some(Mark::Going(start) | Mark::Arrived(start)) = last(task) {
            taken_back(task, &Settings::of(&task.config)?, &start, voice).await?;
        }
        Ok(StepDone::default())
    }
}

/// Brings a database back to where a walk began.
async fn taken_back(
    task: &StepTask,
    settings: &Settings,
    start: &Start,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let walk = Walk::of(task, settings)?;
    match &start.before {
        Some(before) => bring_back(task, walk.address, before, voice).await?,
        None => {
            let (from, _) = walk.standing().await?;
            walk.ways(from, start.position)?;
            walk.go(from, start.position, voice).await?;
            if !start.has_ledger {
                walk.forget().await?;
            }
        }
    }
    voice.mark(Mark::TakenBack.json()).await
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}

fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
