//! `command`: a step whose ways up and down are commands of the user's: alembic, Django, Prisma, Rails, a script, a container.
//!
//! No shell cuts them into words. A command finds both databases in its environment, runs in its own process group, within
//! its deadline, and what it prints is kept in the run's folder, without passwords and within bounds. Whatever it leaves
//! behind is ended and named. With `list` (or `versions`) the step goes version by version, and so does its way back.

mod call;
mod family;
mod kept;
mod settings;
mod versions;

use std::{collections::BTreeSet, path::Path};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{StepDone, StepError, StepKind, StepTask, StepVoice, variables::About};
use crate::{
    document::Fields,
    model::event::{Direction, Figure},
};
use call::{Call, CallError};

pub use settings::Settings;
pub(super) use settings::deadline;
pub use versions::{Listed, Turn};

/// A step of commands.
pub struct Command;

/// What the step's own process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Config {
    #[serde(flatten)]
    settings: Settings,
    /// One migration of a history, which has no source, and of which only what is asked for is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alone: Option<Turn>,
}

/// What the journal knows about a version that is under way; the text is empty where there are no versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// Its way up begins.
    Begins(String),
    /// It is up.
    Up(String),
    /// It is down again.
    Down(String),
}

/// The configuration of a step that runs one migration of a history.
pub fn alone(settings: &Settings, turn: Turn) -> Json {
    serde_json::to_value(Config { settings: settings.clone(), alone: Some(turn) }).unwrap_or_default()
}

/// The versions of a history, in their order. No server is there yet.
///
/// # Errors
/// What is wrong with the command that lists them, or with what it prints.
pub async fn listed(settings: &Settings, work: &Path) -> Result<Vec<Listed>, String> {
    let about = About { step: "list", work, source: None, target: None, turn: None };
    let listed = match family::adopt(true) {
        Ok(()) => list(settings, &about, None).await.map(|(listed, _)| listed),
        Err(error) => Err(error.to_string()),
    };
    // Whatever else this process starts is not ours to look after.
    let _ = family::adopt(false);
    listed
}

#[async_trait]
impl StepKind for Command {
    fn id(&self) -> &'static str {
        "command"
    }

    fn summary(&self) -> &'static str {
        "runs commands of yours for the way up and the way down, without a shell, with both URLs in their environment"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let settings = Settings::read(fields);
        settings.and_then(|settings| serde_json::to_value(Config { settings, alone: None }).ok()).unwrap_or_default()
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(Config { settings, .. }) = serde_json::from_value::<Config>(config.clone()) else { return Vec::new() };
        let line = |words: &[String]| words.join(" ");
        let each = if settings.is_listed() { "for each version: " } else { "" };
        match (direction, &settings.down) {
            (Direction::Back, Some(down)) => vec![format!("{each}{}", line(down))],
            (Direction::Back, None) => vec!["there is no way down".to_owned()],
            _ => {
                let list = settings.list.iter().map(|list| format!("versions from {}", line(list)));
                let status = settings.status.iter().map(|status| format!("then {}", line(status)));
                list.chain([format!("{each}{}", line(&settings.up))]).chain(status).collect()
            }
        }
    }

    fn has_way_back(&self, config: &Json) -> bool {
        config.get("down").is_some_and(|down| !down.is_null())
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let config = read(task)?;
        let Config { settings, alone } = &config;
        let step = Step { task, settings, is_alone: alone.is_some() };
        let mut done = StepDone::default();
        if let (Some(turn), Some(status)) = (alone, settings.status.as_ref().filter(|_| task.is_setup())) {
            step.run(status, Some(turn), &mut done).await?;
            return Ok(done);
        }
        if let Some(turn) = alone {
            step.run(&settings.up, Some(turn), &mut done).await?;
            return Ok(done);
        }
        let standing = Standing::of(&task.marks);
        for turn in step.turns(&mut done).await? {
            let version = turn.as_ref().map_or("", |turn| turn.version.as_str()).to_owned();
            if standing.up.contains(&version) {
                continue;
            }
            voice.mark(marked(&Mark::Begins(version.clone()))).await?;
            step.run(&settings.up, turn.as_ref(), &mut done).await?;
            voice.mark(marked(&Mark::Up(version))).await?;
        }
        if let Some(status) = &settings.status {
            step.run(status, None, &mut done).await?;
        }
        Ok(done)
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let config = read(task)?;
        let Config { settings, alone } = &config;
        let step = Step { task, settings, is_alone: alone.is_some() };
        let mut done = StepDone::default();
        let Some(down) = &settings.down else {
            return Err(StepError::Standing { what: "the step has no way down".to_owned() });
        };
        if let Some(turn) = alone {
            // The database of a history that is interrupted is thrown away.
            if task.direction == Direction::Back {
                step.run(down, Some(turn), &mut done).await?;
            }
            return Ok(done);
        }
        let standing = Standing::of(&task.marks);
        if standing.is_empty() {
            return Ok(done);
        }
        for turn in step.turns(&mut done).await?.into_iter().rev() {
            let version = turn.as_ref().map_or("", |turn| turn.version.as_str()).to_owned();
            let is_begun = standing.begun.as_ref() == Some(&version);
            if !standing.up.contains(&version) && !is_begun {
                continue;
            }
            match step.run(down, turn.as_ref(), &mut done).await {
                // Nobody knows whether there was anything to take back; what is left is found by comparing.
                Err(error) if is_begun => {
                    done.notes.push(format!("of `{}`, which did not come to its end: {error}", task.name))
                }
                ran => ran?,
            }
            voice.mark(marked(&Mark::Down(version))).await?;
        }
        Ok(done)
    }

    async fn halt(&self) {
        family::end(&BTreeSet::new()).await;
    }
}

