//! Which rows go into which file: those of a table, or all that hang on one row.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::settings::Settings;
use crate::{
    engine::{Dialect, Session},
    migrate::StepError,
    model::{
        LogicalType, TableName,
        catalogue::{Catalogue, Generation, Table},
    },
};

/// A file.
pub(super) struct Part {
    /// Its name.
    pub file: PathBuf,
    /// What is in it.
    pub pieces: Vec<Piece>,
}

/// Rows of a table.
#[derive(Clone)]
pub(super) struct Piece {
    pub table: TableName,
    pub columns: Vec<String>,
    pub kinds: Vec<LogicalType>,
    /// Which of its rows; all, if it does not say.
    pub filter: Option<String>,
    /// Its sheet, where a file holds several tables.
    pub sheet: Option<String>,
}

impl Piece {
    fn of(table: &Table) -> Self {
        // What is computed, the target computes itself.
        let stored = || table.columns.iter().filter(|one| !matches!(one.generation, Generation::Computed { .. }));
        Self {
            table: table.name.clone(),
            columns: stored().map(|column| column.name.clone()).collect(),
            kinds: stored().map(|column| column.kind.clone()).collect(),
            filter: None,
            sheet: None,
        }
    }
}

/// The files of an export.
///
/// # Errors
/// If a table is not there, or does not hang on the one that there is a file for each row of.
pub(super) async fn parts(
    settings: &Settings,
    ending: &str,
    catalogue: &Catalogue,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<Vec<Part>, StepError> {
    let mut tables = Vec::new();
    let named: Vec<&TableName> =
        if settings.tables.is_empty() { catalogue.tables.keys().collect() } else { settings.tables.iter().collect() };
    for name in named {
        let what = || format!("the {} has no table {name}", settings.side);
        tables.push(catalogue.tables.get(name).ok_or_else(|| StepError::Rejected { what: what() })?);
    }
    let Some(root) = &settings.one_file_per else {
        let part = |(number, table): (usize, &&Table)| Part {
            file: PathBuf::from(format!("{:03}-{}.{ending}", number + 1, plain(&table.name.to_string()))),
            pieces: vec![Piece::of(table)],
        };
        return Ok(tables.iter().enumerate().map(part).collect());
    };
    let hanging = Hanging { root, catalogue, dialect };
    let column = hanging.key()?;
    let mut pieces = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let filter = hanging.filter(table, &mut BTreeSet::new())?;
        let sheet = Some(sheet(&table.name, number));
        pieces.push(Piece { filter: Some(filter), sheet, ..Piece::of(table) });
    }
    let (text, from) = (dialect.as_text(&dialect.quote(column)), dialect.table(root));
    let keys = session.query(&format!("SELECT {text} FROM {from} ORDER BY 1")).await?;
    let part = |(number, key): (usize, String)| {
        let of_key = |piece: &Piece| Piece {
            filter: piece.filter.as_ref().map(|filter| filter.replace(KEY, &dialect.literal(&key))),
            ..piece.clone()
        };
        Part {
            file: PathBuf::from(format!("{:03}-{}-{}.{ending}", number + 1, plain(&root.name), plain(&key))),
            pieces: pieces.iter().map(of_key).collect(),
        }
    };
    Ok(keys.into_iter().flatten().flatten().enumerate().map(part).collect())
}

/// Holds if every row of the tables is in one of the files.
///
/// # Errors
/// How many rows of which table are in none: they hang on nothing.
pub(super) async fn are_whole(
    settings: &Settings,
    written: &BTreeMap<TableName, u64>,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<(), StepError> {
    let Some(root) = &settings.one_file_per else { return Ok(()) };
    for (table, rows) in written {
        let all = super::merge::count(&dialect.table(table), session).await?;
        if all != *rows {
            let what = format!("{table} has {all} rows, and {rows} of them hang on {root}: the others are in no file");
            return Err(StepError::Rejected { what });
        }
    }
    Ok(())
}

/// What stands for the key of a root's row in a filter.
const KEY: &str = "\u{1}key\u{1}";

/// Tables whose rows hang on the rows of one.
struct Hanging<'a> {
    root: &'a TableName,
    catalogue: &'a Catalogue,
    dialect: &'a dyn Dialect,
}

impl Hanging<'_> {
    /// The column by which a row of the root is known.
    fn key(&self) -> Result<&str, StepError> {
        let key = self.catalogue.tables.get(self.root).and_then(|table| table.primary_key.as_ref());
        match key.map(|key| key.columns.as_slice()) {
            Some([column]) => Ok(column),
            _ => Err(StepError::Rejected { what: format!("{} is not known by one column", self.root) }),
        }
    }

    /// The condition for rows of a table that hang on one row of the root.
    fn filter(&self, table: &Table, behind: &mut BTreeSet<TableName>) -> Result<String, StepError> {
        if table.name == *self.root {
            return Ok(format!("{} = {KEY}", self.dialect.quote(self.key()?)));
        }
        behind.insert(table.name.clone());
        for key in &table.foreign_keys {
            let Some(parent) = self.catalogue.tables.get(&key.parent).filter(|parent| !behind.contains(&parent.name))
            else {
                continue;
            };
            if let Ok(filter) = self.filter(parent, behind) {
                let (own, theirs) = (self.dialect.columns(&key.columns), self.dialect.columns(&key.parent_columns));
                let parent = self.dialect.table(&key.parent);
                return Ok(format!("({own}) IN (SELECT {theirs} FROM {parent} WHERE {filter})"));
            }
        }
        let what = format!("{} does not hang on {}; `tables` can leave it out", table.name, self.root);
        Err(StepError::Rejected { what })
    }
}

/// A name that every file system takes; the manifest has the table's own.
fn plain(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    name.chars().map(safe).take(60).collect()
}

/// The name of a sheet: the table's, where a sheet can be called that.
fn sheet(table: &TableName, number: usize) -> String {
    let name = table.to_string();
    let is_right = name.chars().count() <= 31 && !name.contains(['[', ']', ':', '*', '?', '/', '\\', '\'']);
    if is_right { name } else { format!("Table {}", number + 1) }
}
