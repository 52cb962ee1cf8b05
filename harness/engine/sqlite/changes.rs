//! Whether a transaction was committed, told by the file's change counter.
//!
//! Bytes 24 to 27 of the header count the transactions that changed the file
//! (<https://www.sqlite.org/fileformat.html#file_change_counter>), unless there is a write-ahead log, where they do not.
//! What a killed process left half written is first rolled back from its journal, by whoever reads next.

use std::{
    fs::File,
    io::{self, Read},
};

use rusqlite::Connection;

use crate::engine::Became;

/// The counter as the file has it on disk; `None` where it does not tell.
fn counter(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if !["delete", "truncate", "persist"].contains(&mode.as_str()) {
        return Ok(None);
    }
    let header = connection.path().and_then(|path| header(path).ok());
    Ok(header.and_then(|header| header.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))))
}

/// The header up to the counter's end; that of a file to which nothing was written yet is zeros.
fn header(path: &str) -> io::Result<[u8; 28]> {
    let (mut file, mut header) = (File::open(path)?, [0; 28]);
    if file.metadata()?.len() > 0 {
        file.read_exact(&mut header)?;
    }
    Ok(header)
}

/// The open transaction, by the counter that it has not raised yet.
pub(super) fn name(connection: &Connection) -> rusqlite::Result<Option<String>> {
    Ok(counter(connection)?.map(|counter| counter.to_string()))
}

/// What became of the transaction of that name: nobody else writes to a database that is rehearsed on.
pub(super) fn became(connection: &Connection, name: &str) -> rusqlite::Result<Became> {
    // Whoever reads rolls back what is half written.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(match (counter(connection)?, name.parse::<u32>()) {
        (Some(now), Ok(then)) if now == then => Became::Nothing,
        (Some(_), Ok(_)) => Became::Committed,
        _ => Became::Unknown,
    })
}
