//! A private copy of a file of the user's, taken without leaving a trace on it.
//!
//! The user's file and its neighbours are opened for reading only, and in such a way that SQLite neither creates nor
//! removes a `-wal`, `-shm` or `-journal` beside it:
//!
//! | what lies there | how it is read |
//! |---|---|
//! | a rollback-mode file | read-only under SQLite's shared lock, which is kept for the whole copy |
//! | that, with a hot journal of a crashed writer | file and journal are copied as files; the copy recovers |
//! | a write-ahead-log file that was closed cleanly | as immutable, since locks would need a `-shm`; hashes before and after must agree |
//! | `-wal` and `-shm`: writers are alive, or were killed | read-only with a read-only `-shm`: the log's last commit is seen |
//! | `-wal` without `-shm` | file and log are copied as files; the copy recovers |
//!
//! Reading a file through [`Witness`] opens and closes it, and POSIX then drops every lock that this same process holds
//! on it: a process must not take a private copy of a database that it has open itself.

mod header;
mod lock;
#[cfg(test)]
mod tests;
mod witness;

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    ffi,
};

use crate::engine::EngineError;

use super::error::failed;

pub use witness::Witness;

/// How long the copy waits for a writer to let go of its lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// Copies of at most so many bytes get the thorough integrity check, which also compares indexes with their tables.
const THOROUGH_BYTES: u64 = 64 << 20;

/// Takes a private copy of `source` at `copy`, which must not exist yet, and checks that the copy is whole.
///
/// # Errors
/// [`EngineError::BadFile`] if the source is missing, no SQLite database, truncated or damaged, or was changed by
/// another process where that could not be kept out; [`EngineError::Locked`] if a writer holds it for itself;
/// [`EngineError::Full`] if the copy finds no room. No copy is left then.
pub fn take(source: &Path, copy: &Path) -> Result<Witness, EngineError> {
    // SQLite looks for the log beside the file that a link leads to.
    let real = fs::canonicalize(source).unwrap_or_else(|_| source.to_owned());
    let copy = &std::path::absolute(copy)
        .map_err(|error| EngineError::Unavailable { place: copy.display().to_string(), source: error.into() })?;
    let header = header::read(source, &real)?;
    let mut witness = Witness::of(source)?;
    create_private(copy)?;
    let outcome = transfer(source, &real, copy, &header, &mut witness).and_then(|()| verify(source, copy));
    match outcome {
        Ok(unverified) => {
            witness.unverified = unverified;
            Ok(witness)
        }
        Err(error) => {
            for leftover in [copy.to_owned(), beside(copy, "-wal"), beside(copy, "-shm"), beside(copy, "-journal")] {
                // The first error is the one to tell; what cannot be removed lies in the run's own directory.
                let _ = fs::remove_file(leftover);
            }
            Err(error)
        }
    }
}

/// Looks at a file as far as that needs no lock and no copy, so that what is no database is told before anything starts.
///
/// # Errors
/// [`EngineError::BadFile`] if the file is missing, no SQLite database, or shorter than its header promises.
pub fn inspect(source: &Path) -> Result<(), EngineError> {
    let real = fs::canonicalize(source).unwrap_or_else(|_| source.to_owned());
    header::read(source, &real).map(|_| ())
}

/// Brings the content over, by the way that the table in this module's description names.
fn transfer(
    source: &Path,
    real: &Path,
    copy: &Path,
    header: &header::Header,
    witness: &mut Witness,
) -> Result<(), EngineError> {
    let size = |path: PathBuf| fs::metadata(path).map(|found| found.len()).ok();
    let (log, shared) = (size(beside(real, "-wal")), size(beside(real, "-shm")));
    if log.is_some() && shared.is_some() {
        return match back_up(real, copy, "mode=ro&readonly_shm=1", source) {
            // A writer that has just begun has no place in the shared memory yet where a pure reader could hold on.
            Err(error) if is_code(&error, ffi::SQLITE_READONLY_CANTINIT) => back_up(real, copy, "mode=ro", source),
            outcome => outcome,
        }
        .map_err(|error| explain(source, error));
    }
    if log.is_some_and(|bytes| bytes > 0) {
        return copy_files(source, real, copy, "-wal", witness);
    }
    if header.write_ahead || log.is_some() {
        back_up(real, copy, "immutable=1", source).map_err(|error| explain(source, error))?;
        return unchanged(source, witness);
    }
    if header.is_empty() {
        return Ok(());
    }
    match back_up(real, copy, "mode=ro", source) {
        Err(error) if is_code(&error, ffi::SQLITE_READONLY_ROLLBACK) => {
            copy_files(source, real, copy, "-journal", witness)
        }
        outcome => outcome.map_err(|error| explain(source, error)),
    }
}

