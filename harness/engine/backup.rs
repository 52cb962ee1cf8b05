//! Backups: a whole database in a file or folder, written and read by the product's own means.

use std::path::Path;

use async_trait::async_trait;

use super::EngineError;
use crate::model::{Address, TableName};

/// A form in which an engine's databases are backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupForm {
    /// Its word in scenarios: `custom`.
    pub id: &'static str,
    /// The name of the file or folder: `backup.dump`.
    pub file: &'static str,
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
}

/// How databases of an engine are put into files, and taken out of them again.
#[async_trait]
pub trait Backups: Sync {
    /// The forms, the usual one first.
    fn forms(&self) -> &'static [BackupForm];

    /// Writes a backup, and tells what wrote it: `pg_dump 15.18`. What a failed one leaves is for the caller to remove.
    ///
    /// # Errors
    /// If no program is there that can read this server, or the program fails.
    async fn write(&self, order: &BackupOrder<'_>) -> Result<String, EngineError>;

    /// Looks through a backup with the means of the product that wrote it (`tool` is what [`Self::write`] told): that it is
    /// whole, and that these tables are in it. Nothing is written. `server` is where it may be restored.
    ///
    /// # Errors
    /// [`EngineError::BadFile`], with what is wrong with it.
    async fn look_through(
        &self,
        backup: &Path,
        form: &BackupForm,
        tool: &str,
        tables: &[TableName],
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

    /// The statements that drop a database and make it anew: empty, and with the properties that it has.
    ///
    /// # Errors
    /// If the server does not tell them.
    async fn anew(&self, address: &Address) -> Result<Vec<String>, EngineError>;

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
