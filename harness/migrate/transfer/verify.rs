//! Verify the export before anything is imported: presence, SHA-256, counts, structure, types, foreign keys.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use super::{
    super::{StepError, StepTask, StepVoice},
    Orphans,
    convert::convert,
    field::{Field, RowSeed},
    manifest::{MANIFEST, Manifest, ManifestFile, ManifestTable},
    plan::{TableMove, TransferPlan},
    references::{KeyDigest, ReferenceCheck},
};
use crate::{
    canon::sha256,
    model::{Value, catalogue::Reference},
};

/// Verifies every file of the export against its manifest, the manifest against what was `exported`, and the rows against
/// the target's types and keys.
///
/// # Errors
/// [`StepError::Rejected`] names the file, the row and what is wrong with it.
pub(super) fn verify(
    task: &StepTask,
    plan: &TransferPlan,
    exported: &Manifest,
    orphans: Orphans,
    voice: &mut dyn StepVoice,
) -> Result<(), StepError> {
    voice.progress("verify", 0, Some(exported.rows()));
    let manifest = Manifest::read(&task.folder)?;
    let files = manifest.tables.iter().map(|table| &table.file).chain([&manifest.complete]);
    files.clone().try_for_each(|file| present(&task.folder, file))?;
    files.clone().try_for_each(|file| intact(&task.folder, file))?;
    if manifest.tables.len() != plan.tables.len() {
        return Err(rejected(format!(
            "the manifest lists {} tables, and {} are to be imported",
            manifest.tables.len(),
            plan.tables.len()
        )));
    }
    let broken = |error| StepError::broken("check the export's foreign keys", error);
    let rows =
        |name: &_| plan.tables.iter().find(|table| table.comparison.source == *name).map_or(0, |table| table.rows);
    let mut references = ReferenceCheck::new(&task.folder, &plan.references, rows).map_err(broken)?;
    let mut progress = Progress { done: 0, total: manifest.rows(), voice };
    for (listed, table) in manifest.tables.iter().zip(&plan.tables) {
        table_rows(&task.folder, listed, table, &mut references, &mut progress)?;
    }
    // Whatever else was changed in it: it is no longer what its files were written with.
    let text = std::fs::read(task.folder.join(MANIFEST));
    if text.map_err(|error| StepError::broken(format!("read `{MANIFEST}`"), error))? != exported.text() {
        return Err(rejected(format!("`{MANIFEST}` was changed after the export")));
    }
    let dangling = references.finish().map_err(broken)?;
    match (orphans, dangling.first()) {
        (Orphans::Reject, Some(first)) => Err(rejected(format!(
            "{} rows of `{}` have no parent: {} (first in row {} of its file)",
            first.rows, first.reference.child, first.reference, first.first_row
        ))),
        _ => Ok(()),
    }
}

fn rejected(what: String) -> StepError {
    StepError::Rejected { what: format!("the export is not sound: {what}") }
}

fn present(folder: &Path, file: &ManifestFile) -> Result<(), StepError> {
    if folder.join(&file.file).is_file() { Ok(()) } else { Err(rejected(format!("`{}` is missing", file.file))) }
}

fn intact(folder: &Path, file: &ManifestFile) -> Result<(), StepError> {
    let broken = |error| StepError::broken(format!("read `{}`", file.file), error);
    let found = File::open(folder.join(&file.file)).and_then(sha256).map_err(broken)?;
    if found == file.sha256 {
        return Ok(());
    }
    Err(rejected(format!("`{}` has SHA-256 {found}, and the manifest says {}", file.file, file.sha256)))
}

struct Progress<'a> {
    done: u64,
    total: u64,
    voice: &'a mut dyn StepVoice,
}

impl Progress<'_> {
    fn row(&mut self) -> Result<(), StepError> {
        self.done += 1;
        if self.done.is_multiple_of(1000) {
            self.voice.progress("verify", self.done, Some(self.total));
            if self.voice.is_stopping() {
                return Err(StepError::Interrupted);
            }
        }
        Ok(())
    }
}

fn table_rows(
    folder: &Path,
    listed: &ManifestTable,
    table: &TableMove,
    references: &mut ReferenceCheck,
    progress: &mut Progress<'_>,
) -> Result<(), StepError> {
    let keys = Keys::of(listed, table, references);
    let targets: Vec<_> = table.columns().map(|pair| &pair.target).collect();
    let names = table.columns().map(|pair| &pair.source.name);
    if !names.eq(&listed.columns) || table.comparison.source.to_string() != listed.table {
        return Err(rejected(format!("`{}` does not have the columns that are to be imported", listed.file.file)));
    }
    let mut rows = ExportedRows::open(folder, listed)?;
    let (mut fields, mut values) = (Vec::new(), Vec::new());
    while rows.next(&mut fields)? {
        values.clear();
        for ((field, target), column) in fields.drain(..).zip(&targets).zip(&listed.columns) {
            let value = match convert(field, &target.kind) {
                Ok(Value::Null) if !target.nullable => Err("is NULL, which the target does not take".to_owned()),
                other => other,
            };
            values.push(
                value.map_err(|what| {
                    rejected(format!("row {} of `{}`: `{column}` {what}", rows.number, listed.table))
                })?,
            );
        }
        keys.note(&values, rows.number, table, references)
            .map_err(|error| StepError::broken("check the export's foreign keys", error))?;
        progress.row()?;
    }
    if rows.number == listed.file.rows {
        return Ok(());
    }
    Err(rejected(format!(
        "`{}` holds {} rows, and the manifest says {}",
        listed.file.file, rows.number, listed.file.rows
    )))
}

