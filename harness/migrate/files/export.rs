//! Tables into files, each read back.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Field,
    dialect::Written,
    folder,
    form::{Dialect, Form, Heading, Writing},
    parts::{self, Part, Piece},
    same::{self, Sums},
    settings::Settings,
};
use crate::{
    canon::{
        self, Cell, Nest, RowSink,
        comparison::{At, Condition},
    },
    engine::{Rowset, spawned},
    migrate::{StepDone, StepError, StepTask, StepVoice, copy::array, engine_of, transfer::field},
    model::{LogicalType, Side, TableName, event::Figure},
};

/// What an export holds, beside its files.
const MANIFEST: &str = "manifest.json";

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Whose tables.
    pub side: Side,
    pub written: Written,
    pub tables: Vec<Listed>,
}

impl Manifest {
    /// What an earlier step of the scenario exported.
    pub fn of_step(task: &StepTask, step: &str) -> Result<Self, StepError> {
        let path = folder(&task.folder.with_file_name(step)).join(MANIFEST);
        let text = fs::read(path);
        let text = text.map_err(|error| StepError::broken(format!("read the export of step `{step}`"), error))?;
        serde_json::from_slice(&text)
            .map_err(|error| StepError::Rejected { what: format!("the export of step `{step}`: {error}") })
    }
}

/// A table in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub table: TableName,
    pub file: PathBuf,
    /// Its sheet, where the file holds several tables.
    #[serde(default)]
    pub sheet: Option<String>,
    pub columns: Vec<String>,
    pub rows: u64,
    /// Its rows, in whatever order they stand.
    pub sums: Sums,
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
    let address = task.addresses.get(settings.side);
    let sql = engine_of(address)?.dialect();
    let mut session = task.connect(address).await?;
    session.begin(true).await?;
    let catalogue = session.introspect().await?;
    let parts = parts::parts(settings, form.id(), &catalogue, sql, &mut *session).await?;
    let (mut listed, mut written, mut total) = (Vec::new(), BTreeMap::new(), 0);
    let files = parts.len();
    for Part { file, pieces } in parts {
        if voice.is_stopping() {
            return Err(StepError::Interrupted);
        }
        let path = folder.join(&file);
        let (mut out, mut sums) = (None, Vec::new());
        for piece in &pieces {
            let begun = Output::on(out.take(), &path, form, &dialect, piece)?;
            let scanned = spawned::scan(session, rowset(piece), begun).await?;
            session = scanned.session;
            sums.push(scanned.sink.sum()?);
            scanned.outcome?;
            out = Some(scanned.sink);
        }
        if let Some(out) = out {
            tokio::task::block_in_place(|| out.finish())?;
        }
        let hashed = tokio::task::block_in_place(|| canon::sha256(File::open(&path)?));
        let sha256 = hashed.map_err(|error| StepError::broken(format!("read `{}`", file.display()), error))?;
        for (piece, (sums, digest)) in pieces.into_iter().zip(sums) {
            let rows = sums.written.rows;
            let back = tokio::task::block_in_place(|| read_back(&path, form, &dialect, &piece))?;
            if back != (rows, digest) {
                let (file, back) = (file.display(), back.0);
                let what = format!("`{file}` does not read back as what was written: {rows} rows, {back} read");
                return Err(StepError::Rejected { what });
            }
            total += rows;
            *written.entry(piece.table.clone()).or_default() += rows;
            let Piece { table, columns, sheet, .. } = piece;
            listed.push(Listed { table, file: file.clone(), sheet, columns, rows, sums, sha256: sha256.clone() });
        }
        voice.progress("export", total, None);
    }
    parts::are_whole(settings, &written, sql, &mut *session).await?;
    session.commit().await?;
    session.close().await?;
    let loss_ledger = match &settings.same_as {
        Some(other) => same::are_the_same(task, settings, other, &listed)?,
        None => Vec::new(),
    };
    let manifest = Manifest { side: settings.side, written: settings.written.clone(), tables: listed };
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    fs::write(folder.join(MANIFEST), text).map_err(|error| StepError::broken("write the manifest", error))?;
    let figures = vec![Figure { name: "files".to_owned(), value: files as f64 }];
    Ok(StepDone { rows: total, figures, loss_ledger, ..StepDone::default() })
}

/// Removes the files of a step.
pub(super) fn remove(task: &StepTask) -> Result<(), StepError> {
    match fs::remove_dir_all(folder(&task.folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StepError::broken("remove the files", error)),
        _ => Ok(()),
    }
}

