//! The durable journal: `events.jsonl`, one event a line.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::RunError;
use crate::model::{Event, EventKind, event::JOURNAL_VERSION};

/// The journal's file name in the run's directory.
pub const FILE: &str = "events.jsonl";

/// A journal that is being written. Nobody else can write it meanwhile: it is locked, and the kernel ends the lock with
/// the process.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    length: u64,
}

impl Journal {
    /// Creates the journal of a new run.
    ///
    /// # Errors
    /// If it is there already or cannot be created.
    pub fn create(directory: &Path) -> Result<Self, RunError> {
        Self::open(directory, OpenOptions::new().append(true).create_new(true))
    }

    /// Goes on with the journal of an earlier run. A line that a kill cut off is taken away.
    ///
    /// # Errors
    /// If it cannot be opened, or another process is writing it.
    pub fn append(directory: &Path) -> Result<Self, RunError> {
        let mut journal = Self::open(directory, OpenOptions::new().append(true).read(true))?;
        let mut lines = BufReader::new(&journal.file);
        let (mut line, mut whole) = (Vec::new(), 0);
        while lines.read_until(b'\n', &mut line).map_err(|source| journal.error(source))? > 0 {
            whole += if line.last() == Some(&b'\n') { line.len() as u64 } else { 0 };
            line.clear();
        }
        journal.file.set_len(whole).map_err(|source| journal.error(source))?;
        journal.length = whole;
        Ok(journal)
    }

    fn open(directory: &Path, options: &OpenOptions) -> Result<Self, RunError> {
        let path = directory.join(FILE);
        let file = options.open(&path).map_err(|source| RunError::Journal { path: path.clone(), source })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { file, path, length: 0 }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(RunError::Busy(path)),
            Err(error) => Err(RunError::Journal { path, source: error.into() }),
        }
    }

    /// Writes an event; a durable one is on disk when this returns.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn write(&mut self, event: &Event) -> Result<(), RunError> {
        let mut line = serde_json::to_vec(event).map_err(|error| self.error(io::Error::from(error)))?;
        line.push(b'\n');
        if let Err(source) = self.file.write_all(&line) {
            // Half a line would spoil the next one. If even this fails, readers will tell.
            let _ = self.file.set_len(self.length);
            return Err(self.error(source));
        }
        self.length += line.len() as u64;
        if event.kind.is_durable() {
            self.file.sync_data().map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    fn error(&self, source: io::Error) -> RunError {
        RunError::Journal { path: self.path.clone(), source }
    }
}

/// Reads the events of a run. A last line that a kill cut off is left out.
///
/// # Errors
/// If there is no journal, it is of another version, or something else than a cut line is wrong with it.
pub fn read(directory: &Path) -> Result<Vec<Event>, RunError> {
    let path = directory.join(FILE);
    let unreadable = |problem: String| RunError::UnreadableJournal { path: path.clone(), problem };
    let cannot = |error: io::Error| unreadable(format!("cannot be read: {error}"));
    let mut lines = BufReader::new(File::open(&path).map_err(cannot)?);
    let (mut events, mut line): (Vec<Event>, _) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line).map_err(cannot)?;
        // A kill can cut the last line off anywhere, also within a letter; whatever was durable was whole before.
        let Some(whole) = line.strip_suffix(b"\n") else { return Ok(events) };
        let event: Event =
            serde_json::from_slice(whole).map_err(|error| unreadable(format!("line {}: {error}", events.len() + 1)))?;
        version(&event).map_err(&unreadable)?;
        events.push(event);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn note(seq: u64, text: &str) -> Event {
        let kind = EventKind::Note { text: text.to_owned() };
        Event { seq, at: String::new(), elapsed_ms: 0, kind }
    }

    #[test]
    fn a_line_that_was_cut_off_anywhere_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut journal = Journal::create(folder.path()).unwrap();
        journal.write(&note(0, "first")).unwrap();
        let first = std::fs::metadata(&path).unwrap().len();
        journal.write(&note(1, "zweite Größe")).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for length in first..whole.len() as u64 {
            std::fs::write(&path, &whole[..length as usize]).unwrap();
            assert_eq!(read(folder.path()).unwrap(), [note(0, "first")], "cut at {length}");
        }
        let mut journal = Journal::append(folder.path()).unwrap();
        journal.write(&note(1, "again")).unwrap();
        assert_eq!(read(folder.path()).unwrap(), [note(0, "first"), note(1, "again")]);
    }

    #[test]
    fn a_journal_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::create(folder.path()).unwrap();
        assert!(matches!(Journal::append(folder.path()), Err(RunError::Busy(_))));
        drop(journal);
        assert!(Journal::append(folder.path()).is_ok());
    }
}
