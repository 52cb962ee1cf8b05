//! `switch`: the application's configuration goes from one database to the other in one act, and back byte for byte.
//!
//! The files are rehearsed in a copy of the application's folder, in the step's own folder. All new texts are made before
//! the first file is touched; the originals are on disk by then, and each file changes by a rename. Whatever fails, or is
//! taken back, goes back to the originals; a file that somebody else changed meanwhile is not written over.

pub(super) mod files;
mod format;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{
    StepDone, StepError, StepKind, StepTask, StepVoice,
    variables::{self, Variables},
};
use crate::{
    document::{Fields, Located, Problem},
    model::event::{Direction, Figure},
};
use files::{Changed, Originals};

/// The application's configuration, from one database to the other.
pub struct Switch;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    /// The application's folder.
    folder: PathBuf,
    /// What URLs begin with, where the application wants another word than the engine's own.
    url_scheme: Option<String>,
    /// What changes.
    files: Vec<FileSettings>,
}

/// What changes in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileSettings {
    /// The file, relative to the application's folder.
    path: PathBuf,
    /// The word of its form.
    format: String,
    /// Which values are set, by key; in the order in which they are written.
    set: Vec<(String, String)>,
}

/// What the journal knows about the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// The originals are on disk; the files change next.
    Switching(Vec<Changed>),
    /// All files are as they were.
    Restored,
}

impl Settings {
    fn of(task: &Json) -> Result<Self, StepError> {
        serde_json::from_value(task.clone()).map_err(|error| StepError::broken("read the step's configuration", error))
    }
}

#[async_trait]
impl StepKind for Switch {
    fn id(&self) -> &'static str {
        "switch"
    }

    fn summary(&self) -> &'static str {
        "changes the application's configuration from one database to the other, in one act"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let folder = fields.required_str("folder");
        let folder = folder.and_then(|written| application(fields, &written)).unwrap_or_default();
        let url_scheme = fields.optional_str("url_scheme").map(|written| written.value);
        let tables = fields.array_of_tables("file");
        if tables.is_empty() {
            let problem = Problem::new(fields.place(), "no [[step.file]]");
            fields.problem(problem.expected("at least one file of the application's that names its database"));
        }
        let files = tables.into_iter().filter_map(|fields| file(fields, &folder)).collect();
        serde_json::to_value(Settings { folder, url_scheme, files }).unwrap_or_default()
    }

    fn may_go_back_otherwise(&self) -> bool {
        false
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        let told = |file: &FileSettings| match direction {
            Direction::Back => format!("bring `{}` back byte for byte", file.path.display()),
            Direction::Forward | Direction::Setup => {
                let keys: Vec<&str> = file.set.iter().map(|(key, _)| key.as_str()).collect();
                format!("set {} in `{}`", keys.join(", "), file.path.display())
            }
        };
        settings.files.iter().map(told).collect()
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        // What an earlier, interrupted process of this step changed goes back first.
        restore(task, voice).await?;
        let application = application_of(task, &settings)?;
        let (originals, texts) = planned(task, &settings, &application)?;
        let changed = originals.keep(&texts)?;
        voice.mark(mark(&Mark::Switching(changed.clone()))).await?;
        if let Err(error) = originals.replace(&texts) {
            return Err(match originals.restore(&changed) {
                Ok(()) => error,
                Err(source) => StepError::Unrestored { what: crate::model::chain(&error), source: Box::new(source) },
            });
        }
        let files = Figure { name: "files".to_owned(), value: texts.len() as f64 };
        Ok(StepDone { figures: vec![files], ..StepDone::default() })
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        restore(task, voice).await?;
        Ok(StepDone::default())
    }
}

/// Brings back what the marks say is changed.
async fn restore(task: &StepTask, voice: &mut dyn StepVoice) -> Result<(), StepError> {
    let mut marks = task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok());
    let Some(Mark::Switching(changed)) = marks.next_back() else { return Ok(()) };
    let settings = Settings::of(&task.config)?;
    Originals::new(task, &application_of(task, &settings)?).restore(&changed)?;
    voice.mark(mark(&Mark::Restored)).await
}

fn mark(mark: &Mark) -> Json {
    serde_json::to_value(mark).expect("marks are plain JSON")
}

/// The copy of the application's folder in which the files change.
fn application_of(task: &StepTask, settings: &Settings) -> Result<PathBuf, StepError> {
    let application = task.folder.join("application");
    if !application.exists() {
        files::copy(&settings.folder, &application)?;
    }
    Ok(application)
}

/// Every file with the text that it gets. Nothing is touched yet.
fn planned(
    task: &StepTask,
    settings: &Settings,
    application: &Path,
) -> Result<(Originals, Vec<(PathBuf, String)>), StepError> {
    let (source, target) = (Some(&task.addresses.source), Some(&task.addresses.target));
    let values = Variables::of_databases(source, target, settings.url_scheme.as_deref());
    let mut wrong = Vec::new();
    let mut texts = Vec::new();
    for file in &settings.files {
        let path = application.join(&file.path);
        let mut text = std::fs::read_to_string(&path)
            .map_err(|error| StepError::broken(format!("read `{}`", file.path.display()), error))?;
        let Some(format) = format::by_id(&file.format) else { continue };
        for (key, value) in &file.set {
            match format.set(&text, key, &values.filled(value)) {
                Ok(new) => text = new,
                Err(why) => wrong.push(format!("`{}`: {why}", file.path.display())),
            }
        }
        texts.push((file.path.clone(), text));
    }
    if wrong.is_empty() {
        Ok((Originals::new(task, application), texts))
    } else {
        Err(StepError::Rejected { what: wrong.join("; ") })
    }
}

/// The application's folder, which has to be there.
fn application(fields: &Fields<'_>, written: &Located<String>) -> Option<PathBuf> {
    let path = fields.folder().join(&written.value);
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.is_dir() {
        return Some(path);
    }
    let problem = Problem::new(&written.place, format!("`{}` is no folder", path.display()));
    fields.problem(problem.expected("the application's folder, relative to the scenario"));
    None
}

/// One `[[step.file]]`.
fn file(mut fields: Fields<'_>, folder: &Path) -> Option<FileSettings> {
    let path = fields.required_str("path").and_then(|written| {
        let path = PathBuf::from(&written.value);
        let is_inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if is_inside && (folder.as_os_str().is_empty() || folder.join(&path).is_file()) {
            return Some(path);
        }
        let problem = Problem::new(&written.place, format!("`{}` is no file of the application's", written.value));
        fields.problem(problem.expected("a file in `folder`, relative to it"));
        None
    });
    let ids: Vec<&'static str> = format::ALL.iter().map(|format| format.id()).collect();
    let format = match fields.optional_one_of("format", "form", &ids) {
        Some(written) => Some(written.value),
        None => path.as_deref().and_then(|path| {
            let usual = format::usual(path).map(|format| format.id());
            if usual.is_none() {
                let problem = Problem::new(fields.place(), format!("nothing tells the form of `{}`", path.display()));
                fields.problem(problem.expected(format!("`format`: one of {}", ids.join(", "))));
            }
            usual
        }),
    };
    let mut set = Vec::new();
    for (key, entry) in fields.required("set", "keys and their values").and_then(|entry| entry.table())?.named() {
        let Some(value) = entry.str() else { continue };
        match variables::value(&value.value, false) {
            Ok(()) => set.push((key.value, value.value)),
            Err(why) => fields.problem(Problem::new(&value.place, why).expected("text with {target_url} and the like")),
        }
    }
    fields.finish();
    Some(FileSettings { path: path?, format: format?.to_owned(), set })
}
