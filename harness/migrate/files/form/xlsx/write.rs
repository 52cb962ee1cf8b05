//! A workbook of one sheet that is being written, row by row through a file beside it.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::{
    super::{super::lines::new_file, Field, Heading, LogicalType, Writing},
    Cell, quoted, short,
};

/// Rows of a sheet at most.
const ROWS: u32 = 1_048_576;
/// Columns of a sheet at most.
const COLUMNS: usize = 16_384;

/// A workbook that is being written.
pub(super) struct Book {
    book: Workbook,
    /// Sheets that are whole.
    done: Vec<Worksheet>,
    sheet: Worksheet,
    file: File,
    kinds: Vec<LogicalType>,
    day: Format,
    moment: Format,
    row: u32,
}

impl Book {
    /// Begins a workbook with the names of the columns of its first sheet.
    pub fn create(path: &Path, heading: &Heading<'_>) -> Result<Self, String> {
        let file = new_file(path).map_err(|error| error.to_string())?;
        let mut book = Workbook::new();
        book.set_tempdir(path.parent().unwrap_or(Path::new("."))).map_err(|error| error.to_string())?;
        let sheet = begun(&mut book, heading)?;
        let [day, moment] = ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"].map(|form| Format::new().set_num_format(form));
        Ok(Self { book, done: Vec::new(), sheet, file, kinds: heading.kinds.to_vec(), day, moment, row: 1 })
    }

    fn cell(&mut self, column: u16, cell: Cell) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut self.sheet, self.row);
        match cell {
            Cell::Blank => return Ok(()),
            Cell::Boolean(value) => sheet.write_boolean(row, column, value),
            Cell::Number(value) => sheet.write_number(row, column, value),
            Cell::Day(value) => sheet.write_number_with_format(row, column, value, &self.day),
            Cell::Moment(value) => sheet.write_number_with_format(row, column, value, &self.moment),
            Cell::Text(text) => sheet.write_string(row, column, text),
        }
        .map(drop)
    }
}

impl Writing for Book {
    fn row(&mut self, row: &[Field]) -> Result<(), (Option<usize>, String)> {
        if self.row == ROWS {
            return Err((None, format!("is one too many: a sheet takes {ROWS}, one of them for the names")));
        }
        if row.iter().all(|field| *field == Field::Null) {
            return Err((None, "holds nothing but NULL, and would be no row of a sheet".to_owned()));
        }
        for (at, field) in row.iter().enumerate() {
            let cell = Cell::of(field, &self.kinds[at]).map_err(|why| (Some(at), why))?;
            let column = u16::try_from(at).unwrap_or(u16::MAX);
            self.cell(column, cell).map_err(|error| (Some(at), format!("cannot be written: {error}")))?;
        }
        self.row += 1;
        Ok(())
    }

    fn turn(&mut self, heading: &Heading<'_>) -> Result<(), String> {
        let next = begun(&mut self.book, heading)?;
        self.done.push(std::mem::replace(&mut self.sheet, next));
        self.kinds = heading.kinds.to_vec();
        self.row = 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        let Self { mut book, done, sheet, file, .. } = *self;
        done.into_iter().chain([sheet]).for_each(|sheet| {
            book.push_worksheet(sheet);
        });
        let mut out = BufWriter::with_capacity(1 << 18, file);
        book.save_to_writer(&mut out).map_err(|error| error.to_string())?;
        out.flush().and_then(|()| out.get_ref().sync_all()).map_err(|error| error.to_string())
    }
}

/// A sheet with the names of the columns.
fn begun(book: &mut Workbook, heading: &Heading<'_>) -> Result<Worksheet, String> {
    let columns = heading.columns.len();
    if columns > COLUMNS {
        return Err(format!("{} has {columns} columns, and a sheet takes {COLUMNS}", heading.table));
    }
    let mut sheet = book.new_worksheet_with_constant_memory();
    // A name that no sheet can have is not lost: the manifest has it.
    let _ = sheet.set_name(heading.sheet);
    for (column, title) in (0..).zip(heading.columns) {
        let text = short(quoted(title)).map_err(|why| format!("the name of column {} {why}", column + 1))?;
        sheet.write_string(0, column, text).map_err(|error| error.to_string())?;
    }
    Ok(sheet)
}
