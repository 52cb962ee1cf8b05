//! `backup`: a database in a file, written by the product's own means and proven to be whole.
//!
//! It is written under another name, with a manifest of sizes, digests and every table's rows beside it, looked through, and
//! moved to its place in one act. Only then are older generations let go, and these are set aside until the next backup, so
//! that the way back leaves no fewer than there were.

mod bring;
mod generations;
mod manifest;
mod state;
mod take;
mod tested;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice, engine_of, rollback::table_name,
    switch::files::copy,
};
use crate::{
    document::{Fields, Located, Problem},
    engine::{
        self,
        backup::{BackupPart, Backups, Extent},
    },
    model::{
        Address, EngineId, Side,
        event::{Direction, Figure},
    },
};
pub(super) use bring::{examined, restored};
pub(super) use generations::Generations;
use generations::Keep;
pub(super) use manifest::Manifest;
pub(super) use state::{difference, read};
pub(super) use take::{Name, Taken, take};
use tested::tested;

/// A database in a file.
pub struct Backup;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Whose database it is of.
    side: Side,
    /// The form, where not the engine's usual one.
    format: Option<String>,
    /// So many of the newest generations are kept, whatever their age.
    keep: Option<u64>,
    /// Older ones than so many days are not kept beyond that.
    keep_days: Option<u64>,
    /// Generations that are there already, which are copied.
    folder: Option<PathBuf>,
    /// What of the database.
    #[serde(default)]
    extent: Extent,
    /// Whether it is restored into a scratch database to see that it can be.
    #[serde(default)]
    test_restore: bool,
}

/// What the journal knows about a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// It is written next.
    BackingUp(String),
    /// It is at its place, and restored into the scratch database next.
    Testing(String),
    /// It is at its place; these are set aside next.
    BackedUp(String, Vec<String>),
    /// It is gone, and what was set aside is back.
    Removed,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }

    fn keep(&self) -> Option<Keep> {
        let is_limited = self.keep.is_some() || self.keep_days.is_some();
        is_limited.then(|| Keep { at_least: self.keep.unwrap_or(1), days: self.keep_days })
    }
}

