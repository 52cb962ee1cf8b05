//! `restore`: a database out of a backup, proven to hold what the backup's manifest says.
//!
//! Before anything is touched the backup is looked at: digests, the product's own tool, versions. The database as it is then
//! is backed up itself, and the way back brings that back; it is proven by the same means.

use std::{collections::BTreeSet, path::PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice,
    backup::{self, Generations, Manifest, Name, backups_of, examined, restored},
    engine_of,
};
use crate::{
    document::{Fields, Problem},
    engine::backup::{BackupPart, Extent},
    model::{Address, Side, chain, event::Direction},
};

/// A database out of a backup.
pub struct Restore;

/// The folder of what was there before, in the step's own.
const BEFORE: &str = "before";
/// The name of the backup of what was there before.
const KEPT: &str = "kept";
/// The word for the newest generation.
pub(super) const NEWEST: &str = "newest";

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// Whose database it is restored into.
    side: Side,
    /// The step that made the backup.
    from: Option<String>,
    /// A folder of generations, where no step made them.
    folder: Option<PathBuf>,
    /// Which of them.
    generation: String,
    /// What is done with a database that has tables.
    when_not_empty: WhenNotEmpty,
}

/// What is done with a database that has tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhenNotEmpty {
    /// Refuse before the first write.
    Refuse,
    /// All of it gives way to the backup.
    Replace,
}

/// What the journal knows about a restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// What was there before is backed up; the database is written to next.
    Restoring(Before),
    /// All of it is there.
    Restored(Before),
    /// The database is as it was.
    TakenBack,
}

/// What it takes to bring back what was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    /// The statements that make the database anew.
    anew: Vec<String>,
    /// The roles of its server, which a backup may add to.
    roles: BTreeSet<String>,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }

    fn generations(&self, task: &StepTask) -> Generations {
        match (&self.from, &self.folder) {
            (Some(step), _) => Generations::of_step(task, step),
            (None, Some(folder)) => Generations::in_folder(folder),
            (None, None) => Generations::of_step(task, &task.name),
        }
    }
}

