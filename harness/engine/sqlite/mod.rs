//! SQLite, embedded: the library that this program carries reads and writes files without a server.
//!
//! A file of the user's is never opened by a [`Session`]; [`private_copy`] takes a copy of it first.

mod audit;
mod backup;
mod changes;
mod counters;
pub mod ddl;
mod dialect;
mod error;
mod fence;
mod footprint;
mod introspect;
mod iso;
mod load;
mod objects;
pub mod private_copy;
mod scan;
mod script;
mod session;
#[cfg(test)]
mod tests;
pub mod types;

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};

use crate::{
    engine::{Dialect, Engine, EngineError, ServerSpec, Session, backup::Backups},
    model::{Address, Endpoint},
};

use error::failed;

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite.
#[derive(Clone, Copy, Debug)]
pub struct Sqlite;

#[async_trait]
impl Engine for Sqlite {
    fn id(&self) -> &'static str {
        "sqlite"
    }

    fn title(&self) -> &'static str {
        "SQLite"
    }

    fn words(&self) -> &'static [&'static str] {
        &["sqlite", "sqlite3"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &dialect::SqliteDialect
    }

    fn server(&self) -> Option<&'static ServerSpec> {
        None
    }

    /// Opens the file, and creates it if it is not there.
    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError> {
        let Endpoint::File(path) = &address.endpoint else {
            return Err(EngineError::Unavailable {
                place: address.to_string(),
                source: "SQLite reads files and no servers".into(),
            });
        };
        let place = path.display().to_string();
        // An absolute path, so that neither `:memory:` nor `file:x` means anything but a file of that name.
        let file = std::path::absolute(path)
            .map_err(|source| EngineError::Unavailable { place: place.clone(), source: source.into() })?;
        let connection = tokio::task::block_in_place(|| open(&file)).map_err(failed(&place, "opening the database"))?;
        Ok(Box::new(session::SqliteSession::new(connection, place)))
    }

    fn backups(&self) -> Option<&'static dyn Backups> {
        Some(&backup::SqliteBackups)
    }

    fn in_memory(&self) -> Result<Option<Box<dyn Session>>, EngineError> {
        let place = "a database in memory".to_owned();
        let connection = Connection::open_in_memory().and_then(pinned).map_err(failed(&place, "opening it"))?;
        Ok(Some(Box::new(session::SqliteSession::new(connection, place))))
    }
}

/// Opens a file for reading and writing.
fn open(file: &std::path::Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    pinned(Connection::open_with_flags(file, flags)?)
}

/// Pins a connection's settings, and reads its first page.
fn pinned(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
    // SQLite opens a file lazily; without a first read, a file that is no database would be found out much later.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}
