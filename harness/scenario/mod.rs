//! Floor 5: what is rehearsed.
//!
//! A scenario is a folder with a `scenario.toml`, its SQL and its dataset; see `scenarios/` for examples. Reading is
//! strict: unknown keys are refused, and all problems of all of its files are told at once, before anything starts.

mod acceptance;
mod mapping;
mod of_file;
mod read;
mod until;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value as Json;

use crate::{
    canon::comparison::Mapping,
    check::Probe,
    dataset::Dataset,
    document::Problems,
    model::{Bookkeeping, EngineId, Side, Verdict},
};
pub use acceptance::{Acceptance, acceptances};
pub use mapping::mapping;
pub use of_file::of_file;
pub use read::read;

/// The file that makes a folder a scenario.
pub const FILE: &str = "scenario.toml";

/// A scenario, whole and valid.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its folder's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Why the migration is done, for its log.
    pub reason: Option<String>,
    /// Why the migration leaves the source otherwise than it was, where it is meant to.
    pub changes_source: Option<String>,
    /// The engine that the rows come from.
    pub source: SourceSpec,
    /// The engine that they go to.
    pub target: TargetSpec,
    /// The migration, in order.
    pub steps: Vec<StepSpec>,
    /// The first step that is rehearsed: those before it are done beforehand, and stay.
    pub begins: usize,
    /// What names and types cannot tell.
    pub stated: Mapping,
    /// What is asked of the system before and after.
    pub probes: Vec<Probe>,
    /// What has to come out.
    pub expect: Expectation,
    /// What is left unchecked on purpose, by subject, with the reason.
    pub waivers: BTreeMap<String, String>,
    /// What the migration keeps about itself in the databases.
    pub bookkeeping: Vec<Bookkeeping>,
}

/// Where the rows come from.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// The engine.
    pub engine: EngineId,
    /// The version of its server, where one is asked for.
    pub version: Option<String>,
    /// The image of its container, where not the engine's own.
    pub image: Option<String>,
    /// The provisioner, where the scenario insists on one.
    pub provider: Option<String>,
    /// SQL that makes its tables, file by file.
    pub schema: Vec<SqlFile>,
    /// Rows to fill it with.
    pub dataset: Option<Dataset>,
    /// SQL behind the dataset: rows that no generator makes, and what is wrong with some of them.
    pub rows: Option<SqlFile>,
    /// By what the dataset's rows are multiplied, where nobody says otherwise.
    pub scale: f64,
}

/// Where they go to.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// The engine.
    pub engine: EngineId,
    /// Versions of its server: one rehearsal each. Empty: whatever there is.
    pub versions: Vec<String>,
    /// The image of its container, where not the engine's own.
    pub image: Option<String>,
    /// The provisioner, where the scenario insists on one.
    pub provider: Option<String>,
    /// SQL that makes its tables, where the migration does not, file by file.
    pub schema: Vec<SqlFile>,
    /// The migration changes a database where it stands: the target begins with the source's tables and rows.
    pub in_place: bool,
}

/// A file of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlFile {
    /// Its path, for messages.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// One step of the migration.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSpec {
    /// Its name, unique in the scenario.
    pub name: String,
    /// The id of its kind.
    pub kind: String,
    /// The kind's own configuration.
    pub config: Json,
}

/// What has to come out of a rehearsal for it to count as passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The verdict.
    pub verdict: Verdict,
    /// For `fail`: the checks that have to fail, and no others.
    pub failing: Vec<String>,
}

impl Default for Expectation {
    fn default() -> Self {
        Self { verdict: Verdict::Pass, failing: Vec::new() }
    }
}

impl Scenario {
    /// The SQL that makes one side's tables before the migration.
    pub fn schema(&self, side: Side) -> &[SqlFile] {
        match side {
            Side::Target if !self.target.in_place => &self.target.schema,
            Side::Source | Side::Target => &self.source.schema,
        }
    }

    /// The sides that are filled before the migration.
    pub const fn filled(&self) -> &'static [Side] {
        if self.target.in_place { &Side::BOTH } else { &[Side::Source] }
    }
}

/// The folders below `root` that hold a scenario, by name.
///
/// # Errors
/// If `root` cannot be listed.
pub fn discover(root: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.join(FILE).is_file()
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            found.insert(name.to_owned(), path.clone());
        }
    }
    Ok(found)
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file could not be read.
    #[error("failed to read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its files have problems: all of them.
    #[error("{}", all_of(.0))]
    Invalid(Vec<Problems>),
}

/// How many problems there are, then a line each.
fn all_of(files: &[Problems]) -> String {
    let total: usize = files.iter().map(|problems| problems.iter().count()).sum();
    let head =
        if total == 1 { "invalid input: 1 problem".to_owned() } else { format!("invalid input: {total} problems") };
    files.iter().fold(head, |told, problems| format!("{told}\n{problems}"))
}

/// Whether a text can be the name of a step or of a version: these get into file names.
pub fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}