#[async_trait]
impl StepKind for Restore {
    fn id(&self) -> &'static str {
        "restore"
    }

    fn summary(&self) -> &'static str {
        "restores a database from a backup that was looked at first, and proves that it holds what the manifest says"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = fields.optional_one_of("side", "side", &["target", "source"]).map_or("target", |side| side.value);
        let from = fields.optional_str("from").map(|from| from.value);
        let written = fields.optional_str("folder");
        if from.is_some() == written.is_some() {
            let message = if from.is_some() { "`from` and `folder` exclude each other" } else { "no backup is named" };
            let problem = Problem::new(fields.place(), message);
            fields.problem(problem.expected("`from`, the name of an earlier step, or `folder`, a folder of backups"));
        }
        let folder = written.and_then(|written| backup::folder(fields, &written));
        let generation = fields.optional_str("generation").map_or(NEWEST.to_owned(), |written| written.value);
        let policy = fields.optional_one_of("when_not_empty", "policy", &["refuse", "replace"]);
        let when_not_empty = policy.map_or("refuse", |written| written.value);
        json!({
            "side": side, "from": from, "folder": folder, "generation": generation, "when_not_empty": when_not_empty
        })
    }

    fn dumps(&self, config: &Json) -> Option<Side> {
        Settings::of(config).ok().map(|settings| settings.side)
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let Ok(Settings { from: Some(name), .. }) = Settings::of(config) else { return Vec::new() };
        misplaced_backup("from", name, around).into_iter().collect()
    }

    async fn given_backup(&self, config: &Json, address: &Address) -> Option<Result<String, StepError>> {
        let settings = Settings::of(config).ok()?;
        let generations = Generations::in_folder(settings.folder.as_deref()?);
        Some(given(&generations, &settings.generation, address).await)
    }

    fn writes_source(&self, config: &Json) -> bool {
        Settings::of(config).is_ok_and(|settings| settings.side == Side::Source)
    }

    fn may_go_back_otherwise(&self) -> bool {
        false
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        let side = settings.side;
        if direction == Direction::Back {
            return vec![format!("make the {side} anew, and restore what was in it before")];
        }
        let from = match (&settings.from, &settings.folder) {
            (Some(step), _) => format!("of step `{step}`"),
            (None, folder) => format!("in {}", folder.as_deref().unwrap_or(std::path::Path::new("?")).display()),
        };
        vec![
            format!("look at the {} backup {from}: digests, the tool's own list, versions", settings.generation),
            format!("back up what is in the {side}, then restore into it"),
            "prove that every table holds the rows that the manifest says".to_owned(),
        ]
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        let address = task.addresses.get(settings.side);
        let generations = settings.generations(task);
        match last(task) {
            Some(Mark::Restored(_)) => return Ok(StepDone::default()),
            // What an earlier, interrupted process left is of no use.
            Some(Mark::Restoring(before)) => taken_back(task, address, &before, voice).await?,
            Some(Mark::TakenBack) | None => {}
        }
        let name = named(&generations, &settings.generation)?;
        let (version, is_empty) = looked_at(address).await?;
        let manifest = examined(&generations, &name, address, &version).await?;
        let is_beside = manifest.part == BackupPart::Rows;
        if is_beside {
            takes_rows(address, &manifest, settings.side, voice).await?;
        } else if !is_empty && settings.when_not_empty == WhenNotEmpty::Refuse {
            let what = format!("the {} has tables, and `when_not_empty = \"replace\"` is not said", settings.side);
            return Err(StepError::Refused { what });
        }
        let before = keep(task, address, voice).await?;
        voice.mark(Mark::Restoring(before.clone()).json()).await?;
        let what_goes = (!is_empty && !is_beside).then_some(&before);
        match replaced(task, address, (&generations, &name, &manifest), what_goes, voice).await {
            Ok(notes) => {
                voice.mark(Mark::Restored(before).json()).await?;
                let of = format!("backup {name}: {} tables, {} rows", manifest.tables.len(), manifest.rows());
                let notes = [of].into_iter().chain(notes).collect();
                Ok(StepDone { rows: manifest.rows(), notes, ..StepDone::default() })
            }
            Err(error) => Err(match taken_back(task, address, &before, voice).await {
                Ok(()) => error,
                Err(source) => StepError::Unrestored { what: chain(&error), source: Box::new(source) },
            }),
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        if let Some(Mark::Restoring(before) | Mark::Restored(before)) = last(task) {
            let settings = Settings::of(&task.config)?;
            taken_back(task, task.addresses.get(settings.side), &before, voice).await?;
        }
        Ok(StepDone::default())
    }
}

impl Mark {
    fn json(&self) -> Json {
        serde_json::to_value(self).expect("marks are plain JSON")
    }
}

/// What is wrong with the name of a backup step, if no earlier step of that kind has it.
pub(super) fn misplaced_backup(key: &'static str, name: String, around: &Around<'_>) -> Option<Misplaced> {
    let backups = around.earlier.iter().filter(|(_, kind, _)| *kind == StepKind::id(&backup::Backup));
    let known: Vec<String> = backups.map(|(name, ..)| name.clone()).collect();
    (!known.contains(&name)).then_some(Misplaced { key, what: "backup step", name, known })
}

/// The name of the generation that is meant.
pub(super) fn named(generations: &Generations, wanted: &str) -> Result<String, StepError> {
    if wanted != NEWEST {
        return Ok(wanted.to_owned());
    }
    let newest = generations.all()?.pop().map(|(_, name)| name);
    let what = || format!("no backup is in `{}`", generations.folder().display());
    newest.ok_or_else(|| StepError::Rejected { what: what() })
}

/// Looks at a generation that nobody has touched yet.
async fn given(generations: &Generations, wanted: &str, address: &Address) -> Result<String, StepError> {
    let name = named(generations, wanted)?;
    let (version, _) = looked_at(address).await?;
    examined(generations, &name, address, &version).await.map(|_| name)
}

