//! A file of an import, and the table that it goes into.

use std::{fs::File, io, path::PathBuf};

use serde_json::Value as Json;

use super::{
    Field,
    export::Listed,
    form::{Dialect, Form, Raw, Record, Records},
    lenience::{Lenience, Rejected},
    read_text,
    text::{At, BadText, Characters},
};
use crate::{
    canon,
    engine::{BoxedError, RowSource},
    migrate::{StepError, copy::array, transfer::convert::convert},
    model::{
        LogicalType, Value,
        catalogue::{Column, Generation, Table},
    },
};

/// A file, and how it is read.
#[derive(Clone)]
pub(super) struct Opened {
    pub path: PathBuf,
    /// Its sheet, where the file holds several tables.
    pub sheet: Option<String>,
    pub form: &'static dyn Form,
    pub dialect: Dialect,
}

impl Opened {
    /// Holds if the file is the one that was exported.
    pub fn is_as_written(&self, listed: &Listed) -> Result<(), StepError> {
        let path = self.path.display();
        let found = tokio::task::block_in_place(|| canon::sha256(File::open(&self.path)?));
        let found = found.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StepError::Rejected { what: format!("`{path}` is not there") },
            _ => StepError::broken(format!("read `{path}`"), error),
        })?;
        if found == listed.sha256 {
            return Ok(());
        }
        let what = format!("`{path}` is damaged: its SHA-256 is {found}, and was {}", listed.sha256);
        Err(StepError::Rejected { what })
    }

    /// Looks at what has to be right before any of it is read.
    pub fn examine(&self) -> Result<(), StepError> {
        let looked = tokio::task::block_in_place(|| self.form.examine(&self.path));
        looked.map_err(|bad| StepError::Rejected { what: format!("{}:{bad}", self.path.display()) })
    }
}

/// A file, and the table that it goes into.
pub(super) struct Input {
    pub file: Opened,
    /// The table.
    pub table: Table,
    /// The table's columns that the file has, in the file's order.
    pub columns: Vec<String>,
    /// By the file's name for a column: its place among these.
    names: Vec<String>,
    kinds: Vec<LogicalType>,
    /// How many rows it has, once it was read.
    pub rows: u64,
    /// Those that cannot be taken, once it was read.
    pub rejected: Vec<Rejected>,
    /// What is put up with.
    pub lenience: Lenience,
}

impl Input {
    /// Binds a file's columns to the table's.
    pub fn of(
        file: Opened,
        table: Table,
        lenience: &Lenience,
        renamed: &[(String, String)],
        listed: Option<&[String]>,
    ) -> Result<Self, StepError> {
        let mut input = Self {
            file,
            table,
            columns: Vec::new(),
            names: Vec::new(),
            kinds: Vec::new(),
            rows: 0,
            rejected: Vec::new(),
            lenience: lenience.clone(),
        };
        let own = |table: &Table| -> Vec<String> {
            let stored = table.columns.iter().filter(|one| !matches!(one.generation, Generation::Computed { .. }));
            let names = stored.map(|column| column.name.clone());
            names.filter(|name| lenience.line_column.as_ref() != Some(name)).collect()
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
                let what =
                    format!("`{}`: {} has no column `{column}`{near}", input.file.path.display(), input.table.name);
                return Err(StepError::Rejected { what });
            };
            input.kinds.push(found.kind.clone());
            input.columns.push(column.clone());
        }
        if let Some((file, _)) = renamed.iter().find(|(file, _)| !names.contains(file)) {
            let what = format!("`{}` has no column `{file}`", input.file.path.display());
            return Err(StepError::Rejected { what });
        }
        input.names = names;
        if let Some(line) = &lenience.line_column {
            let is_number = |column: &Column| matches!(column.kind, LogicalType::Integer { .. });
            if !input.table.column(line).is_some_and(is_number) || input.columns.contains(line) {
                let table = &input.table.name;
                let what = format!("`{line}` is no column of integers of {table} that no column of the file goes into");
                return Err(StepError::Rejected { what });
            }
            input.columns.push(line.clone());
        }
        Ok(input)
    }

    /// What is wrong with the file, as an error.
    pub fn bad(&self, bad: &BadText) -> StepError {
        StepError::Rejected { what: self.told(bad) }
    }

    fn told(&self, bad: &BadText) -> String {
        let sheet = self.file.sheet.as_ref().map(|sheet| format!("[{sheet}]")).unwrap_or_default();
        format!("{}{sheet}:{bad}", self.file.path.display())
    }

    /// Its records, from the first.
    pub fn records(&self) -> Result<Box<dyn Records>, StepError> {
        let Opened { path, sheet, form, dialect } = &self.file;
        form.open(path, sheet.as_deref(), dialect).map_err(|bad| self.bad(&bad))
    }

    /// The values of a record in the order of the columns.
    pub fn values(&self, record: Record, row: &mut Vec<Value>) -> Result<(), BadText> {
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
            let (at, raw) = match placed {
                Some(placed) => placed,
                None if self.lenience.missing_is_null => (at, Raw::Null),
                None => return Err(Characters::bad(at, format!("column `{name}` is missing"))),
            };
            let value = convert(element_list(field_of(raw, kind), kind), kind);
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
        loop {
            match self.input.take(&mut *self.records, row) {
                Err(bad) if self.input.rejects(&bad) => {}
                taken => return Ok(taken.map_err(|bad| self.input.told(&bad))?),
            }
        }
    }
}

/// A list of JSON as an array, for a column of such.
fn element_list(field: Field, kind: &LogicalType) -> Field {
    match (field, kind) {
        (Field::Text(text), LogicalType::Array(_)) => Field::Text(array::literal(text.as_bytes()).unwrap_or(text)),
        (field, _) => field,
    }
}

/// A value of a file as one for a column of this kind.
pub(super) fn field_of(raw: Raw, kind: &LogicalType) -> Field {
    let raw = match raw {
        Raw::Null | Raw::Json(Json::Null) => return Field::Null,
        Raw::Text(text) => return read_text(text, kind),
        Raw::Cell(number) => return number.field(kind),
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