#[async_trait]
impl StepKind for Backup {
    fn id(&self) -> &'static str {
        "backup"
    }

    fn summary(&self) -> &'static str {
        "writes a database into a file by the product's own means, with a manifest, and keeps generations"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = fields.optional_one_of("side", "side", &["source", "target"]).map_or("source", |side| side.value);
        let format = fields.optional_one_of("format", "backup format", &forms(None)).map(|format| format.value);
        let mut at_least_one = |key: &str| {
            let written = fields.optional_u64(key)?;
            if written.value == 0 {
                let problem = Problem::new(&written.place, "the newest backup is always kept");
                fields.problem(problem.expected("1 or more"));
            }
            Some(written.value)
        };
        let (keep, keep_days) = (at_least_one("keep"), at_least_one("keep_days"));
        let folder = fields.optional_str("folder").and_then(|written| folder(fields, &written));
        let extent = extent(fields);
        let test_restore = fields.optional_bool("test_restore");
        if let Some(written) = test_restore.as_ref().filter(|test| test.value && extent.part == BackupPart::Rows) {
            let problem =
                Problem::new(&written.place, "rows alone are not restored without the tables that they go into");
            fields.problem(problem.expected("a backup with definitions"));
        }
        json!({
            "side": side, "format": format, "keep": keep, "keep_days": keep_days, "folder": folder, "extent": extent,
            "test_restore": test_restore.is_some_and(|test| test.value)
        })
    }

    fn dumps(&self, config: &Json) -> Option<Side> {
        Settings::of(config).ok().map(|settings| settings.side)
    }

    fn scratch(&self, config: &Json) -> Option<Side> {
        Settings::of(config).ok().filter(|settings| settings.test_restore).map(|settings| settings.side)
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let Ok(Settings { side, format, extent, .. }) = Settings::of(config) else { return Vec::new() };
        let engine = around.engines.get(side);
        let known = forms(Some(engine));
        let mut wrong = Vec::new();
        if let Some(name) = format.filter(|name| !known.contains(&name.as_str())) {
            let known = known.into_iter().map(str::to_owned).collect();
            wrong.push(Misplaced { key: "format", what: "backup format of this engine", name, known });
        }
        let can = engine::ALL.iter().filter(|engine| engine.backups().is_some_and(|backups| backups.takes_parts()));
        let can: Vec<String> = can.map(|engine| engine.id().to_owned()).collect();
        if !extent.is_all() && !can.iter().any(|one| one == engine.as_str()) {
            let key = if extent.part == BackupPart::Whole { "tables" } else { "part" };
            let what = "engine of which parts are backed up";
            wrong.push(Misplaced { key, what, name: engine.to_string(), known: can });
        }
        wrong
    }

    fn may_go_back_otherwise(&self) -> bool {
        false
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        if direction == Direction::Back {
            return vec!["remove the backup that this step made, and only that".to_owned()];
        }
        let form = settings.format.as_ref().map_or(String::new(), |form| format!(" ({form})"));
        let of = described(&settings);
        let mut lines = vec![format!("back {of} up{form}, with a manifest, and look it through")];
        if settings.test_restore {
            let side = settings.side;
            lines.push(format!(
                "restore it into a scratch database, and compare rows and objects with those of the {side}"
            ));
        }
        if let Some(keep) = settings.keep() {
            let days = keep.days.map_or(String::new(), |days| format!(" and those of the last {days} days"));
            lines.push(format!("keep the newest {}{days}", keep.at_least));
        }
        lines
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        let generations = Generations::of_step(task, &task.name);
        match last(task) {
            // An earlier process of this step came nearly to its end.
            Some(Mark::BackedUp(name, aside)) => {
                generations.set_aside(&aside).map_err(|error| broken("set old backups aside", error))?;
                let manifest = Manifest::read(&generations.path(&name))?;
                return Ok(told(&settings, &generations.path(&name), &manifest, &aside, Vec::new()));
            }
            Some(Mark::BackingUp(name) | Mark::Testing(name)) => {
                generations.remove(&name).map_err(|error| broken("remove an unfinished backup", error))?;
            }
            Some(Mark::Removed) | None => {}
        }
        generations.forget().map_err(|error| broken("remove old backups", error))?;
        if let Some(folder) = settings.folder.as_ref().filter(|_| !generations.is_there()) {
            copy(folder, generations.folder())?;
        }
        let name = Name::Marked(&|name| Mark::BackingUp(name).json());
        let address = task.addresses.get(settings.side);
        let what = (settings.format.as_deref(), &settings.extent);
        let taken = take(address, what, &generations, name, voice).await?;
        let mut notes = proven(task, &settings, &generations, &taken, voice).await?;
        let Taken { name, manifest, .. } = taken;
        let aside = match settings.keep() {
            Some(keep) => {
                let (aside, damaged) = generations.beyond(keep, &name)?;
                notes.extend(damaged);
                aside
            }
            None => Vec::new(),
        };
        voice.mark(Mark::BackedUp(name.clone(), aside.clone()).json()).await?;
        generations.set_aside(&aside).map_err(|error| broken("set old backups aside", error))?;
        Ok(told(&settings, &generations.path(&name), &manifest, &aside, notes))
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let (name, aside) = match last(task) {
            Some(Mark::BackingUp(name) | Mark::Testing(name)) => (name, Vec::new()),
            Some(Mark::BackedUp(name, aside)) => (name, aside),
            Some(Mark::Removed) | None => return Ok(StepDone::default()),
        };
        let generations = Generations::of_step(task, &task.name);
        generations.bring_back(&aside).map_err(|error| broken("bring old backups back", error))?;
        generations.remove(&name).map_err(|error| broken("remove the backup", error))?;
        voice.mark(Mark::Removed.json()).await?;
        Ok(StepDone::default())
    }
}

impl Mark {
    fn json(&self) -> Json {
        serde_json::to_value(self).expect("marks are plain JSON")
    }
}

