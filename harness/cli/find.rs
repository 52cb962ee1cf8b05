//! Finds scenarios and runs by what a person calls them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    model::RunId,
    run::{
        journal,
        registry::{Entry, Registry},
    },
    scenario::{self, Scenario, ScenarioError},
};

use super::{exit, tell::Failure};

/// The folders of the scenarios that were asked for: names below `root`, or folders; without any, all below `root`.
pub fn scenarios(asked: &[String], root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let known = match scenario::discover(root) {
        Ok(known) => known,
        Err(error) if asked.is_empty() => {
            let message = format!("failed to look for scenarios in `{}`: {error}", root.display());
            return Err(Failure::new(message, exit::NOTHING)
                .hint("give --scenarios-dir, or `--from FILE.db --to postgres`, which needs no scenario"));
        }
        Err(_) => Default::default(),
    };
    if asked.is_empty() {
        if known.is_empty() {
            return Err(Failure::new(format!("`{}` holds no scenario", root.display()), exit::NOTHING));
        }
        return Ok(known.into_values().collect());
    }
    asked
        .iter()
        .map(|name| {
            if let Some(folder) = known.get(name) {
                return Ok(folder.clone());
            }
            let folder = PathBuf::from(name);
            if folder.join(scenario::FILE).is_file() {
                return Ok(folder);
            }
            Err(Failure::unknown("scenario", name, known.keys().map(String::as_str)))
        })
        .collect()
}

/// Reads the scenarios in these folders, or tells every problem in all of them.
pub fn read(folders: Vec<PathBuf>) -> Result<Vec<(PathBuf, Scenario)>, Failure> {
    let (mut scenarios, mut problems) = (Vec::new(), Vec::new());
    for folder in folders {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        match scenario::read(&folder) {
            Ok(scenario) => scenarios.push((folder, scenario)),
            Err(ScenarioError::Invalid(more)) => problems.extend(more),
            Err(error) => return Err(error.into()),
        }
    }
    if problems.is_empty() { Ok(scenarios) } else { Err(ScenarioError::Invalid(problems).into()) }
}

/// The directory of a run: by its id, by a directory, or `latest`.
pub fn run(asked: &str, registry: &Registry, out: &Path) -> Result<Entry, Failure> {
    let directory = PathBuf::from(asked);
    if directory.join(journal::FILE).is_file() {
        return entry(&directory);
    }
    if let Some(known) = registry.entries()?.into_iter().find(|entry| entry.id.as_str() == asked) {
        return Ok(known);
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for scenario in fs::read_dir(out).into_iter().flatten().flatten() {
        let directory = scenario.path().join(asked);
        if directory.join(journal::FILE).is_file() {
            found.push(fs::canonicalize(&directory).unwrap_or(directory));
        }
    }
    // Run ids begin with their time: of several scenarios' latest runs the last is the last by name.
    found.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    match found.pop() {
        Some(directory) => entry(&directory),
        None => Err(Failure::usage(format!("no run is called `{asked}`"))
            .hint(format!("runs are looked for below `{}` and among those that hold something", out.display()))),
    }
}

fn entry(directory: &Path) -> Result<Entry, Failure> {
    let directory = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let id = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Entry { id: RunId(id), directory })
}
