//! Proof that a file was not written: its hash before and after.

use std::{fs::File, io, path::Path};

use crate::{canon, engine::EngineError, model::report::FileWitness};

use super::beside;

/// The hashes of a file of the user's and of the log and journal beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The file, its `-wal`, and its `-journal`; a file that is not there has no hash.
    pub files: Vec<FileWitness>,
    /// Why the copy's integrity could not be checked, where it could not.
    pub unverified: Option<String>,
}

impl Witness {
    /// Hashes the files as they are now; the hashes afterwards are still missing.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] if a file that is there cannot be read.
    pub fn of(source: &Path) -> Result<Self, EngineError> {
        let real = std::fs::canonicalize(source).unwrap_or_else(|_| source.to_owned());
        let mut files = Vec::new();
        for path in [real.clone(), beside(&real, "-wal"), beside(&real, "-journal")] {
            files.push(FileWitness { sha256_before: sha256(&path)?, sha256_after: None, path });
        }
        Ok(Self { files, unverified: None })
    }

    /// Hashes the files again, and tells whether all are what they were.
    ///
    /// # Errors
    /// [`EngineError::Unavailable`] if a file that is there cannot be read.
    pub fn confirm(&mut self) -> Result<bool, EngineError> {
        for file in &mut self.files {
            file.sha256_after = sha256(&file.path)?;
        }
        Ok(self.files.iter().all(|file| file.sha256_before == file.sha256_after))
    }
}

/// The SHA-256 of a file in hexadecimal, in constant memory; `None` if it is not there.
fn sha256(path: &Path) -> Result<Option<String>, EngineError> {
    match File::open(path).and_then(canon::sha256) {
        Ok(hash) => Ok(Some(hash)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::Unavailable { place: path.display().to_string(), source: error.into() }),
    }
}
