//! Tables into files, each read back.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    ops::ControlFlow,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{
    Field, Settings, Written, folder,
    form::{Dialect, Form},
    text::{Characters, encoded},
};
use crate::{
    canon::{self, Cell, RowSink},
    engine::{Rowset, spawned},
    migrate::{StepDone, StepError, StepTask, StepVoice, transfer::field},
    model::{LogicalType, TableName, catalogue::Generation, event::Figure},
};

/// What an export holds, beside its files.
pub(super) const MANIFEST: &str = "manifest.json";

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub written: Written,
    pub tables: Vec<Listed>,
}

/// A table in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub table: TableName,
    pub file: PathBuf,
    pub columns: Vec<String>,
    pub rows: u64,
    pub sha256: String,
}

/// Writes the files of a step.
pub(super) async fn export(
    task: &StepTask,
    settings: &Settings,
    voice: &mut dyn StepVoice,
) -> Result<StepDone, StepError> {
    remove(task)?;
    let folder = folder(&task.folder);
    fs::create_dir_all(&folder).map_err(|error| StepError::broken("make a folder for the files", error))?;
    let (form, dialect) = settings.written.known()?;
    if dialect.encoding.output_encoding() != dialect.encoding {
        return Err(StepError::Refused { what: format!("files in {} are only read", dialect.encoding.name()) });
    }
    let mut session = task.connect(task.addresses.get(settings.side)).await?;
    session.begin(true).await?;
    let catalogue = session.introspect().await?;
    let names: Vec<TableName> =
        if settings.tables.is_empty() { catalogue.tables.keys().cloned().collect() } else { settings.tables.clone() };
    let (mut listed, mut total) = (Vec::new(), 0);
    for (number, name) in names.into_iter().enumerate() {
        let Some(table) = catalogue.tables.get(&name) else {
            return Err(StepError::Rejected { what: format!("the {} has no table {name}", settings.side) });
        };
        // What is computed, the target computes itself.
        let stored = || table.columns.iter().filter(|one| !matches!(one.generation, Generation::Computed { .. }));
        let columns: Vec<String> = stored().map(|column| column.name.clone()).collect();
        let kinds: Vec<LogicalType> = stored().map(|column| column.kind.clone()).collect();
        let file = PathBuf::from(format!("{:03}-{}.{}", number + 1, plain(&name), form.id()));
        let path = folder.join(&file);
        let out = Output::create(path.clone(), form, &dialect, columns.clone(), kinds.clone())?;
        let scanned = spawned::scan(session, Rowset::of(name.clone(), columns.clone()), out).await?;
        session = scanned.session;
        let out = scanned.sink.finish()?;
        scanned.outcome?;
        let (rows, digest) = (out.rows, out.digest.finalize());
        let back = tokio::task::block_in_place(|| read_back(&path, form, &dialect, &columns, &kinds))?;
        if back != (rows, digest) {
            let what =
                format!("`{}` does not read back as what was written: {rows} rows, {} read", file.display(), back.0);
            return Err(StepError::Rejected { what });
        }
        total += rows;
        voice.progress("export", total, None);
        let hashed = tokio::task::block_in_place(|| canon::sha256(File::open(&path)?));
        let sha256 = hashed.map_err(|error| StepError::broken(format!("read `{}`", file.display()), error))?;
        listed.push(Listed { table: name, file, columns, rows, sha256 });
    }
    session.commit().await?;
    session.close().await?;
    let files = listed.len();
    let manifest = Manifest { written: settings.written.clone(), tables: listed };
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    fs::write(folder.join(MANIFEST), text).map_err(|error| StepError::broken("write the manifest", error))?;
    let figures = vec![Figure { name: "files".to_owned(), value: files as f64 }];
    Ok(StepDone { rows: total, figures, ..StepDone::default() })
}

/// Removes the files of a step.
pub(super) fn remove(task: &StepTask) -> Result<(), StepError> {
    match fs::remove_dir_all(folder(&task.folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StepError::broken("remove the files", error)),
        _ => Ok(()),
    }
}

/// A name that every file system takes; the manifest has the table's own.
fn plain(name: &TableName) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.to_string().chars().map(safe).take(60).collect()
}

/// A file that is being written.
struct Output {
    form: &'static dyn Form,
    dialect: Dialect,
    path: PathBuf,
    columns: Vec<String>,
    kinds: Vec<LogicalType>,
    file: BufWriter<File>,
    row: Vec<Field>,
    cell: Vec<u8>,
    bytes: Vec<u8>,
    rows: u64,
    digest: blake3::Hasher,
    failed: Option<String>,
}

