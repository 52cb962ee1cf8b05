//! A sheet that is read cell by cell, by a thread of its own: whoever reads a sheet borrows its workbook.

use std::{
    fs::File,
    io::BufReader,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread, vec,
};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::{
    super::{super::text::At, BadText, Characters, Named, Raw, Record, Records, WIDEST},
    Epoch, Number, Serial, name, unquoted,
};

/// Records that go from one thread to the other at once, and how often ahead.
const BATCH: usize = 256;
const AHEAD: usize = 4;

type Book = Xlsx<BufReader<File>>;

/// What comes from the thread that reads.
enum Message {
    Columns(Vec<String>),
    Records(Vec<Record>),
    Bad(BadText),
}

/// The rows of a sheet.
pub(super) struct Sheet {
    columns: Vec<String>,
    from: Receiver<Message>,
    ready: vec::IntoIter<Record>,
}

impl Sheet {
    /// Begins to read a sheet of a workbook: the only one, if none is named.
    pub fn open(path: &Path, sheet: Option<&str>) -> Result<Self, BadText> {
        let (to, from) = sync_channel(AHEAD);
        let (path, sheet) = (path.to_owned(), sheet.map(str::to_owned));
        // It ends with its file, or when nobody listens any more.
        thread::spawn(move || {
            if let Err(Ended::Bad(bad)) = stream(&path, sheet.as_deref(), &to) {
                let _ = to.send(Message::Bad(bad));
            }
        });
        match from.recv() {
            Ok(Message::Columns(columns)) => Ok(Self { columns, from, ready: Vec::new().into_iter() }),
            Ok(Message::Bad(bad)) => Err(bad),
            Ok(Message::Records(_)) | Err(_) => Err(at(0, 0, "cannot be read")),
        }
    }
}

impl Records for Sheet {
    fn columns(&self) -> Option<&[String]> {
        Some(&self.columns)
    }

    fn next(&mut self) -> Result<Option<Record>, BadText> {
        loop {
            if let Some(record) = self.ready.next() {
                return Ok(Some(record));
            }
            match self.from.recv() {
                Ok(Message::Records(records)) if records.is_empty() => return Ok(None),
                Ok(Message::Records(records)) => self.ready = records.into_iter(),
                Ok(Message::Bad(bad)) => return Err(bad),
                Ok(Message::Columns(_)) | Err(_) => return Err(at(0, 0, "cannot be read to its end")),
            }
        }
    }
}

/// Why a reading ended early.
enum Ended {
    Bad(BadText),
    Unwanted,
}

impl From<BadText> for Ended {
    fn from(bad: BadText) -> Self {
        Self::Bad(bad)
    }
}

/// What of a workbook has to be right before any cell is read: no cells are merged into one.
pub(super) fn examine(path: &Path) -> Result<(), BadText> {
    let mut book = book(path)?;
    for sheet in visible(&book) {
        let merged = book.merge_cells_by_sheet_name(&sheet).map_err(|error| damaged(&error))?;
        if let Some(one) = merged.first() {
            let cells = [one.start, one.end].map(|(row, column)| name(row, column));
            let what = format!("the cells {} to {} are merged into one", cells[0], cells[1]);
            return Err(at(one.start.0, one.start.1, what));
        }
    }
    Ok(())
}

fn book(path: &Path) -> Result<Book, BadText> {
    let file = File::open(path).map_err(BadText::unreadable)?;
    Xlsx::new(BufReader::new(file)).map_err(|error| damaged(&error))
}

/// The sheets that somebody sees who opens the workbook.
fn visible(book: &Book) -> Vec<String> {
    let is_seen =
        |typ: SheetType, visible: SheetVisible| typ == SheetType::WorkSheet && visible == SheetVisible::Visible;
    let sheets = book.sheets_metadata().iter().filter(|sheet| is_seen(sheet.typ, sheet.visible));
    sheets.map(|sheet| sheet.name.clone()).collect()
}

/// The sheet of this name; the only one, if none is named.
fn sheet_of(book: &Book, named: Option<&str>) -> Result<String, BadText> {
    let names = visible(book);
    match (named, names.as_slice()) {
        (Some(named), names) if names.iter().any(|name| name == named) => Ok(named.to_owned()),
        (Some(named), _) => Err(at(0, 0, format!("has no sheet `{named}`"))),
        (None, [one]) => Ok(one.clone()),
        (None, []) => Err(at(0, 0, "has no sheet")),
        (None, several) => Err(at(0, 0, format!("has {} sheets, and one is read", several.len()))),
    }
}

fn damaged(error: &XlsxError) -> BadText {
    at(0, 0, format!("is a damaged workbook: {error}"))
}

fn at(row: u32, column: u32, what: impl Into<String>) -> BadText {
    Characters::bad(place(row, column), what)
}

