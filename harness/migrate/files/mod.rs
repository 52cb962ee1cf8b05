//! `files`: tables out into files of a form that others read, and files into tables.
//!
//! An export is read back and compared with what was written. Before an import touches the target, every file is read to its
//! end; rows whose key is there already end it, are left out, or take the place of what is there. The counts of rows read,
//! inserted, left out and replaced have to add up. The way back of an import restores what was there before.

mod dialect;
mod export;
mod form;
mod import;
mod input;
mod lenience;
mod lines;
mod merge;
mod parts;
mod text;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Around, Misplaced, StepDone, StepError, StepKind, StepTask, StepVoice, transfer::field::Field};
use crate::{
    document::{Fields, Located, Problem},
    model::{LogicalType, Side, TableName, event::Direction},
};
use dialect::Written;
use lenience::Lenience;

/// Tables in files.
pub struct Files;

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    act: Act,
    /// Whose tables.
    side: Side,
    /// The tables that are exported; all, where none is named.
    tables: Vec<TableName>,
    /// The table for each row of which there is a file, with all that hangs on it.
    #[serde(default)]
    one_file_per: Option<TableName>,
    /// The step whose export had the same rows.
    #[serde(default)]
    same_as: Option<String>,
    /// The form and how it is written.
    written: Written,
    /// What becomes of a row whose key is there already.
    conflicts: Conflicts,
    /// The step whose export is imported.
    from: Option<String>,
    /// By the export's table: the one that its rows go into, where that is called otherwise.
    #[serde(default)]
    into: Vec<(TableName, TableName)>,
    /// Files of the user's.
    files: Vec<GivenFile>,
    /// What is done with rows that cannot be taken, and with keys that are not there.
    #[serde(default)]
    lenience: Lenience,
}

/// Out, or in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Export,
    Import,
}

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Conflicts {
    /// It ends the import, and nothing stays.
    Refuse,
    /// It is left out.
    Skip,
    /// It takes the place of the one that is there.
    Overwrite,
    /// None is there: the tables are emptied first.
    Clear,
}

/// A file of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GivenFile {
    path: PathBuf,
    table: TableName,
    /// By the file's name for a column: the table's.
    columns: Vec<(String, String)>,
}

impl Settings {
    fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }
}

