//! Which runs hold something: a small file each in the user's state directory, from before a run's first lease until its
//! last lease is given back, so that `status`, `resume`, `rollback` and `clean` find a run from anywhere.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::RunError;
use crate::model::RunId;

/// The state directory.
#[derive(Clone, Debug)]
pub struct Registry(PathBuf);

/// One run that holds something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The run.
    pub id: RunId,
    /// The directory that holds its journal.
    pub directory: PathBuf,
}

impl Registry {
    /// The registry in a state directory, which need not exist.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self(state.into())
    }

    /// Registers a run; on disk, and whole, when this returns.
    ///
    /// # Errors
    /// If the state directory cannot be written.
    pub fn register(&self, entry: &Entry) -> Result<(), RunError> {
        let path = self.path(&entry.id);
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.0)?;
            // Under another name first: a kill in between must not leave an entry that nobody can read.
            let fresh = path.with_extension("fresh");
            let mut file = fs::File::create(&fresh)?;
            file.write_all(&serde_json::to_vec(entry)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|source| RunError::Journal { path: path.clone(), source })
    }

    /// Forgets a run that holds nothing any more.
    ///
    /// # Errors
    /// If its file cannot be removed.
    pub fn forget(&self, id: &RunId) -> Result<(), RunError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunError::Journal { path, source }),
            _ => Ok(()),
        }
    }

    /// Every registered run, oldest first. A file that is no entry is an error with its name: it may hide leases.
    ///
    /// # Errors
    /// If the state directory or an entry cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, RunError> {
        let mut entries = Vec::new();
        let directory = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(entries),
            other => other.map_err(|source| RunError::Journal { path: self.0.clone(), source })?,
        };
        for file in directory {
            let path = file.map_err(|source| RunError::Journal { path: self.0.clone(), source })?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                entries.push(read(&path)?);
            }
        }
        entries.sort_by(|one: &Entry, other| one.id.cmp(&other.id));
        Ok(entries)
    }

    fn path(&self, id: &RunId) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> Result<Entry, RunError> {
    let text = fs::read(path).map_err(|source| RunError::Journal { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| RunError::UnreadableJournal {
        path: path.to_owned(),
        problem: format!("is not an entry of the run registry: {error}"),
    })
}
