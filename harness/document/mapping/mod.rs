//! Mappings: how two databases go together, where names and types cannot tell.
//!
//! A mapping file says what a copy does with each table (`[[copy]]`), how both sides compare (`[[compare]]`, `[[ignore]]`), and
//! what refers to what (`[[reference]]`). The comparison of what was copied follows from the same words. Scenarios take those
//! on comparisons themselves.

mod compare;
mod copied;
mod made;

use super::{Document, Fields, Located, Problem, Problems};
use crate::canon::comparison::{Copying, Mapping};

/// What a whole file states: how both sides compare, and what a copy does.
///
/// # Errors
/// Every problem at once.
pub fn read(file: &str, bytes: Vec<u8>) -> Result<(Mapping, Copying), Problems> {
    let text = Document::decode(file, bytes)?;
    let document = Document::parse(file, &text);
    let mut root = document.root();
    root.format_version(1);
    let mut mapping = compare::read(&mut root, file);
    let copying = copied::read(&mut root, file);
    if root.present(&["copy", "compare", "ignore", "reference"]).is_empty() {
        let problem = Problem::new(root.place(), "states nothing");
        root.problem(problem.expected("at least one [[copy]], [[compare]], [[ignore]] or [[reference]]"));
    }
    root.finish();
    mapping.add_copied(&copying);
    document.finish(Some((mapping, copying)))
}

/// What a scenario states about comparisons.
pub fn comparisons(root: &mut Fields<'_>, file: &str) -> Mapping {
    compare::read(root, file)
}

/// What the file states that a step names.
pub fn of_step(fields: &Fields<'_>, written: &Located<String>) -> Option<(Mapping, Copying)> {
    let path = fields.folder().join(&written.value);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("failed to read `{}`: {error}", path.display());
            fields.problem(Problem::new(&written.place, message).expected("a mapping file, relative to the scenario"));
            return None;
        }
    };
    match read(&path.display().to_string(), bytes) {
        Ok(read) => Some(read),
        Err(problems) => {
            fields.problems_of_another(problems);
            None
        }
    }
}
