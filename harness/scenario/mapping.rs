//! Mapping files: what `[[compare]]`, `[[ignore]]` and `[[reference]]` of a scenario say, in a file of their own, for audits; and
//! what a copy did, for the comparison that follows from it.

use std::{fs, path::Path};

use super::ScenarioError;
use crate::{canon::comparison::Mapping, document};

/// Reads a mapping file.
///
/// # Errors
/// All problems at once, with file, line, key, what was expected and the nearest name.
pub fn mapping(path: &Path) -> Result<Mapping, ScenarioError> {
    let bytes = fs::read(path).map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
    let read = document::mapping::read(&path.display().to_string(), bytes);
    read.map(|(mapping, _)| mapping).map_err(|problems| ScenarioError::Invalid(vec![problems]))
}
