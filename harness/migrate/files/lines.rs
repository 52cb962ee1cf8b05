//! Files of text that are being written.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{
    Field,
    form::{Dialect, Heading, Records, Writing},
    text::{BadText, Characters, encoded},
};

/// How a form of text writes.
pub(super) trait Lines: Send {
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
}

/// Begins a file of text.
pub(super) fn create(
    path: &Path,
    form: Box<dyn Lines>,
    heading: &Heading<'_>,
    dialect: &Dialect,
) -> Result<Box<dyn Writing>, String> {
    let mut file = BufWriter::with_capacity(1 << 18, new_file(path).map_err(|error| error.to_string())?);
    let mut bytes = Vec::new();
    encoded(&form.head(heading.columns, dialect), dialect.encoding, &mut bytes)
        .map_err(|why| format!("the name of a column {why}"))?;
    file.write_all(&bytes).map_err(|error| error.to_string())?;
    Ok(Box::new(Written { form, dialect: dialect.clone(), columns: heading.columns.to_vec(), file, bytes, rows: 0 }))
}

/// Reads a file of text from its beginning.
pub(super) fn open(path: &Path, form: &dyn Lines, dialect: &Dialect) -> Result<Box<dyn Records>, BadText> {
    form.reader(Characters::open(path, dialect.encoding).map_err(BadText::unreadable)?, dialect)
}

/// A file that was not there. Rows' values are for nobody else.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// A file of text that is being written.
struct Written {
    form: Box<dyn Lines>,
    dialect: Dialect,
    columns: Vec<String>,
    file: BufWriter<File>,
    bytes: Vec<u8>,
    rows: u64,
}

impl Writing for Written {
    fn row(&mut self, row: &[Field]) -> Result<(), (Option<usize>, String)> {
        let line = self.form.row(self.rows, &self.columns, row, &self.dialect);
        let line = line.map_err(|(column, why)| (Some(column), why))?;
        self.bytes.clear();
        encoded(&line, self.dialect.encoding, &mut self.bytes).map_err(|why| (None, why))?;
        self.rows += 1;
        self.file.write_all(&self.bytes).map_err(|error| (None, error.to_string()))
    }

    fn finish(mut self: Box<Self>) -> Result<(), String> {
        let ended = self.file.write_all(self.form.tail().as_bytes()).and_then(|()| self.file.flush());
        ended.and_then(|()| self.file.get_ref().sync_all()).map_err(|error| error.to_string())
    }
}
