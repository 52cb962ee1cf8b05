//! Files into tables: all of them read first, then one transaction.

use std::{fs::File, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    Field, Settings, export,
    export::{Listed, Manifest},
    form::{Dialect, Form, Raw, Record, Records},
    merge::{self, Counts},
    read_text,
    text::{At, BadText, Characters},
};
use crate::{
    canon,
    engine::{BoxedError, EngineError, RowSource, Session},
    migrate::{
        StepDone, StepError, StepTask, StepVoice,
        restore::{Before, bring_back, keep},
        rollback,
        transfer::convert::convert,
    },
    model::{
        LogicalType, TableName, Value,
        catalogue::{Generation, Table},
        chain,
        event::Figure,
    },
};

/// What the journal knows about an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    /// What was there before is kept (unless the scenario states another way back); the target is written to next.
    Importing(Option<Before>),
    /// All rows are there.
    Imported(Option<Before>),
    /// The database is as it was.
    TakenBack,
}

impl Mark {
    fn json(&self) -> Json {
        json!(self)
    }
}

/// A file, and the table that it goes into.
pub(super) struct Input {
    path: PathBuf,
    form: &'static dyn Form,
    dialect: Dialect,
    /// The table.
    pub table: Table,
    /// The table's columns that the file has, in the file's order.
    pub columns: Vec<String>,
    /// By the file's name for a column: its place among these.
    names: Vec<String>,
    kinds: Vec<LogicalType>,
    /// How many rows it has, once it was read.
    pub rows: u64,
}

/// Imports the files of a step.
pub(super) async fn import(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    match last(task) {
        Some(Mark::Imported(_)) => return Ok(StepDone::default()),
        Some(Mark::Importing(_)) => take_back(task, settings, voice).await?,
        Some(Mark::TakenBack) | None => {}
    }
    let address = task.addresses.get(settings.side);
    let mut session = task.connect(address).await?;
    let mut inputs = inputs(task, settings, &mut *session).await?;
    // A file is not to be open here while it is backed up.
    session.close().await?;
    for input in &mut inputs {
        input.rows = tokio::task::block_in_place(|| input.counted(voice))?;
    }
    let inputs = merge::parents_first(inputs);
    let is_stated = task.config.get(rollback::KEY).is_some();
    let before = if is_stated { None } else { Some(keep(task, address, voice).await?) };
    voice.mark(Mark::Importing(before.clone()).json()).await?;
    match merge::merge(task, settings, &inputs, voice).await {
        Ok(counts) => {
            voice.mark(Mark::Imported(before).json()).await?;
            Ok(told(&inputs, &counts))
        }
        Err(error) => {
            let error = match error {
                StepError::Engine(EngineError::RowSource { source, .. }) => {
                    StepError::Rejected { what: source.to_string() }
                }
                other => other,
            };
            match take_back(&with_mark(task, &Mark::Importing(before)), settings, voice).await {
                Ok(()) => Err(error),
                Err(source) => Err(StepError::Unrestored { what: chain(&error), source: Box::new(source) }),
            }
        }
    }
}

/// Brings back what was there before an import.
pub(super) async fn take_back(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    let Some(Mark::Importing(before) | Mark::Imported(before)) = last(task) else { return Ok(()) };
    let address = task.addresses.get(settings.side);
    match before {
        Some(before) => bring_back(task, address, &before, voice).await?,
        // All of it is one transaction; only what rows were put aside in may be left.
        None => merge::clear(task, address).await?,
    }
    voice.mark(Mark::TakenBack.json()).await
}

fn with_mark(task: &StepTask, mark: &Mark) -> StepTask {
    let mut task = task.clone();
    task.marks.push(mark.json());
    task
}

fn last(task: &StepTask) -> Option<Mark> {
    task.marks.iter().filter_map(|json| serde_json::from_value(json.clone()).ok()).next_back()
}

fn told(inputs: &[Input], counts: &Counts) -> StepDone {
    let figure = |name: &str, value: u64| Figure { name: name.to_owned(), value: value as f64 };
    let read = inputs.iter().map(|input| input.rows).sum();
    let figures = vec![
        figure("rows_read", read),
        figure("rows_inserted", counts.inserted),
        figure("rows_skipped", counts.skipped),
        figure("rows_overwritten", counts.overwritten),
    ];
    StepDone { rows: counts.inserted + counts.overwritten, figures, ..StepDone::default() }
}

