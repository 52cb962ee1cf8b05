//! What lies beside a backup: what it is of, what it has to hold, and by which digests it is known to be whole.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    canon,
    engine::backup::{BackupPart, Extent},
    migrate::StepError,
    model::{EngineId, Fingerprint, TableName},
};

/// The manifest's file in a generation.
pub(super) const FILE: &str = "manifest.json";
/// The version of its form.
const FORMAT_VERSION: u32 = 1;

/// A backup as it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::migrate) struct Manifest {
    /// The version of this form.
    pub format_version: u32,
    /// When it was begun.
    pub moment: Timestamp,
    /// The engine of the database.
    pub engine: EngineId,
    /// The version of its server.
    pub server_version: String,
    /// The form: `custom`.
    pub form: String,
    /// What wrote it: `pg_dump 15.18`.
    pub tool: String,
    /// Definitions, rows, or both.
    #[serde(default)]
    pub part: BackupPart,
    /// Its files, relative to the generation's folder.
    pub files: Vec<ListedFile>,
    /// The rows of every table that it is of: how many, and the sum of their digests in own form.
    pub tables: BTreeMap<TableName, Fingerprint>,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::migrate) struct ListedFile {
    /// Relative to the generation's folder.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of this form, of what it says.
    pub(super) const fn version() -> u32 {
        FORMAT_VERSION
    }

    /// What it has to hold.
    pub fn extent(&self) -> Extent {
        Extent { part: self.part, tables: self.tables.keys().cloned().collect() }
    }

    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Writes it into a generation's folder; on disk when this returns.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let mut file = File::create(folder.join(FILE))?;
        file.write_all(&text)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()
    }

    /// Reads it from a generation's folder.
    ///
    /// # Errors
    /// If there is none, or it is none of ours.
    pub(in crate::migrate) fn read(folder: &Path) -> Result<Self, StepError> {
        let path = folder.join(FILE);
        let wrong = |why: String| StepError::Rejected { what: format!("`{}` {why}", path.display()) };
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => wrong("is not there: nothing tells what the backup has to hold".to_owned()),
            _ => wrong(format!("cannot be read: {error}")),
        })?;
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("is no manifest of a backup: {error}")))?;
        if manifest.format_version != FORMAT_VERSION {
            return Err(wrong(format!("is of version {}, and {FORMAT_VERSION} is known", manifest.format_version)));
        }
        Ok(manifest)
    }

    /// Holds the files of a generation against it.
    ///
    /// # Errors
    /// The first file that is not as it was written.
    pub(in crate::migrate) fn compare(&self, folder: &Path) -> Result<(), StepError> {
        let found = files(folder).map_err(|error| StepError::broken(format!("list `{}`", folder.display()), error))?;
        for path in &found {
            if !self.files.iter().any(|file| file.path == *path) {
                let what = format!("`{}` is no part of the backup", folder.join(path).display());
                return Err(StepError::Rejected { what });
            }
        }
        for file in &self.files {
            let path = folder.join(&file.path);
            let damaged = |why: String| StepError::Rejected { what: format!("`{}` {why}", path.display()) };
            let bytes = fs::metadata(&path).map_err(|error| damaged(format!("cannot be read: {error}")))?.len();
            if bytes != file.bytes {
                return Err(damaged(format!("has {bytes} bytes, and had {} when it was written", file.bytes)));
            }
            let sha256 = sha256(&path).map_err(|error| damaged(format!("cannot be read: {error}")))?;
            if sha256 != file.sha256 {
                let why = format!("is damaged: its SHA-256 is {sha256}, and was {} when it was written", file.sha256);
                return Err(damaged(why));
            }
        }
        Ok(())
    }
}

/// Lists what was written into a folder; on disk when this returns.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<ListedFile>> {
    let list = |path: PathBuf| {
        let place = folder.join(&path);
        File::open(&place)?.sync_all()?;
        Ok(ListedFile { bytes: fs::metadata(&place)?.len(), sha256: sha256(&place)?, path })
    };
    files(folder)?.into_iter().map(list).collect()
}

/// Every file below a folder but for the manifest, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let path = inner.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path != Path::new(FILE) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn sha256(path: &Path) -> io::Result<String> {
    tokio::task::block_in_place(|| canon::sha256(File::open(path)?))
}