impl Output {
    fn create(
        path: PathBuf,
        form: &'static dyn Form,
        dialect: &Dialect,
        columns: Vec<String>,
        kinds: Vec<LogicalType>,
    ) -> Result<Self, StepError> {
        let broken = |error| StepError::broken(format!("write `{}`", path.display()), error);
        // Rows' values are for nobody else.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(broken)?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        let mut bytes = Vec::new();
        encoded(&form.head(&columns, dialect), dialect.encoding, &mut bytes)
            .map_err(|why| StepError::Rejected { what: format!("the name of a column {why}") })?;
        file.write_all(&bytes).map_err(broken)?;
        Ok(Self {
            form,
            dialect: dialect.clone(),
            columns,
            kinds,
            file,
            row: Vec::new(),
            cell: Vec::new(),
            bytes: Vec::new(),
            rows: 0,
            digest: blake3::Hasher::new(),
            failed: None,
            path,
        })
    }

    fn write(&mut self) -> Result<(), String> {
        let row = |why: &str, column: &str| format!("row {}, column `{column}` {why}", self.rows + 1);
        let line = self.form.row(self.rows, &self.columns, &self.row, &self.dialect);
        let line = line.map_err(|(column, why)| row(&why, &self.columns[column]))?;
        self.bytes.clear();
        encoded(&line, self.dialect.encoding, &mut self.bytes).map_err(|why| format!("row {} {why}", self.rows + 1))?;
        self.file.write_all(&self.bytes).map_err(|error| error.to_string())?;
        for (field, kind) in self.row.drain(..).zip(&self.kinds) {
            add(&mut self.digest, &self.form.carried(field, kind));
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Self, StepError> {
        let rejected = |path: &std::path::Path, why: &str| StepError::Rejected {
            what: format!("the file `{}` cannot be written: {why}", path.display()),
        };
        if let Some(why) = &self.failed {
            return Err(rejected(&self.path, why));
        }
        let ended = self.file.write_all(self.form.tail().as_bytes()).and_then(|()| self.file.flush());
        ended
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|error| rejected(&self.path, &error.to_string()))?;
        Ok(self)
    }
}

impl RowSink for Output {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        self.cell.clear();
        // The form of transfers, which holds every value exactly; no text is taken for a moment.
        let written = field::write(cell, &LogicalType::Any, None, &mut self.cell).map_err(|error| error.to_string());
        let read = written.and_then(|()| serde_json::from_slice(&self.cell).map_err(|error| error.to_string()));
        match read {
            Ok(field) => self.row.push(field),
            Err(why) => {
                self.row.push(Field::Null);
                self.failed.get_or_insert(why);
            }
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        if self.failed.is_none()
            && let Err(why) = self.write()
        {
            self.failed = Some(why);
        }
        if self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Reads a file that was just written, and sums it up in the same way.
fn read_back(
    path: &std::path::Path,
    form: &dyn Form,
    dialect: &Dialect,
    columns: &[String],
    kinds: &[LogicalType],
) -> Result<(u64, blake3::Hash), StepError> {
    let bad = |what: String| StepError::Rejected { what: format!("`{}` does not read back: {what}", path.display()) };
    let characters = Characters::open(path, dialect.encoding).map_err(|error| bad(error.to_string()))?;
    let mut records = form.reader(characters, dialect).map_err(|error| bad(error.to_string()))?;
    let (mut rows, mut digest) = (0, blake3::Hasher::new());
    while let Some(record) = records.next().map_err(|error| bad(error.to_string()))? {
        if record.values.len() != columns.len() {
            return Err(bad(format!("row {} has {} values", rows + 1, record.values.len())));
        }
        for (at, named) in record.values.into_iter().enumerate() {
            if named.name.is_some_and(|name| name != columns[at]) {
                return Err(bad(format!("row {} has other columns", rows + 1)));
            }
            add(&mut digest, &super::import::field_of(named.value, &kinds[at]));
        }
        rows += 1;
    }
    Ok((rows, digest.finalize()))
}

/// Adds a value to a digest, so that no two lists of values have the same.
fn add(digest: &mut blake3::Hasher, field: &Field) {
    let mut one = |tag: u8, bytes: &[u8]| {
        digest.update(&[tag]);
        digest.update(&(bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    match field {
        Field::Null => one(0, b""),
        Field::Boolean(value) => one(1, &[u8::from(*value)]),
        Field::Integer(value) => one(2, &value.to_le_bytes()),
        Field::Real(value) => one(3, &value.to_bits().to_le_bytes()),
        Field::Text(text) => one(4, text.as_bytes()),
        Field::RawText(bytes) => one(5, bytes),
        Field::Bytes(bytes) => one(6, bytes),
    }
}
