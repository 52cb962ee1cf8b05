//! Forms of files that hold a table, one file each.
//!
//! A form is read record by record and written row by row, so that neither a long file nor a long table takes memory. A new
//! one is one file and one line in [`ALL`].

mod csv;
mod json;

use encoding_rs::Encoding;

use super::{
    super::transfer::field::Field,
    text::{At, BadText, Characters},
};
use crate::model::LogicalType;

/// Every form.
pub const ALL: &[&dyn Form] = &[&csv::Csv, &json::Json { is_by_line: false }, &json::Json { is_by_line: true }];

/// Characters of one value at most, and of one record of JSON.
const LONGEST: usize = 16 << 20;
/// Columns at most.
const WIDEST: usize = 5_000;

/// A form of files.
pub(super) trait Form: Sync {
    /// Its word in scenarios, and the end of its files' names: `csv`.
    fn id(&self) -> &'static str;

    /// What stands before the first row.
    fn head(&self, columns: &[String], dialect: &Dialect) -> String;

    /// A row. `number` is from 0.
    ///
    /// # Errors
    /// Why a value cannot be written, and in which column.
    fn row(&self, number: u64, columns: &[String], row: &[Field], dialect: &Dialect)
    -> Result<String, (usize, String)>;

    /// What stands behind the last row.
    fn tail(&self) -> &'static str;

    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// What is wrong with what stands before the first row.
    fn reader(&self, from: Characters, dialect: &Dialect) -> Result<Box<dyn Records>, BadText>;

    /// A value as the form gives it back, of those that a column of this kind may hold.
    fn carried(&self, value: Field, kind: &LogicalType) -> Field;
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
