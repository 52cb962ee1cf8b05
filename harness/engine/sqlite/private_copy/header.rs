//! The first 100 bytes of a database file (<https://sqlite.org/fileformat2.html#the_database_header>).

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use crate::engine::EngineError;

use super::{bad, beside};

/// What every SQLite database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What the header says that matters before SQLite opens the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Size of the file in bytes.
    size: u64,
    /// The database is in write-ahead-log mode.
    pub write_ahead: bool,
}

impl Header {
    /// An empty file is an empty database.
    pub const fn is_empty(&self) -> bool {
        self.size == 0
    }
}

/// Reads the header and refuses what is no database; `source` is the path that is named in errors.
pub(super) fn read(source: &Path, real: &Path) -> Result<Header, EngineError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => bad(source, "does not exist"),
        io::ErrorKind::PermissionDenied => bad(source, "may not be read by this user"),
        _ => EngineError::Unavailable { place: source.display().to_string(), source: error.into() },
    };
    let found = fs::metadata(real).map_err(unreadable)?;
    if found.is_dir() {
        return Err(bad(source, "is a directory"));
    }
    if !found.is_file() {
        return Err(bad(source, "is not a regular file"));
    }
    let mut start = Vec::with_capacity(100);
    File::open(real).and_then(|file| file.take(100).read_to_end(&mut start)).map_err(unreadable)?;
    let size = found.len();
    if start.is_empty() {
        return Ok(Header { size, write_ahead: false });
    }
    if !start.starts_with(MAGIC) {
        return Err(bad(source, "is not a SQLite database (it may be encrypted)"));
    }
    let Ok(header) = <&[u8; 100]>::try_from(start.as_slice()) else {
        return Err(bad(source, &format!("is truncated: it ends within its header, after {size} bytes")));
    };
    let pending = |suffix: &str| fs::metadata(beside(real, suffix)).is_ok_and(|found| found.len() > 0);
    if let Some(promised) = promised_bytes(header)
        && promised > size
        // A writer that was killed may have left a header that is ahead of the file; its log or journal mends that.
        && !pending("-wal")
        && !pending("-journal")
    {
        return Err(bad(source, &format!("is truncated: its header promises {promised} bytes and it has {size}")));
    }
    Ok(Header { size, write_ahead: header[18] == 2 || header[19] == 2 })
}

/// The size of the database by its own header, where that is valid: page size times page count.
fn promised_bytes(header: &[u8; 100]) -> Option<u64> {
    let number =
        |at: usize| u64::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let (change_counter, valid_for, pages) = (number(24), number(92), number(28));
    (change_counter == valid_for && pages > 0).then_some(page * pages)
}
