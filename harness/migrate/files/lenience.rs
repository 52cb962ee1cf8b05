//! What an import puts up with: rows that cannot be taken, where there is a table that names them, and keys that are not there.

use serde::{Deserialize, Serialize};

use super::{form::Records, input::Input, settings::table, text::BadText};
use crate::{
    document::Fields,
    migrate::{StepError, StepVoice},
    model::{TableName, Value},
};

/// Rows of one file that may be rejected: more are a mistake of whoever names the file.
const AT_MOST: usize = 100_000;

/// What an import puts up with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lenience {
    /// The table that names rows which cannot be taken, by file, line and reason; without it the first ends the import.
    pub rejects: Option<TableName>,
    /// The column that gets the line on which a row begins.
    pub line_column: Option<String>,
    /// A column whose key an object does not have is NULL.
    pub missing_is_null: bool,
}

/// A row that cannot be taken.
pub(super) struct Rejected {
    /// The line on which it begins.
    pub line: u64,
    /// What is wrong with it, without its values.
    pub reason: String,
}

impl Lenience {
    /// Reads its keys of a step.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let rejects = fields.optional_str("rejects").and_then(|written| table(fields, &written));
        let line_column = fields.optional_str("line_column").map(|written| written.value);
        let missing = fields.optional_one_of("missing", "treatment of missing keys", &["refuse", "null"]);
        Self { rejects, line_column, missing_is_null: missing.is_some_and(|word| word.value == "null") }
    }
}

impl Input {
    /// The file's own name, without its folders.
    pub fn file_name(&self) -> String {
        self.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Rows that can be taken.
    pub fn loadable(&self) -> u64 {
        self.rows - self.rejected.len() as u64
    }

    /// Reads the file to its end, without keeping anything but how many rows it has, and which cannot be taken.
    pub fn look_through(&mut self, voice: &mut dyn StepVoice) -> Result<(), StepError> {
        let (mut records, mut row, mut rows, mut rejected) = (self.records()?, Vec::new(), 0, Vec::new());
        loop {
            row.clear();
            match self.take(&mut *records, &mut row) {
                Ok(true) => {}
                Ok(false) => break,
                Err(bad) if self.rejects(&bad) && rejected.len() < AT_MOST => {
                    rejected.push(Rejected { line: bad.at.line, reason: bad.what });
                }
                Err(bad) => return Err(self.bad(&bad)),
            }
            rows += 1;
            if rows % 1000 == 0 {
                voice.progress("read", rows, None);
                if voice.is_stopping() {
                    return Err(StepError::Interrupted);
                }
            }
        }
        (self.rows, self.rejected) = (rows, rejected);
        Ok(())
    }

    /// Whether what is wrong keeps one row out, and not all of them.
    pub fn rejects(&self, bad: &BadText) -> bool {
        bad.is_of_row && self.lenience.rejects.is_some()
    }

    /// Takes the next row; whether there was one.
    pub fn take(&self, records: &mut dyn Records, row: &mut Vec<Value>) -> Result<bool, BadText> {
        let Some(record) = records.next()? else { return Ok(false) };
        let (begins, line) = (row.len(), record.at.line);
        let taken = self.values(record, row);
        if taken.is_err() {
            row.truncate(begins);
        }
        taken.map_err(BadText::of_row)?;
        if self.lenience.line_column.is_some() {
            row.push(Value::Integer(i64::try_from(line).unwrap_or(i64::MAX)));
        }
        Ok(true)
    }
}
