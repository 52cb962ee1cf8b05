//! What a step of commands is told.

use std::{
    collections::BTreeMap,
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    document::{Entry, Fields, Located, Problem},
    migrate::variables::{self, About, Variables},
};

/// The commands of a step, or of a history whose migrations a tool of the user's runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Program and arguments of the way up.
    pub up: Vec<String>,
    /// Those of the way down, where there is one.
    pub down: Option<Vec<String>>,
    /// What ends without an error if the way up did what it should.
    pub status: Option<Vec<String>>,
    /// What prints the versions in their order, one a line.
    pub list: Option<Vec<String>>,
    /// The versions in their order, where they are written and not printed.
    #[serde(default)]
    pub versions: Vec<String>,
    /// What stands for the version before the first one: `base` for alembic, `zero` for Django.
    pub first: String,
    /// The folder that the commands run in.
    pub folder: PathBuf,
    /// Variables of the user's, on top of those that we set.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What URLs begin with, where the tool wants another word than the engine's own.
    pub url_scheme: Option<String>,
    /// How long one command may take, in milliseconds.
    pub deadline_ms: Option<u64>,
}

impl Settings {
    /// What a command of these is told about its task.
    pub(super) fn variables(&self, about: &About<'_>) -> Variables {
        Variables::of(about, self.url_scheme.as_deref(), &self.environment)
    }

    /// Reads the keys that a step in a scenario and a file of commands have in common.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let base = fields.folder();
        let base = std::path::absolute(&base).unwrap_or(base);
        let folder = match fields.optional_str("folder") {
            Some(written) => folder(fields, &base, &written).unwrap_or(base),
            None => base,
        };
        let is_listed = !fields.present(&["list", "versions"]).is_empty();
        let mut reader = Reader { folder: &folder, is_listed };
        let up = reader.command(fields, "up", true);
        let down = reader.command(fields, "down", false);
        let status = reader.command(fields, "status", false);
        reader.is_listed = false;
        let list = reader.command(fields, "list", false);
        let versions = fields.str_list("versions").into_iter().filter_map(|written| version(fields, written)).collect();
        if let [_, _] = fields.present(&["list", "versions"]).as_slice() {
            let problem = Problem::new(fields.place(), "`list` and `versions` say the same in two ways");
            fields.problem(problem.expected("one of them"));
        }
        let first = fields.optional_str("first").map_or_else(String::new, |written| written.value);
        let url_scheme = fields.optional_str("url_scheme").map(|written| written.value);
        let deadline_ms = fields.optional("deadline").and_then(|entry| deadline(&entry));
        let environment = fields.table("environment").map(|fields| environment(fields, is_listed)).unwrap_or_default();
        Some(Self { up: up?, down, status, list, versions, first, folder, environment, url_scheme, deadline_ms })
    }
}

struct Reader<'a> {
    folder: &'a Path,
    is_listed: bool,
}

impl Reader<'_> {
    /// A program and its arguments, each on its own: there is no shell that would cut a line.
    fn command(&self, fields: &mut Fields<'_>, key: &str, is_required: bool) -> Option<Vec<String>> {
        const EXPECTED: &str = "a program and its arguments, as `[\"alembic\", \"upgrade\", \"head\"]`";
        let entry = if is_required { fields.required(key, EXPECTED) } else { fields.optional(key) }?;
        let words: Vec<Located<String>> = entry.list()?.iter().filter_map(Entry::str).collect();
        let Some(program) = words.first().filter(|word| !word.value.is_empty()) else {
            entry.problem(Problem::new(entry.place(), "names no program").expected(EXPECTED));
            return None;
        };
        if let Err(message) = found(&program.value, self.folder) {
            entry.problem(Problem::new(&program.place, message).expected("a program that is here"));
        }
        for word in &words {
            if let Err(message) = variables::argument(&word.value, self.is_listed) {
                entry.problem(Problem::new(&word.place, message));
            }
        }
        Some(words.into_iter().map(|word| word.value).collect())
    }
}

/// Whether a program is there: by its path, from the folder that it runs in, or by its name on the search path.
fn found(program: &str, folder: &Path) -> Result<(), String> {
    let is_program = |path: &Path| path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        let path = folder.join(program.trim_start_matches("./"));
        return match (path.exists(), is_program(&path)) {
            (_, true) => Ok(()),
            (true, false) => Err(format!("`{}` is no program that may be run", path.display())),
            (false, _) => Err(format!("there is no `{}`", path.display())),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    match env::split_paths(&path).any(|folder| is_program(&folder.join(program))) {
        true => Ok(()),
        false => Err(format!("no program `{program}` is on the search path")),
    }
}

fn folder(fields: &Fields<'_>, base: &Path, written: &Located<String>) -> Option<PathBuf> {
    let folder = base.join(&written.value);
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("there is no folder `{}`", folder.display());
    fields.problem(Problem::new(&written.place, message).expected("a folder, relative to this file"));
    None
}

fn version(fields: &Fields<'_>, written: Located<String>) -> Option<String> {
    super::versions::is_version(&written.value).then_some(written.value.clone()).or_else(|| {
        let problem = Problem::new(&written.place, format!("`{}` is no version", written.value));
        fields.problem(problem.expected("one word that begins with no dash"));
        None
    })
}

/// A length of time in milliseconds: `10m`, `90s`, `1h 30m`.
pub(in crate::migrate) fn deadline(entry: &Entry<'_>) -> Option<u64> {
    let written = entry.str()?;
    let read: Option<SignedDuration> = written.value.parse().ok();
    let ms = read.and_then(|read| u64::try_from(read.as_millis()).ok()).filter(|ms| *ms > 0);
    if ms.is_none() {
        let problem = Problem::new(&written.place, format!("`{}` is no length of time", written.value));
        entry.problem(problem.expected("one such as `90s`, `10m` or `1h 30m`"));
    }
    ms
}

fn environment(mut fields: Fields<'_>, is_listed: bool) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (name, entry) in fields.named() {
        let Some(value) = entry.str() else { continue };
        if name.value.is_empty() || name.value.contains(['=', '\0']) {
            let problem = Problem::new(&name.place, format!("`{}` is no name of a variable", name.value));
            entry.problem(problem.expected("letters, digits and `_`"));
        }
        if let Err(message) = variables::value(&value.value, is_listed) {
            entry.problem(Problem::new(&value.place, message));
        }
        variables.insert(name.value, value.value);
    }
    fields.finish();
    variables
}
