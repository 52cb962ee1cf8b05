//! The files of a switch: originals on disk first, then one rename a file, and back.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::migrate::{StepError, StepTask};

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changed {
    /// The file, relative to the application's folder.
    path: PathBuf,
    /// BLAKE3 of what it held.
    before: String,
    /// BLAKE3 of what it gets.
    after: String,
}

/// Where the originals are kept.
pub(super) struct Originals {
    application: PathBuf,
    kept: PathBuf,
}

impl Originals {
    /// Those of a step.
    pub(super) fn new(task: &StepTask, application: &Path) -> Self {
        Self { application: application.to_owned(), kept: task.folder.join("originals") }
    }

    /// Puts the originals on disk.
    ///
    /// # Errors
    /// If one cannot be written. The application's files are as they were.
    pub(super) fn keep(&self, texts: &[(PathBuf, String)]) -> Result<Vec<Changed>, StepError> {
        let keep = |path: &PathBuf, text: &String| {
            let bytes = fs::read(self.application.join(path))?;
            let place = self.kept.join(path);
            fs::create_dir_all(place.parent().unwrap_or(&self.kept))?;
            let mut file = File::create(&place)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok(Changed { path: path.clone(), before: hash(&bytes), after: hash(text.as_bytes()) })
        };
        texts.iter().map(|(path, text)| keep(path, text).map_err(|error| broken("keep", path, error))).collect()
    }

    /// Gives every file its new text.
    ///
    /// # Errors
    /// The file that could not be written; those before it are changed.
    pub(super) fn replace(&self, texts: &[(PathBuf, String)]) -> Result<(), StepError> {
        texts.iter().try_for_each(|(path, text)| {
            write(&self.application.join(path), text.as_bytes()).map_err(|error| broken("write", path, error))
        })
    }

    /// Gives every file what it held.
    ///
    /// # Errors
    /// If a file holds neither what it held nor what it got: it is left as it is, and so are those behind it.
    pub(super) fn restore(&self, changed: &[Changed]) -> Result<(), StepError> {
        for Changed { path, before, after } in changed {
            let place = self.application.join(path);
            let now = fs::read(&place).map(|bytes| hash(&bytes)).map_err(|error| broken("read", path, error))?;
            if now == *before {
                continue;
            }
            if now != *after {
                let what = format!("`{}` was changed by somebody else since, and is not written over", path.display());
                return Err(StepError::Refused { what });
            }
            let bytes = fs::read(self.kept.join(path)).map_err(|error| broken("read the original of", path, error))?;
            if hash(&bytes) != *before {
                let what = format!("the original of `{}` was changed since", path.display());
                return Err(StepError::Refused { what });
            }
            write(&place, &bytes).map_err(|error| broken("bring back", path, error))?;
        }
        Ok(())
    }
}

fn broken(doing: &str, path: &Path, error: io::Error) -> StepError {
    StepError::broken(format!("{doing} `{}`", path.display()), error)
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Replaces a file by a rename: whoever reads it sees all of the one or all of the other. Its permissions stay.
fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    let mut new = NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().set_permissions(fs::metadata(place)?.permissions())?;
    new.as_file().sync_all()?;
    new.persist(place).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// If something in it is neither a file nor a folder, or cannot be copied.
pub(in crate::migrate) fn copy(from: &Path, to: &Path) -> Result<(), StepError> {
    let failed = |path: &Path, error: io::Error| broken("copy", path, error);
    fs::create_dir_all(to).map_err(|error| failed(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(from, error))? {
        let entry = entry.map_err(|error| failed(from, error))?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|error| failed(&path, error))?;
        if kind.is_dir() {
            copy(&path, &place)?;
        } else if kind.is_file() {
            fs::copy(&path, &place).map_err(|error| failed(&path, error))?;
        } else {
            let what = format!("`{}` is neither a file nor a folder", path.display());
            return Err(StepError::Refused { what });
        }
    }
    Ok(())
}
