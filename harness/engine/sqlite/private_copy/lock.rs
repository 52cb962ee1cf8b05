//! Asking whether another process holds a database for itself, without taking a lock.

use std::{fs::File, path::Path};

use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::engine::EngineError;

/// The bytes of a database file that SQLite locks on Unix (`PENDING_BYTE` in `src/os.h`, `src/os_unix.c`): a writer that
/// holds the database for itself has write locks on them.
const PENDING: u64 = 0x4000_0000;
const SHARED_FIRST: u64 = PENDING + 2;
const SHARED_SIZE: u64 = 510;

/// Refuses a file that another process has locked against readers.
pub(super) fn free(source: &Path, real: &Path) -> Result<(), EngineError> {
    let place = || source.display().to_string();
    let unavailable = |source: std::io::Error| EngineError::Unavailable { place: place(), source: source.into() };
    let file = File::open(real).map_err(unavailable)?;
    for (start, length) in [(PENDING, 1), (SHARED_FIRST, SHARED_SIZE)] {
        let mut wanted = Flock::from(FlockType::ReadLock);
        (wanted.start, wanted.length) = (start, length);
        if fcntl_getlk(&file, &wanted).map_err(|error| unavailable(error.into()))?.is_some() {
            return Err(EngineError::Locked { place: place() });
        }
    }
    Ok(())
}
