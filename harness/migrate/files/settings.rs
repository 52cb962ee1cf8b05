//! What a step says about its files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{dialect::Written, lenience::Lenience};
use crate::{
    document::{Fields, Located, Problem},
    migrate::StepError,
    model::{Side, TableName},
};

/// The step's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub act: Act,
    /// Whose tables.
    pub side: Side,
    /// The tables that are exported; all, where none is named.
    pub tables: Vec<TableName>,
    /// The table for each row of which there is a file, with all that hangs on it.
    #[serde(default)]
    pub one_file_per: Option<TableName>,
    /// The step whose export had the same rows.
    #[serde(default)]
    pub same_as: Option<String>,
    /// The form and how it is written.
    pub written: Written,
    /// What becomes of a row whose key is there already.
    pub conflicts: Conflicts,
    /// The step whose export is imported.
    pub from: Option<String>,
    /// By the export's table: the one that its rows go into, where that is called otherwise.
    #[serde(default)]
    pub into: Vec<(TableName, TableName)>,
    /// Files of the user's.
    pub files: Vec<GivenFile>,
    /// What is done with rows that cannot be taken, and with keys that are not there.
    #[serde(default)]
    pub lenience: Lenience,
    /// What becomes of a file that cannot be taken.
    #[serde(default)]
    pub failed_files: FailedFiles,
    /// The step that left files out which are taken now.
    #[serde(default)]
    pub retry: Option<String>,
}

/// Out, or in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Act {
    Export,
    Import,
}

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Conflicts {
    /// It ends the import, and nothing stays.
    Refuse,
    /// It is left out.
    Skip,
    /// It takes the place of the one that is there.
    Overwrite,
    /// None is there: the tables are emptied first.
    Clear,
}

/// What becomes of a file that cannot be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailedFiles {
    /// It ends the import, and nothing of any file stays.
    #[default]
    Refuse,
    /// It is left out, and all others are taken.
    Leave,
}

/// A file of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GivenFile {
    pub path: PathBuf,
    pub table: TableName,
    /// By the file's name for a column: the table's.
    pub columns: Vec<(String, String)>,
}

/// Keys of a step that say which files are read, and how: one that retries has them of the step that it names.
const OF_READING: &[&str] = &[
    "from",
    "file",
    "into",
    "rejects",
    "line_column",
    "missing",
    "failed_files",
    "format",
    "delimiter",
    "quote",
    "header",
    "null",
    "encoding",
];

impl Settings {
    pub fn of(config: &Json) -> Result<Self, StepError> {
        serde_json::from_value(config.clone())
            .map_err(|error| StepError::broken("read the step's configuration", error))
    }

    /// Whether it is an import that leaves out files which cannot be taken.
    pub fn leaves_files(&self) -> bool {
        self.act == Act::Import && self.failed_files == FailedFiles::Leave
    }

    /// Whether each file comes alone, in a transaction of its own.
    pub fn is_by_file(&self) -> bool {
        self.leaves_files() || self.retry.is_some()
    }

