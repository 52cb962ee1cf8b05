//! Rows that the user gives for a version: a script that runs behind its way up, before rows are made for what is still empty.

use std::{collections::BTreeMap, fs, path::Path};

use super::{play::Play, script::Stopped};
use crate::{
    engine::Engine,
    migrate::layout::{History, Script, Transaction},
    model::Address,
};

/// Scripts by the position of the migration that they follow.
pub type Given = BTreeMap<usize, Script>;

/// Reads a folder of scripts, each called after a migration or its version: `0042.sql`.
///
/// # Errors
/// Everything that is wrong: files that belong to no migration, that are no text, or whose statements are cut off.
pub fn given(folder: &Path, history: &History, engine: &dyn Engine) -> Result<Given, Vec<String>> {
    let unreadable = |error: std::io::Error| vec![format!("failed to read `{}`: {error}", folder.display())];
    let (mut given, mut problems) = (Given::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|ending| ending != "sql") {
            continue;
        }
        let Some(at) = history.position(stem) else {
            problems.push(format!("{}: no migration is called `{stem}`, and none has that version", path.display()));
            continue;
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let script = Script::of_file(&path, text, Transaction::Around);
                if let Err(error) = script.statements(engine.dialect()) {
                    problems.push(format!("{}:{}: {}", path.display(), error.line, error.problem));
                }
                if let Some(other) = given.insert(at, script) {
                    problems.push(format!("{} and {} are for one migration", other.file.display(), path.display()));
                }
            }
            Err(error) => problems.push(format!("failed to read `{}`: {error}", path.display())),
        }
    }
    if given.is_empty() && problems.is_empty() {
        problems.push(format!("`{}` holds no rows: no file VERSION.sql", folder.display()));
    }
    problems.sort();
    if problems.is_empty() { Ok(given) } else { Err(problems) }
}

impl Play {
    /// Loads the rows that are given for a version into a database that stands behind it. The answer is whether there are
    /// some.
    pub(super) async fn give(&self, address: &Address, at: usize) -> Result<bool, String> {
        let Some(script) = self.subject.given.get(&at) else { return Ok(false) };
        match self.run_script(address, script, Vec::new(), false).await {
            Ok(_) => Ok(true),
            Err(Stopped::Run(error)) => Err(error),
            Err(Stopped::Migration(error)) => {
                let name = &self.subject.history.migrations[at].name;
                Err(format!("failed to load the rows given for `{name}`: {error}"))
            }
        }
    }
}
