//! Backups: a whole database in a file or folder, written and read by the product's own means.

use std::path::Path;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{
    Engine, EngineError,
    program::{Program, Wanted},
};
use crate::model::{Address, TableName};

/// A form in which an engine's databases are backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupForm {
    /// Its word in scenarios: `custom`.
    pub id: &'static str,
    /// The name of the file or folder: `backup.dump`.
    pub file: &'static str,
}

/// What of a database is in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Definitions, rows, or both.
    #[serde(default)]
    pub part: BackupPart,
    /// These tables alone; all of the database, if none is named.
    #[serde(default)]
    pub tables: Vec<TableName>,
}

/// Definitions, rows, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupPart {
    /// Both.
    #[default]
    Whole,
    /// Definitions alone.
    Schema,
    /// Rows alone, and where sequences stand.
    Rows,
}

impl Extent {
    /// Whether it is all of a database.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// What is to be backed up, and where to.
#[derive(Clone, Copy, Debug)]
pub struct BackupOrder<'a> {
    /// The database.
    pub address: &'a Address,
    /// The form.
    pub form: &'a BackupForm,
    /// The file or folder, which is not there yet.
    pub to: &'a Path,
    /// The word by which the state is seen that another session shares, where there is one.
    pub snapshot: Option<&'a str>,
    /// What of the database.
    pub extent: &'a Extent,
}

/// How databases of an engine are put into files, and taken out of them again.
#[async_trait]
pub trait Backups: Sync {
    /// The forms, the usual one first.
    fn forms(&self) -> &'static [BackupForm];

    /// Whether definitions alone, rows alone or some tables alone can be backed up.
    fn takes_parts(&self) -> bool {
        false
    }

    /// What would write a backup of this server's databases: `pg_dump 15.18`; or why nothing here can.
    ///
    /// # Errors
    /// If the server cannot be asked for its version.
    async fn tool(&self, server: &Address) -> Result<Result<String, String>, EngineError>;

    /// Writes a backup, and tells what wrote it: `pg_dump 15.18`. What a failed one leaves is for the caller to remove.
    ///
    /// # Errors
    /// If no program is there that can read this server, or the program fails.
    async fn write(&self, order: &BackupOrder<'_>) -> Result<String, EngineError>;

    /// Looks through a backup with the means of the product that wrote it (`tool` is what [`Self::write`] told): that it is
    /// whole, and that what it is of is in it. Nothing is written. `server` is where it may be restored.
    ///
    /// # Errors
    /// [`EngineError::BadFile`], with what is wrong with it.
    async fn look_through(
        &self,
        backup: &Path,
        form: &BackupForm,
        tool: &str,
        extent: &Extent,
        server: &Address,
    ) -> Result<(), EngineError>;

    /// Whether what a server of the one version wrote may not be understood by one of the other.
    fn is_newer(&self, version: &str, than: &str) -> bool;

    /// Restores a backup into an empty database (an engine of files replaces what is there), and tells what a reader should
    /// know. `folder` is for files that it needs meanwhile.
    ///
    /// # Errors
    /// If the server refuses a part of it; what was restored before stays.
    async fn restore(
        &self,
        backup: &Path,
        form: &BackupForm,
        tool: &str,
        address: &Address,
        folder: &Path,
    ) -> Result<Vec<String>, EngineError>;

    /// The statements that drop a database, if it is there, and make it anew: empty, and with the properties that another
    /// one of the same server has (`like`), or the same one.
    ///
    /// # Errors
    /// If the server does not tell them.
    async fn anew(&self, address: &Address, like: &Address) -> Result<Vec<String>, EngineError>;

    /// Drops a database and makes it anew by these statements, also after an earlier attempt that did not come to its end.
    ///
    /// # Errors
    /// If the server refuses it.
    async fn make_anew(&self, address: &Address, statements: &[String]) -> Result<(), EngineError>;
}

/// The form of this word.
pub fn form(backups: &dyn Backups, id: &str) -> Option<&'static BackupForm> {
    backups.forms().iter().find(|form| form.id == id)
}

/// The program that suits a running server, or why nothing here does.
pub(super) async fn writer(
    engine: &dyn Engine,
    wanted: &Wanted,
    server: &Address,
) -> Result<Result<Program, String>, EngineError> {
    let mut session = engine.connect(server).await?;
    let version = session.version().await?;
    session.close().await?;
    Ok(Program::suiting(wanted, &version, server).await)
}

/// The numbers of a version: 15 and 18 of `15.18 (Debian 15.18-1)`.
pub(super) fn numbers(version: &str) -> (u32, u32) {
    let end = version.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(version.len());
    let mut numbers = version[..end].split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// The version behind the name of a tool, as [`Backups::write`] tells it.
pub(super) fn version_of(tool: &str) -> &str {
    tool.split_once(' ').map_or("", |(_, version)| version)
}