    /// Reads the keys of a step; problems are collected by `fields`.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let act = fields.required_one_of("act", "act", &["export", "import"]).map(|act| act.value);
        let is_known = act.is_some();
        let act = if act == Some("import") { Act::Import } else { Act::Export };
        let usual = if act == Act::Import { Side::Target } else { Side::Source };
        let side = fields.optional_one_of("side", "side", &["source", "target"]);
        let side = match side.map(|side| side.value) {
            Some("source") => Side::Source,
            Some(_) => Side::Target,
            None => usual,
        };
        let tables = fields.str_list("tables").iter().filter_map(|name| table(fields, name)).collect();
        let per = fields.optional_str("one_file_per");
        let one_file_per = per.as_ref().and_then(|name| table(fields, name));
        let same_as = fields.optional_str("same_as").map(|same_as| same_as.value);
        let into = renamed_tables(fields);
        let from = fields.optional_str("from").map(|from| from.value);
        let retry = fields.optional_str("retry").map(|retry| retry.value);
        let written = Written::read(fields);
        let policy = fields.optional_one_of("conflicts", "policy", &["refuse", "skip", "overwrite", "clear"]);
        let conflicts = match policy.map(|policy| policy.value) {
            Some("skip") => Conflicts::Skip,
            Some("overwrite") => Conflicts::Overwrite,
            Some("clear") => Conflicts::Clear,
            _ => Conflicts::Refuse,
        };
        let failed = fields.optional_one_of("failed_files", "treatment of failed files", &["refuse", "leave"]);
        let leaves = failed.is_some_and(|failed| failed.value == "leave");
        let failed_files = if leaves { FailedFiles::Leave } else { FailedFiles::Refuse };
        let lenience = Lenience::read(fields);
        let files = fields.array_of_tables("file").into_iter().filter_map(given).collect();
        if let Some(per) = per.filter(|_| !written.holds_several()) {
            let problem = Problem::new(&per.place, format!("files of the form {} hold one table each", written.form));
            fields.problem(problem.expected("`format = \"xlsx\"`"));
        }
        let settings = Self {
            act,
            side,
            tables,
            one_file_per,
            same_as,
            written,
            conflicts,
            from,
            into,
            files,
            lenience,
            failed_files,
            retry,
        };
        if let Some((wrong, right)) = settings.misfit(fields).filter(|_| is_known) {
            fields.problem(Problem::new(fields.place(), wrong).expected(right));
        }
        settings
    }

    /// The first of the keys that do not go together, and what would.
    fn misfit(&self, fields: &Fields<'_>) -> Option<(String, &'static str)> {
        let is_there = |key: &str| !fields.present(&[key]).is_empty();
        let first = |keys: &[&str]| keys.iter().find(|key| is_there(key)).map(|key| (*key).to_owned());
        if self.act == Act::Export {
            let of_imports =
                ["from", "file", "into", "conflicts", "rejects", "line_column", "missing", "failed_files", "retry"];
            let wrong = first(&of_imports)?;
            return Some((format!("`{wrong}` is for imports"), "`tables`, or none for all"));
        }
        if let (Some(_), Some(wrong)) = (&self.retry, first(OF_READING)) {
            let wrong = format!("`{wrong}` and `retry` exclude each other");
            return Some((wrong, "`retry` alone: files are read as the step that it names reads them"));
        }
        if self.retry.is_none() && self.from.is_some() == is_there("file") {
            return Some(("`from` and [[step.file]] exclude each other".to_owned(), "one of both"));
        }
        if self.one_file_per.is_some() || self.same_as.is_some() {
            return Some(("`one_file_per` and `same_as` are for exports".to_owned(), "`from`"));
        }
        if is_there("into") && self.from.is_none() {
            return Some(("`into` is for what another step exported".to_owned(), "`from`"));
        }
        if is_there("tables") {
            return Some(("`tables` is for exports".to_owned(), "`from` or [[step.file]]"));
        }
        if self.is_by_file() && self.conflicts == Conflicts::Clear {
            let wrong = "`conflicts = \"clear\"` empties tables, and each file comes alone".to_owned();
            return Some((wrong, "`refuse`, `skip` or `overwrite`"));
        }
        None
    }
}

/// The name of a table.
pub(super) fn table(fields: &Fields<'_>, written: &Located<String>) -> Option<TableName> {
    written.value.parse().map_err(|message: String| fields.problem(Problem::new(&written.place, message))).ok()
}

/// `into = { fields = "staged_fields" }`.
fn renamed_tables(fields: &mut Fields<'_>) -> Vec<(TableName, TableName)> {
    let mut into = Vec::new();
    for (from, entry) in fields.table("into").map(|mut fields| fields.named()).unwrap_or_default() {
        let to = entry.str().and_then(|to| table(fields, &to));
        into.extend(table(fields, &from).zip(to));
    }
    into
}

/// One `[[step.file]]`.
fn given(mut fields: Fields<'_>) -> Option<GivenFile> {
    let path = fields.required_str("path").and_then(|written| {
        let path = fields.folder().join(&written.value);
        let path = std::path::absolute(&path).unwrap_or(path);
        if path.is_file() {
            return Some(path);
        }
        let problem = Problem::new(&written.place, format!("there is no file `{}`", path.display()));
        fields.problem(problem.expected("a file, relative to the scenario"));
        None
    });
    let table = fields.required_str("table").and_then(|written| table(&fields, &written));
    let mut columns = Vec::new();
    for (name, entry) in fields.table("columns").map(|mut fields| fields.named()).unwrap_or_default() {
        columns.extend(entry.str().map(|column| (name.value, column.value)));
    }
    fields.finish();
    Some(GivenFile { path: path?, table: table?, columns })
}