fn place(row: u32, column: u32) -> At {
    At { line: u64::from(row) + 1, column: u64::from(column) + 1 }
}

/// Sends the names of the columns, and then the rows.
fn stream(path: &Path, sheet: Option<&str>, to: &SyncSender<Message>) -> Result<(), Ended> {
    let mut book = book(path)?;
    let sheet = sheet_of(&book, sheet)?;
    let epoch = if book.has_1904_epoch() { Epoch::Of1904 } else { Epoch::Of1900 };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(|error| damaged(&error))?;
    let mut rows = Rows { to, columns: None, row: 0, values: Vec::new(), has_value: false, batch: Vec::new() };
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(|error| damaged(&error))? {
        let (row, column) = cell.pos;
        if cell.formula.is_some() {
            let what = format!("the cell {} holds a formula, and no value", name(row, column));
            return Err(at(row, column, what).into());
        }
        let value = raw(cell.value, epoch).map_err(|what| at(row, column, what))?;
        rows.add(row, column, value)?;
    }
    rows.end_row()?;
    if rows.columns.is_none() {
        return Err(at(0, 0, "is empty, and its first row has to name the columns").into());
    }
    rows.send()?;
    // None is the end.
    to.send(Message::Records(Vec::new())).map_err(|_| Ended::Unwanted)
}

/// A cell's value.
fn raw(value: DataRef<'_>, epoch: Epoch) -> Result<Raw, String> {
    let number = |value, is_moment| Raw::Cell(Number { serial: Serial { value, epoch }, is_moment });
    Ok(match value {
        DataRef::Empty => Raw::Null,
        DataRef::Int(value) => Raw::Json(value.into()),
        DataRef::Float(value) => number(value, false),
        DataRef::DateTime(moment) => number(moment.as_f64(), true),
        DataRef::Bool(value) => Raw::Json(value.into()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Raw::Text(unquoted(text)),
        DataRef::SharedString(text) => Raw::Text(unquoted(text.to_owned())),
        DataRef::Error(error) => return Err(format!("holds the error {error}")),
    })
}

/// Cells on their way to be rows.
struct Rows<'a> {
    to: &'a SyncSender<Message>,
    columns: Option<Vec<String>>,
    row: u32,
    values: Vec<Named>,
    has_value: bool,
    batch: Vec<Record>,
}

impl Rows<'_> {
    fn add(&mut self, row: u32, column: u32, value: Raw) -> Result<(), Ended> {
        if row > self.row {
            self.end_row()?;
            self.row = row;
        }
        if matches!(value, Raw::Null) {
            return Ok(());
        }
        let wide = column as usize;
        if row < self.row || wide < self.values.len() {
            return Err(at(row, column, format!("the cell {} stands where another one does", name(row, column))).into());
        }
        match &self.columns {
            Some(columns) if wide >= columns.len() => {
                let what = format!("the cell {} stands beside the {} columns", name(row, column), columns.len());
                return Err(at(row, column, what).into());
            }
            None if wide >= WIDEST => {
                return Err(at(row, column, format!("has more than {WIDEST} columns")).into());
            }
            _ => {}
        }
        self.fill(wide);
        self.values.push(Named { name: None, at: place(row, column), value });
        self.has_value = true;
        Ok(())
    }

    /// Cells that are not there hold nothing.
    fn fill(&mut self, wide: usize) {
        for column in self.values.len()..wide {
            let at = place(self.row, u32::try_from(column).unwrap_or(u32::MAX));
            self.values.push(Named { name: None, at, value: Raw::Null });
        }
    }

    /// Ends a row. One without any value is none.
    fn end_row(&mut self) -> Result<(), Ended> {
        if !std::mem::take(&mut self.has_value) {
            return Ok(());
        }
        let Some(wide) = self.columns.as_ref().map(Vec::len) else {
            let columns = header(std::mem::take(&mut self.values))?;
            self.columns = Some(columns.clone());
            return self.to.send(Message::Columns(columns)).map_err(|_| Ended::Unwanted);
        };
        self.fill(wide);
        self.batch.push(Record { at: place(self.row, 0), values: std::mem::take(&mut self.values) });
        if self.batch.len() == BATCH { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Ended> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.to.send(Message::Records(std::mem::take(&mut self.batch))).map_err(|_| Ended::Unwanted)
    }
}

/// The names of the columns.
fn header(values: Vec<Named>) -> Result<Vec<String>, BadText> {
    let name = |named: Named| match named.value {
        Raw::Text(name) => Ok(name),
        _ => Err(Characters::bad(named.at, "a column has no name")),
    };
    let columns: Vec<String> = values.into_iter().map(name).collect::<Result<_, _>>()?;
    match columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)) {
        Some((column, twice)) => {
            Err(at(0, u32::try_from(column).unwrap_or(u32::MAX), format!("two columns are called `{twice}`")))
        }
        None => Ok(columns),
    }
}