#[async_trait]
impl StepKind for Files {
    fn id(&self) -> &'static str {
        "files"
    }

    fn summary(&self) -> &'static str {
        "exports tables into CSV, JSON or NDJSON files that are read back, and imports such files"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let act = fields.required_one_of("act", "act", &["export", "import"]).map(|act| act.value);
        let is_import = act == Some("import");
        let usual = if is_import { Side::Target } else { Side::Source };
        let side = fields.optional_one_of("side", "side", &["source", "target"]);
        let side = match side.map(|side| side.value) {
            Some("source") => Side::Source,
            Some(_) => Side::Target,
            None => usual,
        };
        let named = fields.str_list("tables");
        let tables = named.iter().filter_map(|name| table(fields, name)).collect();
        let per = fields.optional_str("one_file_per");
        let one_file_per = per.as_ref().and_then(|name| table(fields, name));
        let same_as = fields.optional_str("same_as").map(|same_as| same_as.value);
        let into = renamed_tables(fields);
        let from = fields.optional_str("from").map(|from| from.value);
        let written = Written::read(fields);
        let policy = fields.optional_one_of("conflicts", "policy", &["refuse", "skip", "overwrite", "clear"]);
        let conflicts = match policy.map(|policy| policy.value) {
            Some("skip") => Conflicts::Skip,
            Some("overwrite") => Conflicts::Overwrite,
            Some("clear") => Conflicts::Clear,
            _ => Conflicts::Refuse,
        };
        let lenience = Lenience::read(fields);
        let files: Vec<GivenFile> = fields.array_of_tables("file").into_iter().filter_map(given).collect();
        let (wrong, right) = match act {
            Some("export") => (
                fields
                    .present(&["from", "file", "into", "conflicts", "rejects", "line_column", "missing"])
                    .first()
                    .map(|key| format!("`{key}` is for imports")),
                "`tables`, or none for all",
            ),
            Some(_) if from.is_some() != fields.present(&["file"]).is_empty() => {
                (Some("`from` and [[step.file]] exclude each other".to_owned()), "one of both")
            }
            Some(_) if per.is_some() || same_as.is_some() => {
                (Some("`one_file_per` and `same_as` are for exports".to_owned()), "`from`")
            }
            Some(_) if !into.is_empty() && from.is_none() => {
                (Some("`into` is for what another step exported".to_owned()), "`from`")
            }
            Some(_) if !named.is_empty() => (Some("`tables` is for exports".to_owned()), "`from` or [[step.file]]"),
            _ => (None, ""),
        };
        if let Some(wrong) = wrong {
            fields.problem(Problem::new(fields.place(), wrong).expected(right));
        }
        if let Some(per) = per.filter(|_| !written.holds_several()) {
            let problem = Problem::new(&per.place, format!("files of the form {} hold one table each", written.form));
            fields.problem(problem.expected("`format = \"xlsx\"`"));
        }
        let act = if is_import { Act::Import } else { Act::Export };
        serde_json::to_value(Settings {
            act,
            side,
            tables,
            one_file_per,
            same_as,
            written,
            conflicts,
            from,
            into,
            files,
            lenience,
        })
        .unwrap_or_default()
    }

    fn misplaced(&self, config: &Json, around: &Around<'_>) -> Vec<Misplaced> {
        let named = Settings::of(config)
            .ok()
            .and_then(|one| one.from.map(|name| ("from", name)).or(one.same_as.map(|name| ("same_as", name))));
        let Some((key, name)) = named else { return Vec::new() };
        let is_export = |config: &Json| Settings::of(config).is_ok_and(|settings| settings.act == Act::Export);
        let exports = around.earlier.iter().filter(|(_, kind, config)| *kind == self.id() && is_export(config));
        let known: Vec<String> = exports.map(|(name, ..)| name.clone()).collect();
        if known.contains(&name) { Vec::new() } else { vec![Misplaced { key, what: "export step", name, known }] }
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
            (Act::Import, _) => vec![
                "read every file to its end; nothing is written before".to_owned(),
                format!("insert the rows into the {side}; a key that is there already: {:?}", settings.conflicts)
                    .to_lowercase(),
            ],
        }
    }

    async fn forward(&self, task: &StepTask, voice: &mut dyn StepVoice) -> Result<StepDone, StepError> {
        let settings = Settings::of(&task.config)?;
        match settings.act {
            Act::Export => export::export(task, &settings, voice).await,
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

/// The name of a table.
fn table(fields: &Fields<'_>, written: &Located<String>) -> Option<TableName> {
    written.value.parse().map_err(|message: String| fields.problem(Problem::new(&written.place, message))).ok()
}

/// `into = { fields = "staged_fields" }`.
fn renamed_tables(fields: &mut Fields<'_>) -> Vec<(TableName, TableName)> {
    let mut into = Vec::new();
    for (from, entry) in fields.table("into").map(|mut fields| fields.named()).unwrap_or_default() {
        let to = entry.str().and_then(|to| table(fields, &to));
        into.extend(table(fields, &from).zip(to));
    }
    into
}

/// One `[[step.file]]`.
fn given(mut fields: Fields<'_>) -> Option<GivenFile> {
    let path = fields.required_str("path").and_then(|written| {
        let path = fields.folder().join(&written.value);
        let path = std::path::absolute(&path).unwrap_or(path);
        if path.is_file() {
            return Some(path);
        }
        let problem = Problem::new(&written.place, format!("there is no file `{}`", path.display()));
        fields.problem(problem.expected("a file, relative to the scenario"));
        None
    });
    let table = fields.required_str("table").and_then(|written| table(&fields, &written));
    let mut columns = Vec::new();
    for (name, entry) in fields.table("columns").map(|mut fields| fields.named()).unwrap_or_default() {
        columns.extend(entry.str().map(|column| (name.value, column.value)));
    }
    fields.finish();
    Some(GivenFile { path: path?, table: table?, columns })
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
