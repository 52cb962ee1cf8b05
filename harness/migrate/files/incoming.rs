//! Which files go into which tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    export::{Listed, Manifest},
    input::{Input, Opened},
    settings::Settings,
};
use crate::{
    migrate::{StepError, StepTask, StepVoice},
    model::{TableName, catalogue::Table},
};

/// Files that are wrong, of which each is told.
const FAILED: usize = 20;

/// A file, or one of its sheets, and the table that it goes into.
pub(super) struct Incoming {
    pub file: Opened,
    table: TableName,
    /// By the file's name for a column: the table's.
    columns: Vec<(String, String)>,
    /// What the export says of it.
    listed: Option<Listed>,
}

impl Incoming {
    /// All of a step's, in its order; none is looked at yet.
    pub fn of_step(task: &StepTask, settings: &Settings) -> Result<Vec<Self>, StepError> {
        let Some(from) = &settings.from else {
            let (form, dialect) = settings.written.known()?;
            let given = settings.files.iter().cloned().map(|given| {
                let file = Opened { path: given.path, sheet: None, form, dialect: dialect.clone() };
                Self { file, table: given.table, columns: given.columns, listed: None }
            });
            return Ok(given.collect());
        };
        let folder = super::folder(&task.folder.with_file_name(from));
        let manifest = Manifest::of_step(task, from)?;
        let (form, dialect) = manifest.written.known()?;
        let unknown = settings.into.iter().find(|(from, _)| manifest.tables.iter().all(|listed| listed.table != *from));
        if let Some((table, _)) = unknown {
            return Err(StepError::Rejected { what: format!("the export of step `{from}` has no table {table}") });
        }
        let exported = manifest.tables.into_iter().map(|listed| {
            let path = folder.join(&listed.file);
            let file = Opened { path, sheet: listed.sheet.clone(), form, dialect: dialect.clone() };
            let into = settings.into.iter().find(|(from, _)| *from == listed.table).map(|(_, into)| into.clone());
            let table = into.unwrap_or_else(|| listed.table.clone());
            Self { file, table, columns: Vec::new(), listed: Some(listed) }
        });
        Ok(exported.collect())
    }

    /// Looks at what has to be right of the whole file before any of it is read.
    fn examine(&self) -> Result<(), StepError> {
        if let Some(listed) = &self.listed {
            self.file.is_as_written(listed)?;
        }
        self.file.examine()
    }

    /// Binds its columns to those of its table, and reads it to its end.
    fn input(
        &self,
        settings: &Settings,
        tables: &BTreeMap<TableName, Table>,
        voice: &mut dyn StepVoice,
    ) -> Result<Input, StepError> {
        let (side, file) = (settings.side, self.file.path.display());
        let what = || format!("`{file}`: the {side} has no table {}", self.table);
        let table = tables.get(&self.table).ok_or_else(|| StepError::Rejected { what: what() })?;
        let columns = self.listed.as_ref().map(|listed| listed.columns.as_slice());
        let mut input = Input::of(self.file.clone(), table.clone(), &settings.lenience, &self.columns, columns)?;
        tokio::task::block_in_place(|| input.look_through(voice))?;
        Ok(input)
    }
}

/// Reads the files to their ends. Each is looked at once, however many tables it holds, and nothing is read from one that is
/// wrong.
pub(super) fn inputs(
    incoming: &[&Incoming],
    settings: &Settings,
    tables: &BTreeMap<TableName, Table>,
    voice: &mut dyn StepVoice,
) -> Result<Vec<Input>, StepError> {
    let (mut seen, mut wrong): (BTreeSet<&Path>, BTreeSet<&Path>) = Default::default();
    all(incoming.iter().filter_map(|one| {
        let path = one.file.path.as_path();
        if seen.insert(path)
            && let Err(error) = one.examine()
        {
            wrong.insert(path);
            return Some(Err(error));
        }
        (!wrong.contains(path)).then(|| one.input(settings, tables, voice))
    }))
}

/// All of them, or every one that is wrong.
fn all<T>(each: impl Iterator<Item = Result<T, StepError>>) -> Result<Vec<T>, StepError> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for one in each {
        match one {
            Ok(one) => right.push(one),
            Err(StepError::Rejected { what }) => wrong.push(what),
            Err(other) => return Err(other),
        }
    }
    match wrong.len() {
        0 => Ok(right),
        1 => Err(StepError::Rejected { what: wrong.remove(0) }),
        total => {
            let told = listed(&wrong, "\n");
            Err(StepError::Rejected { what: format!("{total} files or sheets are wrong:\n{told}") })
        }
    }
}

/// The first of many lines, and how many more there are.
pub(super) fn listed(lines: &[String], between: &str) -> String {
    let more = lines.len().saturating_sub(FAILED);
    let more = if more > 0 { format!("{between}and {more} more") } else { String::new() };
    lines[..lines.len().min(FAILED)].join(between) + &more
}
