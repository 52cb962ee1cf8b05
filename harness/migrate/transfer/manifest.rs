//! The export's manifest: what is in which file, how many rows, and the file's SHA-256.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::StepError;
use crate::canon::hex;

/// The manifest's file name.
pub(super) const MANIFEST: &str = "manifest.json";
/// The one file with all tables.
pub(super) const COMPLETE: &str = "complete-export.json";

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Version of the export's form.
    pub format_version: u32,
    /// The tables in dependency order.
    pub tables: Vec<ManifestTable>,
    /// The one file with all tables.
    pub complete: ManifestFile,
}

/// One table in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestTable {
    /// The source's table.
    pub table: String,
    /// Its columns in the order of the file.
    pub columns: Vec<String>,
    /// Its file.
    #[serde(flatten)]
    pub file: ManifestFile,
}

/// One file in the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    /// Its name inside the export.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its SHA-256 in hexadecimal, as `sha256sum` prints it.
    pub sha256: String,
}

impl Manifest {
    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.file.rows).sum()
    }

    /// Reads the manifest of an export.
    pub fn read(folder: &Path) -> Result<Self, StepError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|error| StepError::Rejected {
            what: format!("the export has no readable `{MANIFEST}`: {error}"),
        })?;
        serde_json::from_str(&text)
            .map_err(|error| StepError::Rejected { what: format!("`{MANIFEST}` is not a manifest: {error}") })
    }

    /// Writes it; it is on disk when this returns.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = fs::File::create(folder.join(MANIFEST))?;
        io::Write::write_all(&mut file, &self.text())?;
        file.sync_all()
    }

    /// The manifest's file, byte for byte.
    pub fn text(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("manifests are plain JSON")
    }
}

/// Counts and hashes what goes through it to a file.
pub(super) struct HashingFile {
    file: io::BufWriter<fs::File>,
    sha256: Sha256,
    name: String,
    rows: u64,
}

impl HashingFile {
    /// Creates the file in the export's folder.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let file = io::BufWriter::with_capacity(1 << 18, fs::File::create(folder.join(name))?);
        Ok(Self { file, sha256: Sha256::new(), name: name.to_owned(), rows: 0 })
    }

    /// Writes and hashes.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sha256.update(bytes);
        io::Write::write_all(&mut self.file, bytes)
    }

    /// Writes one row and counts it.
    pub fn put_row(&mut self, row: &[u8]) -> io::Result<()> {
        self.put_row_of_table(row, self.rows + 1)
    }

    /// Writes one row of a table inside the file with all tables; `position` is its number in the table, from 1.
    pub fn put_row_of_table(&mut self, row: &[u8], position: u64) -> io::Result<()> {
        self.put(if position == 1 { b"\n" } else { b",\n" })?;
        self.rows += 1;
        self.put(row)
    }

    /// Rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file: it is on disk when this returns.
    pub fn finish(self) -> io::Result<ManifestFile> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(ManifestFile { file: self.name, rows: self.rows, sha256: hex(&self.sha256.finalize()) })
    }
}