/// Restores a backup where that is said, to see that it can be. One that cannot does not stay.
async fn proven(
    task: &StepTask,
    settings: &Settings,
    generations: &Generations,
    taken: &Taken,
    voice: &mut dyn StepVoice,
) -> Result<Vec<String>, StepError> {
    if !settings.test_restore {
        return Ok(Vec::new());
    }
    voice.mark(Mark::Testing(taken.name.clone()).json()).await?;
    let proven = tested(task, settings.side, (generations, taken), &settings.extent, voice).await;
    if proven.is_err() {
        // What cannot be removed now is removed by the next attempt, or by the way back; the first error is the one to tell.
        let _ = generations.remove(&taken.name);
    }
    proven
}

/// How the database's engine backs up.
pub(super) fn backups_of(address: &Address) -> Result<&'static dyn Backups, StepError> {
    let engine = engine_of(address)?;
    let what = || format!("databases of {} are not backed up here", engine.title());
    engine.backups().ok_or_else(|| StepError::Refused { what: what() })
}

fn no_form(address: &Address, id: &str) -> StepError {
    StepError::Refused { what: format!("databases of {} have no backup of the form `{id}`", address.engine) }
}

/// The words for forms of one engine, or of all.
fn forms(of: Option<&EngineId>) -> Vec<&'static str> {
    let engines = engine::ALL.iter().filter(|engine| of.is_none_or(|of| of.as_str() == engine.id()));
    let mut forms: Vec<_> = engines
        .filter_map(|engine| engine.backups())
        .flat_map(|backups| backups.forms().iter().map(|form| form.id))
        .collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// A folder of backups, which has to be there.
pub(super) fn folder(fields: &Fields<'_>, written: &Located<String>) -> Option<PathBuf> {
    let path = fields.folder().join(&written.value);
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.is_dir() {
        return Some(path);
    }
    let problem = Problem::new(&written.place, format!("`{}` is no folder", path.display()));
    fields.problem(problem.expected("a folder of backups, relative to the scenario"));
    None
}

/// What of a database is backed up.
fn extent(fields: &mut Fields<'_>) -> Extent {
    let part = match fields.optional_one_of("part", "part", &["whole", "schema", "rows"]).map(|part| part.value) {
        Some("schema") => BackupPart::Schema,
        Some("rows") => BackupPart::Rows,
        _ => BackupPart::Whole,
    };
    let tables = fields.str_list("tables");
    Extent { part, tables: tables.iter().filter_map(|name| table_name(fields, name)).collect() }
}

/// What is backed up, in words.
fn described(settings: &Settings) -> String {
    let Settings { side, extent, .. } = settings;
    let part = match extent.part {
        BackupPart::Whole => "",
        BackupPart::Schema => "the definitions of ",
        BackupPart::Rows => "the rows of ",
    };
    let tables: Vec<String> = extent.tables.iter().map(ToString::to_string).collect();
    match tables.as_slice() {
        [] => format!("{part}the {side}"),
        tables => format!("{part}{} of the {side}", tables.join(", ")),
    }
}

fn broken(doing: &str, error: std::io::Error) -> StepError {
    StepError::broken(doing, error)
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}

fn told(settings: &Settings, path: &Path, manifest: &Manifest, aside: &[String], notes: Vec<String>) -> StepDone {
    let figure = |name: &str, value: f64| Figure { name: name.to_owned(), value };
    let of = format!(
        "backup of {} in {}: {} tables, {} rows, {} bytes, by {}",
        described(settings),
        path.display(),
        manifest.tables.len(),
        manifest.rows(),
        manifest.bytes(),
        manifest.tool
    );
    let gone = (!aside.is_empty()).then(|| format!("older backups are not kept: {}", aside.join(", ")));
    StepDone {
        rows: manifest.rows(),
        figures: vec![figure("backup_bytes", manifest.bytes() as f64)],
        notes: [of].into_iter().chain(gone).chain(notes).collect(),
        ..StepDone::default()
    }
}
