//! Mapping files: what `[[compare]]`, `[[ignore]]` and `[[reference]]` of a scenario say, in a file of their own, for audits.

use std::{fs, path::Path};

use super::{ScenarioError, compare};
use crate::{
    canon::comparison::Mapping,
    document::{Document, Problem},
};

/// Reads a mapping file.
///
/// # Errors
/// All problems at once, with file, line, key, what was expected and the nearest name.
pub fn mapping(path: &Path) -> Result<Mapping, ScenarioError> {
    let bytes = fs::read(path).map_err(|source| ScenarioError::Unreadable { path: path.to_owned(), source })?;
    let file = path.display().to_string();
    let text = Document::decode(&file, bytes).map_err(|problems| ScenarioError::Invalid(vec![problems]))?;
    let document = Document::parse(&file, &text);
    let mut root = document.root();
    root.format_version(1);
    let mapping = compare::read(&mut root, &file);
    let has_any = !root.present(&["compare", "ignore", "reference"]).is_empty();
    if !has_any {
        let problem = Problem::new(root.place(), "states nothing");
        root.problem(problem.expected("at least one [[compare]], [[ignore]] or [[reference]]"));
    }
    root.finish();
    document.finish(Some(mapping)).map_err(|problems| ScenarioError::Invalid(vec![problems]))
}