/// Which columns of a table are keys for others, and which refer to others, as positions.
struct Keys {
    parents: Vec<(Vec<String>, Vec<usize>)>,
    children: Vec<(usize, Reference, Vec<usize>)>,
}

impl Keys {
    fn of(listed: &ManifestTable, table: &TableMove, references: &ReferenceCheck) -> Self {
        let name = &table.comparison.source;
        let positions = |columns: &[String]| {
            columns.iter().map(|wanted| listed.columns.iter().position(|column| column == wanted)).collect()
        };
        let parents = references.keys_of(name).into_iter().filter_map(|columns| {
            let at: Option<Vec<usize>> = positions(&columns);
            Some((columns, at?))
        });
        let children = references.references_of(name).into_iter().filter_map(|(number, reference)| {
            let at: Option<Vec<usize>> = positions(&reference.columns);
            Some((number, reference, at?))
        });
        Self { parents: parents.collect(), children: children.collect() }
    }

    fn note(
        &self,
        values: &[Value],
        row: u64,
        table: &TableMove,
        references: &mut ReferenceCheck,
    ) -> std::io::Result<()> {
        for (columns, at) in &self.parents {
            references.parent(&table.comparison.source, columns, &digest(values, at))?;
        }
        for (number, reference, at) in &self.children {
            let nulls = at.iter().filter(|position| values[**position].is_null()).count();
            // MATCH SIMPLE: one NULL and the row refers to nothing. MATCH FULL: only all NULLs do.
            if nulls == at.len() || (nulls > 0 && !reference.match_full) {
                continue;
            }
            references.child(*number, &digest(values, at), row)?;
        }
        Ok(())
    }
}

/// The digest of a key's values. Numbers go by value, so that an integer key and its decimal reference agree.
fn digest(values: &[Value], at: &[usize]) -> KeyDigest {
    let mut hasher = blake3::Hasher::new();
    for position in at {
        let text = match &values[*position] {
            Value::Text(text) | Value::Decimal(text) | Value::Json(text) => text.clone(),
            Value::Integer(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes().first_chunk().expect("32 bytes hold 16")
}

/// The rows of one export file, one at a time.
pub(super) struct ExportedRows {
    lines: BufReader<File>,
    columns: Vec<String>,
    file: String,
    line: Vec<u8>,
    /// Number of the row last read, from 1.
    pub number: u64,
}

impl ExportedRows {
    /// Opens a table's file.
    pub fn open(folder: &Path, listed: &ManifestTable) -> Result<Self, StepError> {
        let file = &listed.file.file;
        let open = File::open(folder.join(file)).map_err(|error| StepError::broken(format!("open `{file}`"), error))?;
        let mut rows = Self {
            lines: BufReader::with_capacity(1 << 18, open),
            columns: listed.columns.clone(),
            file: file.clone(),
            line: Vec::new(),
            number: 0,
        };
        rows.read_line()?;
        if rows.line.trim_ascii() == b"[" {
            Ok(rows)
        } else {
            Err(rejected(format!("`{file}` does not start with `[`")))
        }
    }

    /// Reads the next row's fields; `false` at the closing bracket.
    pub fn next(&mut self, into: &mut Vec<Field>) -> Result<bool, StepError> {
        self.read_line()?;
        let line = self.line.trim_ascii();
        if line == b"]" {
            return Ok(false);
        }
        if line.is_empty() {
            return Err(rejected(format!("`{}` ends before its closing bracket", self.file)));
        }
        let line = line.strip_suffix(b",").unwrap_or(line);
        self.number += 1;
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let seed = RowSeed { columns: &self.columns, into };
        serde::de::DeserializeSeed::deserialize(seed, &mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| rejected(format!("row {} of `{}`: {error}", self.number, self.file)))?;
        Ok(true)
    }

    fn read_line(&mut self) -> Result<(), StepError> {
        self.line.clear();
        self.lines
            .read_until(b'\n', &mut self.line)
            .map(drop)
            .map_err(|error| StepError::broken(format!("read `{}`", self.file), error))
    }
}