/// Copies the file and its log or journal as plain files, and lets SQLite recover the copy.
fn copy_files(source: &Path, real: &Path, copy: &Path, suffix: &str, witness: &mut Witness) -> Result<(), EngineError> {
    lock::free(source, real)?;
    for (from, to) in [(real.to_owned(), copy.to_owned()), (beside(real, suffix), beside(copy, suffix))] {
        copy_file(&from, &to).map_err(|error| unreadable(source, copy, error))?;
    }
    unchanged(source, witness)?;
    let recover = || -> rusqlite::Result<()> {
        let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        connection.close().map_err(|(_, error)| error)
    };
    recover().map_err(|error| explain(source, error))
}

/// Copies the bytes alone: permissions stay those of a private file.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    io::copy(&mut fs::File::open(from)?, &mut to).map(|_| ())
}

/// Backs the database up with SQLite's own backup, in one step under one lock or snapshot.
fn back_up(real: &Path, copy: &Path, parameters: &str, source: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let from = Connection::open_with_flags(format!("file:{}?{parameters}", escaped(real)), flags)?;
    from.busy_timeout(LOCK_TIMEOUT)?;
    // The backup itself does not wait for locks; this read does, and the transaction keeps what it got.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    let mut to = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // A copy that was cut off is thrown away, and need not survive a power failure either.
    to.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    let backup = Backup::new(&from, &mut to)?;
    match backup.step(-1)? {
        StepResult::Done => Ok(()),
        step => {
            let message = format!("the backup of {} stopped: {step:?}", source.display());
            Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), Some(message)))
        }
    }
}

/// Refuses a copy that was taken while somebody wrote.
fn unchanged(source: &Path, witness: &mut Witness) -> Result<(), EngineError> {
    if witness.confirm()? {
        return Ok(());
    }
    Err(bad(source, "was changed by another process while it was being copied"))
}

/// Checks that the copy is whole; tells why that could not be done where SQLite itself cannot.
fn verify(source: &Path, copy: &Path) -> Result<Option<String>, EngineError> {
    let thorough = fs::metadata(copy).is_ok_and(|found| found.len() <= THOROUGH_BYTES);
    let pragma = if thorough { "integrity_check" } else { "quick_check" };
    let check = || -> rusqlite::Result<Vec<String>> {
        let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut statement = connection.prepare(&format!("PRAGMA {pragma}(100)"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    match check() {
        Ok(problems) => match problems.iter().find(|problem| is_damage(problem)) {
            Some(problem) => Err(bad(source, &format!("is damaged: {}", problem.lines().last().unwrap_or(problem)))),
            None => Ok(None),
        },
        // An index under a collation, or a virtual table of a module, that this library does not have.
        Err(error) if error.sqlite_error().is_some_and(|failure| failure.extended_code & 0xff == ffi::SQLITE_ERROR) => {
            Ok(Some(format!("{pragma} could not run: {error}")))
        }
        Err(error) => Err(explain(source, error)),
    }
}

/// Whether a line of the integrity check tells of a damaged file, and not of rows that break a rule of their table.
fn is_damage(problem: &str) -> bool {
    let about_rows = problem.starts_with("NULL value in ")
        || problem.starts_with("CHECK constraint failed in ")
        || ["NUMERIC value in ", "TEXT value in "].iter().any(|begin| problem.starts_with(begin))
        || (problem.starts_with("non-") && problem.contains(" value in "));
    problem != "ok" && !about_rows
}

/// A file that lies beside another one: its name with something appended.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// A path inside a URI: everything but letters, digits and a few marks by its bytes in hexadecimal.
pub(super) fn escaped(path: &Path) -> String {
    let mut uri = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

fn create_private(copy: &Path) -> Result<(), EngineError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(bad(copy, "is there already")),
        Err(error) => Err(EngineError::Unavailable { place: copy.display().to_string(), source: error.into() }),
    }
}

fn unreadable(source: &Path, copy: &Path, error: io::Error) -> EngineError {
    if error.kind() == io::ErrorKind::StorageFull {
        let doing = format!("copying {} to {}", source.display(), copy.display());
        return EngineError::Full { doing, source: error.into() };
    }
    EngineError::Unavailable { place: source.display().to_string(), source: error.into() }
}

fn explain(source: &Path, error: rusqlite::Error) -> EngineError {
    let place = source.display().to_string();
    failed(&place, format!("copying {place}"))(error)
}

fn is_code(error: &rusqlite::Error, code: std::ffi::c_int) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == code)
}

fn bad(path: &Path, problem: &str) -> EngineError {
    EngineError::BadFile { path: path.display().to_string(), problem: problem.to_owned() }
}