/// Which files go into which tables.
async fn inputs(task: &StepTask, settings: &Settings, session: &mut dyn Session) -> Result<Vec<Input>, StepError> {
    let tables = session.introspect().await?.tables;
    let table = |name: &TableName, file: &PathBuf| {
        let what = || format!("`{}`: the {} has no table {name}", file.display(), settings.side);
        tables.get(name).cloned().ok_or_else(|| StepError::Rejected { what: what() })
    };
    let Some(from) = &settings.from else {
        let (form, dialect) = settings.written.known()?;
        let of = |file: &super::GivenFile| {
            let table = table(&file.table, &file.path)?;
            Input::of(file.path.clone(), form, dialect.clone(), table, &file.columns, None)
        };
        return settings.files.iter().map(of).collect();
    };
    let folder = super::folder(&task.folder.with_file_name(from));
    let text = std::fs::read(folder.join(export::MANIFEST));
    let text = text.map_err(|error| StepError::broken(format!("read the export of step `{from}`"), error))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| StepError::Rejected { what: format!("the export of step `{from}`: {error}") })?;
    let (form, dialect) = manifest.written.known()?;
    let of = |listed: &Listed| {
        let path = folder.join(&listed.file);
        let table = table(&listed.table, &path)?;
        let found = tokio::task::block_in_place(|| canon::sha256(File::open(&path)?));
        let found = found.map_err(|error| StepError::broken(format!("read `{}`", path.display()), error))?;
        if found != listed.sha256 {
            let what = format!("`{}` is damaged: its SHA-256 is {found}, and was {}", path.display(), listed.sha256);
            return Err(StepError::Rejected { what });
        }
        Input::of(path, form, dialect.clone(), table, &[], Some(&listed.columns))
    };
    manifest.tables.iter().map(of).collect()
}

impl Input {
    /// Binds a file's columns to the table's.
    fn of(
        path: PathBuf,
        form: &'static dyn Form,
        dialect: Dialect,
        table: Table,
        renamed: &[(String, String)],
        listed: Option<&[String]>,
    ) -> Result<Self, StepError> {
        let mut input =
            Self { path, form, dialect, table, columns: Vec::new(), names: Vec::new(), kinds: Vec::new(), rows: 0 };
        let own = |table: &Table| -> Vec<String> {
            let stored = table.columns.iter().filter(|one| !matches!(one.generation, Generation::Computed { .. }));
            stored.map(|column| column.name.clone()).collect()
        };
        // Where the file names its columns, those are they; elsewhere they are those of the table.
        let named = input.records()?.columns().map(<[String]>::to_vec);
        let names = named.or_else(|| listed.map(<[String]>::to_vec)).unwrap_or_else(|| {
            let file_name = |column: String| {
                let of = renamed.iter().find(|(_, target)| *target == column);
                of.map_or(column.clone(), |(file, _)| file.clone())
            };
            own(&input.table).into_iter().map(file_name).collect()
        });
        for name in &names {
            let column = renamed.iter().find(|(file, _)| file == name).map_or(name, |(_, column)| column);
            let Some(found) = input.table.column(column) else {
                let near = crate::document::nearest(column, input.table.columns.iter().map(|one| one.name.as_str()));
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                let what = format!("`{}`: {} has no column `{column}`{near}", input.path.display(), input.table.name);
                return Err(StepError::Rejected { what });
            };
            input.kinds.push(found.kind.clone());
            input.columns.push(column.clone());
        }
        if let Some((file, _)) = renamed.iter().find(|(file, _)| !names.contains(file)) {
            let what = format!("`{}` has no column `{file}`", input.path.display());
            return Err(StepError::Rejected { what });
        }
        input.names = names;
        Ok(input)
    }

    fn bad(&self, bad: &BadText) -> StepError {
        StepError::Rejected { what: self.told(bad) }
    }