/// The server's version, and whether the database has no table.
async fn looked_at(address: &Address) -> Result<(String, bool), StepError> {
    let mut session = engine_of(address)?.connect(address).await?;
    let version = session.version().await?;
    let is_empty = session.introspect().await?.tables.is_empty();
    session.close().await?;
    Ok((version, is_empty))
}

/// Rows alone go into tables that are there and hold none.
async fn takes_rows(
    address: &Address,
    manifest: &Manifest,
    side: Side,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let there = backup::read(address, voice).await?.close().await?;
    for table in manifest.tables.keys() {
        let why = match there.get(table) {
            None => "is not there",
            Some(rows) if rows.rows > 0 => "holds rows already",
            Some(_) => continue,
        };
        let what = format!("{table} of the {side} {why}, and the backup is of rows alone, for empty tables");
        return Err(StepError::Refused { what });
    }
    Ok(())
}

/// Keeps what is there, so that it can be brought back.
pub(super) async fn keep(task: &StepTask, address: &Address, voice: &mut dyn StepVoice) -> Result<Before, StepError> {
    let before = Generations::beside(task, BEFORE);
    backup::take(address, (None, &Extent::default()), &before, Name::Given(KEPT), voice).await?;
    Before::of(address).await
}

/// Restores a generation, in place of what is there if anything is.
async fn replaced(
    task: &StepTask,
    address: &Address,
    (generations, name, manifest): (&Generations, &str, &Manifest),
    what_is_there: Option<&Before>,
    voice: &mut dyn StepVoice,
) -> Result<Vec<String>, StepError> {
    if let Some(before) = what_is_there {
        before.make_anew(address).await?;
    }
    restored(generations, name, manifest, task, address, voice).await
}

async fn taken_back(
    task: &StepTask,
    address: &Address,
    before: &Before,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    bring_back(task, address, before, voice).await?;
    voice.mark(Mark::TakenBack.json()).await
}

/// Brings back what was there before, and proves it.
pub(super) async fn bring_back(
    task: &StepTask,
    address: &Address,
    before: &Before,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let kept = Generations::beside(task, BEFORE);
    let manifest = Manifest::read(&kept.path(KEPT))?;
    manifest.compare(&kept.path(KEPT))?;
    before.make_anew(address).await?;
    restored(&kept, KEPT, &manifest, task, address, voice).await?;
    before.without_roles(address).await
}

impl Before {
    /// Of what is there now.
    pub(super) async fn of(address: &Address) -> Result<Self, StepError> {
        Ok(Self { anew: backups_of(address)?.anew(address, address).await?, roles: roles(address).await? })
    }

    /// Drops the database and makes it anew.
    pub(super) async fn make_anew(&self, address: &Address) -> Result<(), StepError> {
        Ok(backups_of(address)?.make_anew(address, &self.anew).await?)
    }

    /// Drops the roles that were not there.
    pub(super) async fn without_roles(&self, address: &Address) -> Result<(), StepError> {
        let engine = engine_of(address)?;
        let Some(sql) = engine.server().and_then(|server| server.databases.roles) else { return Ok(()) };
        let now = roles(address).await?;
        let mut session = engine.connect(address).await?;
        for role in now.difference(&self.roles) {
            session.execute(&(sql.drop)(&engine.dialect().quote(role))).await?;
        }
        Ok(session.close().await?)
    }
}

/// The roles of a server, where these are looked after.
async fn roles(address: &Address) -> Result<BTreeSet<String>, StepError> {
    let engine = engine_of(address)?;
    let Some(sql) = engine.server().and_then(|server| server.databases.roles) else { return Ok(BTreeSet::new()) };
    let mut session = engine.connect(address).await?;
    let rows = session.query(sql.list).await?;
    session.close().await?;
    Ok(rows.into_iter().flatten().flatten().collect())
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}
