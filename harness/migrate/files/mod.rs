//! `files`: tables out into files of a form that others read, and files into tables.
//!
//! An export is read back and compared with what was written. Before an import touches the target, every file is read
//! to its end; rows whose key is there already end it, are left out, or take the place of what is there. The counts of
//! rows read, inserted, left out and replaced have to add up. Where the scenario says so, files that cannot be taken
//! are left out, named, and taken by a later step. The way back of an import restores what was there before.

mod by_file;
mod dialect;
mod export;
mod failed;
mod form;
mod import;
mod incoming;
mod input;
mod lenience;
mod lines;
mod merge;
mod parts;
mod same;
mod settings;
mod text;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value as Json;

use super::{Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice, transfer::field::Field};
use crate::{
    document::Fields,
    model::{LogicalType, Side, event::Direction},
};
use settings::{Act, Settings};

/// Tables in files.
pub struct Files;

#[async_trait]
impl StepKind for Files {
    fn id(&self) -> &'static str {
        "files"
    }

    fn summary(&self) -> &'static str {
        "exports tables into CSV, JSON or NDJSON files that are read back, and imports such files"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        serde_json::to_value(Settings::read(fields)).unwrap_or_default()
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let Ok(own) = Settings::of(config) else { return Vec::new() };
        let earlier: Vec<(&String, Settings)> = around
            .earlier
            .iter()
            .filter(|(_, kind, _)| *kind == self.id())
            .filter_map(|(name, _, config)| Some((name, Settings::of(config).ok()?)))
            .collect();
        let named = |is_right: &dyn Fn(&String, &Settings) -> bool| -> Vec<String> {
            let right = earlier.iter().filter(|(name, one)| is_right(name, one));
            right.map(|(name, _)| (*name).clone()).collect()
        };
        let exports = named(&|_, one| one.act == Act::Export);
        // A second retry would have nothing to do: the first one takes all of them, or ends.
        let is_retried = |name: &String| earlier.iter().any(|(_, other)| other.retry.as_ref() == Some(name));
        let left = named(&|name, one| one.leaves_files() && one.side == own.side && !is_retried(name));
        let keys = [
            ("from", "export step", own.from, &exports),
            ("same_as", "export step", own.same_as, &exports),
            ("retry", "import of this side with failed files to retry", own.retry, &left),
        ];
        let wrong = keys.into_iter().filter_map(|(key, what, name, known)| {
            let name = name.filter(|name| !known.contains(name))?;
            Some(Misplaced { key, what, name, known: known.clone() })
        });
        wrong.collect()
    }

    fn writes_source(&self, config: &Json) -> bool {
        Settings::of(config).is_ok_and(|settings| settings.act == Act::Import && settings.side == Side::Source)
    }

    fn describe(&self, config: &Json, direction: Direction) -> Vec<String> {
        let Ok(settings) = Settings::of(config) else { return Vec::new() };
        let side = settings.side;
        match (settings.act, direction) {
            (Act::Export, Direction::Back) => vec!["remove the files".to_owned()],
            (Act::Import, Direction::Back) => vec![format!("make the {side} anew, and restore what was in it before")],
            (Act::Export, _) => vec![
                format!("write tables of the {side} into files ({})", settings.written.form),
                "read each file back, and compare it with what was written".to_owned(),
            ],
            (Act::Import, _) => {
                let first = match &settings.retry {
                    Some(step) => format!("take the files that `{step}` left out, one by one"),
                    None => "read every file to its end; nothing is written before".to_owned(),
                };
                let there = format!("{:?}", settings.conflicts).to_lowercase();
                let mut lines =
                    vec![first, format!("insert the rows into the {side}; a key that is there already: {there}")];
                if settings.leaves_files() {
                    lines.push(format!("leave out files that cannot be taken, and name them in {}", failed::LIST));
                }
                lines
            }
        }
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match settings.act {
            Act::Export => export::export(task, &settings, voice).await,
            Act::Import if settings.is_by_file() => by_file::import(task, &settings, voice).await,
            Act::Import => import::import(task, &settings, voice).await,
        }
    }

    async fn back(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match settings.act {
            Act::Export => export::remove(task)?,
            Act::Import => import::take_back(task, &settings, voice).await?,
        }
        Ok(StepDone::default())
    }
}

/// A text of a file as a value for a column of this kind; bytes are written as `\x00ff`.
fn read_text(text: String, kind: &LogicalType) -> Field {
    let digits = || {
        let hex = text.strip_prefix("\\x")?;
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        });
        pairs.collect::<Option<Vec<u8>>>()
    };
    match kind {
        // Columns without a type hold what looks like a text.
        LogicalType::Bytes => digits().map_or(Field::Text(text), Field::Bytes),
        _ => Field::Text(text),
    }
}

/// The folder of an export's files.
fn folder(home: &Path) -> PathBuf {
    home.join("files")
}