    fn told(&self, bad: &BadText) -> String {
        format!("{}:{bad}", self.path.display())
    }

    fn records(&self) -> Result<Box<dyn Records>, StepError> {
        let characters = Characters::open(&self.path, self.dialect.encoding)
            .map_err(|error| StepError::broken(format!("read `{}`", self.path.display()), error))?;
        self.form.reader(characters, &self.dialect).map_err(|bad| self.bad(&bad))
    }

    /// Reads the file to its end, without keeping anything: how many rows it has.
    fn counted(&self, voice: &mut dyn StepVoice) -> Result<u64, StepError> {
        let (mut records, mut row, mut rows) = (self.records()?, Vec::new(), 0);
        while let Some(record) = records.next().map_err(|bad| self.bad(&bad))? {
            row.clear();
            self.values(record, &mut row).map_err(|bad| self.bad(&bad))?;
            rows += 1;
            if rows % 1000 == 0 {
                voice.progress("read", rows, None);
                if voice.is_stopping() {
                    return Err(StepError::Interrupted);
                }
            }
        }
        Ok(rows)
    }

    /// The values of a record in the order of the columns.
    fn values(&self, record: Record, row: &mut Vec<Value>) -> Result<(), BadText> {
        let Record { at, values } = record;
        if values.len() > self.names.len() {
            let unknown = values.iter().find_map(|named| named.name.as_ref().filter(|name| !self.names.contains(name)));
            let what = match unknown {
                Some(name) => format!("`{name}` is no column of {}", self.table.name),
                None => format!("has {} values for {} columns", values.len(), self.names.len()),
            };
            return Err(Characters::bad(at, what));
        }
        let mut placed: Vec<Option<(At, Raw)>> = self.names.iter().map(|_| None).collect();
        for (position, named) in values.into_iter().enumerate() {
            let place = match &named.name {
                None => Some(position),
                Some(name) => self.names.iter().position(|known| known == name),
            };
            let Some(place) = place else {
                let name = named.name.unwrap_or_default();
                return Err(Characters::bad(named.at, format!("`{name}` is no column of {}", self.table.name)));
            };
            placed[place] = Some((named.at, named.value));
        }
        for ((placed, kind), name) in placed.into_iter().zip(&self.kinds).zip(&self.names) {
            let Some((at, raw)) = placed else {
                return Err(Characters::bad(at, format!("column `{name}` is missing")));
            };
            let value = convert(field_of(raw, kind), kind);
            row.push(value.map_err(|what| Characters::bad(at, format!("column `{name}` {what}")))?);
        }
        Ok(())
    }

    /// The rows of the file.
    pub fn source(&self) -> Result<Source<'_>, StepError> {
        Ok(Source { input: self, records: self.records()? })
    }
}

/// The rows of a file.
pub(super) struct Source<'a> {
    input: &'a Input,
    records: Box<dyn Records>,
}

impl RowSource for Source<'_> {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, BoxedError> {
        match self.records.next().map_err(|bad| self.input.told(&bad))? {
            None => Ok(false),
            Some(record) => {
                self.input.values(record, row).map_err(|bad| self.input.told(&bad))?;
                Ok(true)
            }
        }
    }
}

/// A value of a file as one for a column of this kind.
pub(super) fn field_of(raw: Raw, kind: &LogicalType) -> Field {
    let raw = match raw {
        Raw::Null | Raw::Json(Json::Null) => return Field::Null,
        Raw::Text(text) => return read_text(text, kind),
        Raw::Json(value) => value,
    };
    match raw {
        Json::Bool(value) => Field::Boolean(value),
        Json::String(text) => Field::Text(text),
        Json::Number(number) => match (number.as_i64(), number.as_f64().filter(|_| !number.is_u64())) {
            (Some(value), _) => Field::Integer(value),
            (None, Some(value)) => Field::Real(value),
            (None, None) => Field::Text(number.to_string()),
        },
        Json::Object(_) if !matches!(kind, LogicalType::Json { .. }) => {
            let text = raw.to_string();
            serde_json::from_value(raw).unwrap_or(Field::Text(text))
        }
        other => Field::Text(other.to_string()),
    }
}
