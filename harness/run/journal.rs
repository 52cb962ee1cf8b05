//! The durable journal: `events.jsonl`, one event a line.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use super::RunError;
use crate::model::{Event, EventKind, event::JOURNAL_VERSION};

/// The journal's file name in the run's directory.
pub const FILE: &str = "events.jsonl";

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Creates the journal of a new run.
    ///
    /// # Errors
    /// If it is there already or cannot be created.
    pub fn create(directory: &Path) -> Result<Self, RunError> {
        Self::open(directory, OpenOptions::new().append(true).create_new(true))
    }

    /// Goes on with the journal of an earlier run. A line that a kill cut off is ended, and left out when it is read.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn append(directory: &Path) -> Result<Self, RunError> {
        let mut journal = Self::open(directory, OpenOptions::new().append(true).read(true))?;
        let text = std::fs::read(&journal.path).map_err(|source| journal.error(source))?;
        if !text.is_empty() && text.last() != Some(&b'\n') {
            journal.file.write_all(b"\n").map_err(|source| journal.error(source))?;
        }
        Ok(journal)
    }

    fn open(directory: &Path, options: &OpenOptions) -> Result<Self, RunError> {
        let path = directory.join(FILE);
        let file = options.open(&path).map_err(|source| RunError::Journal { path: path.clone(), source })?;
        Ok(Self { file, path })
    }

    /// Writes an event; a durable one is on disk when this returns.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn write(&mut self, event: &Event) -> Result<(), RunError> {
        let mut line = serde_json::to_vec(event).map_err(|error| self.error(io::Error::from(error)))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|source| self.error(source))?;
        if event.kind.is_durable() {
            self.file.sync_data().map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> RunError {
        RunError::Journal { path: self.path.clone(), source }
    }
}

/// Reads the events of a run. Lines that a kill cut off are left out.
///
/// # Errors
/// If there is no journal, it is of another version, or something else than a cut line is wrong with it.
pub fn read(directory: &Path) -> Result<Vec<Event>, RunError> {
    let path = directory.join(FILE);
    let unreadable = |problem: String| RunError::UnreadableJournal { path: path.clone(), problem };
    let file = File::open(&path).map_err(|error| unreadable(format!("cannot be read: {error}")))?;
    let mut events: Vec<Event> = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| unreadable(format!("cannot be read: {error}")))?;
        match serde_json::from_str::<Event>(&line) {
            Ok(event) => {
                version(&event).map_err(&unreadable)?;
                events.push(event);
            }
            // A kill can cut a line off anywhere; whatever was durable was whole before.
            Err(error) if error.is_eof() => {}
            Err(error) => return Err(unreadable(format!("line {}: {error}", number + 1))),
        }
    }
    Ok(events)
}

fn version(event: &Event) -> Result<(), String> {
    match &event.kind {
        EventKind::RunStarted(start) if start.journal_version != JOURNAL_VERSION => Err(format!(
            "is of version {}, and this is rehearse {} with journals of version {JOURNAL_VERSION}",
            start.journal_version,
            env!("CARGO_PKG_VERSION"),
        )),
        _ => Ok(()),
    }
}