impl Settings {
    /// Whether there are versions.
    pub const fn is_listed(&self) -> bool {
        self.list.is_some() || !self.versions.is_empty()
    }
}

/// How far an earlier process of a step got.
#[derive(Debug, Default)]
struct Standing {
    /// Versions that are up.
    up: BTreeSet<String>,
    /// The version whose way up began, and of which nobody knows more.
    begun: Option<String>,
}

impl Standing {
    fn of(marks: &[Json]) -> Self {
        let mut standing = Self::default();
        for mark in marks.iter().filter_map(|mark| serde_json::from_value::<Mark>(mark.clone()).ok()) {
            match mark {
                Mark::Begins(version) => standing.begun = Some(version),
                Mark::Up(version) => {
                    standing.begun = None;
                    standing.up.insert(version);
                }
                Mark::Down(version) => {
                    standing.up.remove(&version);
                    standing.begun.take_if(|begun| *begun == version);
                }
            }
        }
        standing
    }

    fn is_empty(&self) -> bool {
        self.up.is_empty() && self.begun.is_none()
    }
}

/// A step under way.
struct Step<'a> {
    task: &'a StepTask,
    settings: &'a Settings,
    is_alone: bool,
}

impl Step<'_> {
    /// Its versions in their order; one turn without a version where there are none.
    async fn turns(&self, done: &mut StepDone) -> Result<Vec<Option<Turn>>, StepError> {
        if !self.settings.is_listed() {
            return Ok(vec![None]);
        }
        self.adopt()?;
        let log = self.log();
        let (listed, left) = list(self.settings, &self.about(None), log)
            .await
            .map_err(|error| StepError::broken("list the versions", error))?;
        note_left(&left, "list", done);
        Ok(versions::turns(&listed, &self.settings.first).into_iter().map(Some).collect())
    }

    /// Runs one of its commands.
    async fn run(&self, words: &[String], turn: Option<&Turn>, done: &mut StepDone) -> Result<(), StepError> {
        self.adopt()?;
        let variables = self.settings.variables(&self.about(turn));
        let call = Call { settings: self.settings, words, variables: &variables, log: self.log(), is_read: false };
        let ended = call::call(&call).await.map_err(|error| match error {
            CallError::NotBegun { program, source } => StepError::broken(format!("run `{program}`"), source),
            failed @ CallError::Failed { .. } => StepError::Standing { what: failed.to_string() },
        })?;
        note_left(&ended.left, words.first().map_or("", String::as_str), done);
        match done.figures.iter_mut().find(|figure| figure.name == PRINTED) {
            Some(figure) => figure.value += ended.bytes as f64,
            None => done.figures.push(Figure { name: PRINTED.to_owned(), value: ended.bytes as f64 }),
        }
        Ok(())
    }

    /// This process is the step's own: what its commands leave behind comes to it.
    fn adopt(&self) -> Result<(), StepError> {
        family::adopt(true).map_err(|error| StepError::broken("look after the processes of a command", error))
    }

    fn about<'a>(&'a self, turn: Option<&'a Turn>) -> About<'a> {
        let addresses = &self.task.addresses;
        About {
            step: &self.task.name,
            work: &self.task.folder,
            source: (!self.is_alone).then_some(&addresses.source),
            target: Some(&addresses.target),
            turn,
        }
    }

    fn log(&self) -> Option<&Path> {
        self.task.log.as_deref()
    }
}

/// Bytes that the commands of a step printed.
const PRINTED: &str = "printed_bytes";

async fn list(
    settings: &Settings,
    about: &About<'_>,
    log: Option<&Path>,
) -> Result<(Vec<Listed>, Vec<String>), String> {
    let Some(words) = &settings.list else {
        let listed = versions::read(&settings.versions.join("\n"))?;
        return Ok((listed, Vec::new()));
    };
    let variables = settings.variables(about);
    let call = Call { settings, words, variables: &variables, log, is_read: true };
    let ended = call::call(&call).await.map_err(|error| error.to_string())?;
    let listed =
        versions::read(&ended.printed).map_err(|problem| format!("what `{}` printed: {problem}", words.join(" ")))?;
    Ok((listed, ended.left))
}

fn note_left(left: &[String], program: &str, done: &mut StepDone) {
    if !left.is_empty() {
        done.notes.push(format!("`{program}` left processes behind, which were ended: {}", left.join(", ")));
    }
}

fn marked(mark: &Mark) -> Json {
    serde_json::to_value(mark).unwrap_or_default()
}

fn read(task: &StepTask) -> Result<Config, StepError> {
    serde_json::from_value(task.config.clone())
        .map_err(|error| StepError::broken("read the step's configuration", error))
}
