//! Backups by SQLite's own backup, page by page.

use std::{collections::BTreeSet, path::Path};

use async_trait::async_trait;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    ffi,
};

use super::{error::failed, open, private_copy};
use crate::{
    engine::{
        EngineError,
        backup::{BackupForm, BackupOrder, Backups, Extent},
        dump::bad,
    },
    model::{Address, Endpoint},
};

/// Backups of SQLite.
pub(super) struct SqliteBackups;

const FORMS: &[BackupForm] = &[BackupForm { id: "file", file: "backup.db" }];

#[async_trait]
impl Backups for SqliteBackups {
    fn forms(&self) -> &'static [BackupForm] {
        FORMS
    }

    /// The file must not be open in this process: see [`private_copy`].
    async fn tool(&self, _server: &Address) -> Result<Result<String, String>, EngineError> {
        Ok(Ok(format!("SQLite {}", rusqlite::version())))
    }

    async fn write(&self, order: &BackupOrder<'_>) -> Result<String, EngineError> {
        let file = file(order.address)?;
        tokio::task::block_in_place(|| private_copy::take(file, order.to))?;
        Ok(format!("SQLite {}", rusqlite::version()))
    }

    async fn look_through(
        &self,
        backup: &Path,
        _form: &BackupForm,
        _tool: &str,
        extent: &Extent,
        _server: &Address,
    ) -> Result<(), EngineError> {
        let place = backup.display().to_string();
        let (problem, listed) = tokio::task::block_in_place(|| {
            private_copy::inspect(backup)?;
            read(backup).map_err(failed(&place, format!("reading {place}")))
        })?;
        if let Some(problem) = problem {
            return Err(bad(backup, &format!("is damaged: {problem}")));
        }
        match extent.tables.iter().find(|table| !listed.contains(&table.name)) {
            Some(table) => Err(bad(backup, &format!("does not hold the table {table}"))),
            None => Ok(()),
        }
    }

    /// Every version reads what any other wrote.
    fn is_newer(&self, _version: &str, _than: &str) -> bool {
        false
    }

    async fn restore(
        &self,
        backup: &Path,
        _form: &BackupForm,
        _tool: &str,
        address: &Address,
        _folder: &Path,
    ) -> Result<Vec<String>, EngineError> {
        let file = file(address)?;
        let place = file.display().to_string();
        let restore = || replace(&unchanging(backup)?, file);
        tokio::task::block_in_place(restore).map_err(failed(&place, format!("restoring {}", backup.display())))?;
        Ok(Vec::new())
    }

    async fn anew(&self, _address: &Address, _like: &Address) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    async fn make_anew(&self, address: &Address, _statements: &[String]) -> Result<(), EngineError> {
        let file = file(address)?;
        let place = file.display().to_string();
        let empty = || replace(&Connection::open_in_memory()?, file);
        tokio::task::block_in_place(empty).map_err(failed(&place, "emptying the database"))
    }
}

fn file(address: &Address) -> Result<&Path, EngineError> {
    match &address.endpoint {
        Endpoint::File(path) => Ok(path),
        Endpoint::Server { .. } => Err(EngineError::Unavailable {
            place: address.to_string(),
            source: "SQLite reads files and no servers".into(),
        }),
    }
}

/// Opens a file that nobody writes, and leaves nothing beside it.
fn unchanging(backup: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{}?immutable=1", private_copy::escaped(backup)), flags)
}

/// What is wrong with a file, if anything is, and the tables in it.
fn read(backup: &Path) -> rusqlite::Result<(Option<String>, BTreeSet<String>)> {
    let connection = unchanging(backup)?;
    let problem: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let listed = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(((problem != "ok").then_some(problem), listed))
}

/// Replaces all of a database in one transaction: whoever has it open sees all of the one or all of the other.
fn replace(from: &Connection, file: &Path) -> rusqlite::Result<()> {
    let mut to = open(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))?;
    // A log's pages are of one size, and so are those of both databases then.
    to.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let backup = Backup::new(from, &mut to)?;
    match backup.step(-1)? {
        StepResult::Done => {}
        step => {
            let message = format!("the restoring of {} stopped: {step:?}", file.display());
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), Some(message)));
        }
    }
    drop(backup);
    to.close().map_err(|(_, error)| error)
}
