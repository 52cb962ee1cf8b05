//! The rows of a state, kept in a file without a name, so that a later state can be compared with them row by row.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    ops::ControlFlow,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use crate::{
    canon::{Cell, RowSink, encode_own},
    model::TableName,
};

/// What is read of the file at once.
const READ: usize = 64 * 1024;

/// The rows of a state, every column, in own form: as large on disk as they are, and nothing in memory.
#[derive(Clone, Debug)]
pub struct KeptRows {
    file: Arc<File>,
    tables: BTreeMap<TableName, Extent>,
}

/// Where the rows of a table are in the file.
#[derive(Clone, Debug)]
struct Extent {
    columns: Vec<String>,
    from: u64,
    to: u64,
}

impl KeptRows {
    /// How many bytes the rows of a table take.
    pub(super) fn bytes(&self, table: &TableName) -> u64 {
        self.tables.get(table).map_or(0, |extent| extent.to - extent.from)
    }

    /// The rows of a table, none if none were kept.
    pub(super) fn rows(&self, table: &TableName) -> Option<Rows> {
        let Extent { columns, from, to } = self.tables.get(table)?.clone();
        let file = BufReader::with_capacity(READ, Region { file: Arc::clone(&self.file), at: from, to });
        Some(Rows { columns, file, row: Vec::new() })
    }
}

/// The rows of one table, one after the other.
pub(super) struct Rows {
    /// Its columns, in the order of the cells.
    pub columns: Vec<String>,
    file: BufReader<Region>,
    row: Vec<u8>,
}

impl Rows {
    /// The own forms of the next row's cells.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut length = [0; 8];
        if let Err(error) = self.file.read_exact(&mut length) {
            // The region ends behind a row.
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
        }
        self.row.resize(usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?, 0);
        self.file.read_exact(&mut self.row)?;
        Ok(Some(&self.row))
    }
}

/// A part of a file.
struct Region {
    file: Arc<File>,
    at: u64,
    to: u64,
}

impl Read for Region {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.to - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Keeps the rows of one table after another.
#[derive(Debug)]
pub struct Keeper {
    file: BufWriter<File>,
    written: u64,
    tables: BTreeMap<TableName, Extent>,
}

impl Keeper {
    /// Keeps rows in a file of this folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        // Has no name from the start: whatever becomes of this process, nothing of it stays.
        Ok(Self { file: BufWriter::new(tempfile::tempfile_in(folder)?), written: 0, tables: BTreeMap::new() })
    }

    /// Begins a table.
    pub const fn begin(self) -> TableKeeper {
        let from = self.written;
        TableKeeper { keeper: self, from, row: Vec::new(), failed: None }
    }

    /// What was kept.
    ///
    /// # Errors
    /// If the last rows cannot be written.
    pub fn finish(self) -> io::Result<KeptRows> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(KeptRows { file: Arc::new(file), tables: self.tables })
    }
}

/// Takes the rows of a table.
#[derive(Debug)]
pub struct TableKeeper {
    keeper: Keeper,
    from: u64,
    row: Vec<u8>,
    failed: Option<io::Error>,
}

impl TableKeeper {
    /// Ends the table whose rows they were, with its columns in the order of the cells; rows of which nobody says that they
    /// are whole do not count.
    ///
    /// # Errors
    /// What kept a row from being kept.
    pub fn end(mut self, whole: Option<(&TableName, &[String])>) -> io::Result<Keeper> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if let Some((table, columns)) = whole {
            let extent = Extent { columns: columns.to_vec(), from: self.from, to: self.keeper.written };
            self.keeper.tables.insert(table.clone(), extent);
        }
        Ok(self.keeper)
    }
}

impl RowSink for TableKeeper {
    fn cell(&mut self, _: usize, cell: Cell<'_>) {
        encode_own(&cell, &mut self.row);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        let length = self.row.len() as u64;
        let file = &mut self.keeper.file;
        let written = file.write_all(&length.to_le_bytes()).and_then(|()| file.write_all(&self.row));
        self.keeper.written += length + 8;
        self.row.clear();
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canon::suspect::texts;

    fn keep(keeper: Keeper, rows: &[&str], whole: Option<(&TableName, &[String])>) -> Keeper {
        let mut table = keeper.begin();
        for row in rows {
            table.cell(0, Cell::Text(row.as_bytes()));
            table.cell(1, Cell::Null);
            assert!(table.end_row().is_continue());
        }
        table.end(whole).unwrap()
    }

    #[test]
    fn rows_come_back_table_by_table() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let (first, third) = (TableName::new("first"), TableName::new("third"));
        let long = "x".repeat(3 * READ);
        let keeper = keep(Keeper::new(&std::env::temp_dir()).unwrap(), &["1", &long], Some((&first, &columns)));
        let keeper = keep(keeper, &["cut off"], None);
        let kept = keep(keeper, &["3"], Some((&third, &columns))).finish().unwrap();
        let told = |table| {
            let (mut rows, mut told) = (kept.rows(table).unwrap(), Vec::new());
            assert_eq!(rows.columns, columns);
            while let Some(row) = rows.next().unwrap() {
                told.push(texts(row));
            }
            told
        };
        assert_eq!(told(&first), [[Some("1".to_owned()), None], [Some(long.clone()), None]]);
        assert_eq!(told(&third), [[Some("3".to_owned()), None]]);
        assert!(kept.rows(&TableName::new("second")).is_none());
    }
}
