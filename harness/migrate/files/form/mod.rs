//! Forms of files that hold a table, one file each.
//!
//! A form is read record by record and written row by row, so that neither a long file nor a long table takes memory. A new
//! one is one file and one line in [`ALL`].

mod csv;
mod json;
pub(super) mod xlsx;

use std::path::Path;

use encoding_rs::Encoding;

use super::{
    super::transfer::field::Field,
    lines::{self, Lines},
    text::{At, BadText, Characters},
};
use crate::model::{LogicalType, TableName};

/// Every form.
pub const ALL: &[&dyn Form] =
    &[&csv::Csv, &json::Json { is_by_line: false }, &json::Json { is_by_line: true }, &xlsx::Xlsx];

/// Characters of one value at most, and of one record of JSON.
const LONGEST: usize = 16 << 20;
/// Columns at most.
const WIDEST: usize = 5_000;

/// A form of files.
pub(super) trait Form: Sync {
    /// Its word in scenarios, and the end of its files' names: `csv`.
    fn id(&self) -> &'static str;

    /// Whether a file holds several tables.
    fn holds_several(&self) -> bool {
        false
    }

    /// Begins the file of a table.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn create(&self, path: &Path, heading: &Heading<'_>, dialect: &Dialect) -> Result<Box<dyn Writing>, String>;

    /// Looks at what of a file has to be right before any of it is read.
    ///
    /// # Errors
    /// What is wrong, and where.
    fn examine(&self, _path: &Path) -> Result<(), BadText> {
        Ok(())
    }

    /// Reads a file from its beginning; of one that holds several tables this sheet.
    ///
    /// # Errors
    /// What is wrong with what stands before the first row.
    fn open(&self, path: &Path, sheet: Option<&str>, dialect: &Dialect) -> Result<Box<dyn Records>, BadText>;

    /// A value as the form gives it back, of those that a column of this kind may hold.
    fn carried(&self, value: Field, kind: &LogicalType) -> Field;
}

/// What a file is to hold.
pub(super) struct Heading<'a> {
    /// The table.
    pub table: &'a TableName,
    /// Its columns.
    pub columns: &'a [String],
    /// What they may hold.
    pub kinds: &'a [LogicalType],
    /// What its part of a file is called.
    pub sheet: &'a str,
}

/// A file that is being written.
pub(super) trait Writing: Send {
    /// Writes a row.
    ///
    /// # Errors
    /// Why it cannot be written, and in which column where that is known.
    fn row(&mut self, row: &[Field]) -> Result<(), (Option<usize>, String)>;

    /// Goes on with another table, in forms whose files hold several.
    ///
    /// # Errors
    /// Why it cannot.
    fn turn(&mut self, heading: &Heading<'_>) -> Result<(), String> {
        Err(format!("{} has to go into a file of its own", heading.table))
    }

    /// Ends the file; it is on disk then.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn finish(self: Box<Self>) -> Result<(), String>;
}

/// The records of a file, one at a time.
pub(super) trait Records: Send {
    /// The columns, where the file names them before its rows.
    fn columns(&self) -> Option<&[String]>;

    /// Reads the next record; `None` behind the last one.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    fn next(&mut self) -> Result<Option<Record>, BadText>;
}

/// A record as it is in the file.
pub(super) struct Record {
    /// Where it begins.
    pub at: At,
    /// Its values, by position or by name.
    pub values: Vec<Named>,
}

/// A value of a record.
pub(super) struct Named {
    /// Its name, where each record names its values.
    pub name: Option<String>,
    /// Where it begins.
    pub at: At,
    /// The value.
    pub value: Raw,
}

/// A value before it is known what it is for.
pub(super) enum Raw {
    /// Nothing.
    Null,
    /// Text that stands for a value of any kind.
    Text(String),
    /// A value of JSON.
    Json(serde_json::Value),
    /// A number of a sheet, which may count days.
    Cell(xlsx::Number),
}

/// How a form is written.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    /// What stands between values.
    pub delimiter: char,
    /// What stands around a value that needs it.
    pub quote: char,
    /// Whether the first record names the columns.
    pub header: bool,
    /// Text without quotes that stands for NULL, besides none at all.
    pub null: Option<String>,
    /// The encoding.
    pub encoding: &'static Encoding,
}

/// The form of this id.
pub(super) fn by_id(id: &str) -> Option<&'static dyn Form> {
    ALL.iter().copied().find(|form| form.id() == id)
}