/// The rows of a piece.
fn rowset(piece: &Piece) -> Rowset {
    let mut rowset = Rowset::of(piece.table.clone(), piece.columns.clone());
    let at = || At { file: "one_file_per".to_owned(), line: 0, key: String::new() };
    rowset.terms.filters.extend(piece.filter.iter().map(|sql| Condition { sql: sql.clone(), at: at() }));
    rowset
}

/// A file that is being written.
struct Output {
    form: &'static dyn Form,
    columns: Vec<String>,
    kinds: Vec<LogicalType>,
    path: PathBuf,
    file: Box<dyn Writing>,
    row: Vec<Field>,
    cell: Vec<u8>,
    carried: Vec<Field>,
    sums: Sums,
    digest: blake3::Hasher,
    failed: Option<String>,
}

impl Output {
    /// Begins a file, or goes on in one, with a table.
    fn on(
        begun: Option<Self>,
        path: &Path,
        form: &'static dyn Form,
        dialect: &Dialect,
        piece: &Piece,
    ) -> Result<Self, StepError> {
        let Piece { table, columns, kinds, .. } = piece;
        let name = table.to_string();
        let heading = Heading { table, columns, kinds, sheet: piece.sheet.as_deref().unwrap_or(&name) };
        let file = match begun {
            None => form.create(path, &heading, dialect),
            Some(mut begun) => begun.file.turn(&heading).map(|()| begun.file),
        };
        Ok(Self {
            form,
            columns: columns.clone(),
            kinds: kinds.clone(),
            path: path.to_owned(),
            file: file.map_err(|why| unwritten(path, &why))?,
            row: Vec::new(),
            cell: Vec::new(),
            carried: Vec::new(),
            sums: Sums::default(),
            digest: blake3::Hasher::new(),
            failed: None,
        })
    }

    fn write(&mut self) -> Result<(), String> {
        let (row, columns) = (self.sums.written.rows + 1, &self.columns);
        self.file.row(&self.row).map_err(|(column, why)| match column {
            Some(column) => format!("row {row}, column `{}` {why}", columns[column]),
            None => format!("row {row} {why}"),
        })?;
        self.carried.clear();
        let carried = self.row.drain(..).zip(&self.kinds).map(|(field, kind)| self.form.carried(field, kind));
        self.carried.extend(carried);
        self.carried.iter().for_each(|field| same::add(&mut self.digest, field));
        self.sums.row(&self.columns, &self.kinds, &self.carried);
        Ok(())
    }

    /// What was written of this table.
    fn sum(&self) -> Result<(Sums, blake3::Hash), StepError> {
        match &self.failed {
            Some(why) => Err(unwritten(&self.path, why)),
            None => Ok((self.sums.clone(), self.digest.finalize())),
        }
    }

    /// Ends the file.
    fn finish(self) -> Result<(), StepError> {
        self.file.finish().map_err(|why| unwritten(&self.path, &why))
    }
}

fn unwritten(path: &Path, why: &str) -> StepError {
    StepError::Rejected { what: format!("the file `{}` cannot be written: {why}", path.display()) }
}

impl RowSink for Output {
    fn cell(&mut self, _column: usize, cell: Cell<'_>) {
        // An array of one engine is a list of JSON for all others.
        if let Cell::Nested(Nest::Array, elements) = cell
            && let Some(list) = array::json(elements)
        {
            return self.row.push(Field::Text(list));
        }
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
fn read_back(path: &Path, form: &dyn Form, dialect: &Dialect, piece: &Piece) -> Result<(u64, blake3::Hash), StepError> {
    let Piece { columns, kinds, sheet, .. } = piece;
    let bad = |what: String| StepError::Rejected { what: format!("`{}` does not read back: {what}", path.display()) };
    let mut records = form.open(path, sheet.as_deref(), dialect).map_err(|error| bad(error.to_string()))?;
    let (mut rows, mut digest) = (0, blake3::Hasher::new());
    while let Some(record) = records.next().map_err(|error| bad(error.to_string()))? {
        if record.values.len() != columns.len() {
            return Err(bad(format!("row {} has {} values", rows + 1, record.values.len())));
        }
        for (at, named) in record.values.into_iter().enumerate() {
            if named.name.is_some_and(|name| name != columns[at]) {
                return Err(bad(format!("row {} has other columns", rows + 1)));
            }
            same::add(&mut digest, &super::input::field_of(named.value, &kinds[at]));
        }
        rows += 1;
    }
    Ok((rows, digest.finalize()))
}
