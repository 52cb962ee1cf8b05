//! Floor 1: strict reading of TOML documents.
//!
//! A [`Document`] is parsed with the place of every value. Readers walk it with [`Fields`], which collects problems
//! instead of stopping at the first: unknown keys, wrong types, missing keys, names that are not known. At the end
//! [`Document::finish`] gives what was read, or every [`Problem`] at once with file, line, key, what was expected and the
//! nearest name:
//!
//! ```text
//! scenario.toml:12: step[0].kind: unknown step kind `transfr`; expected one of `sql`, `transfer`; did you mean `transfer`?
//! ```
//!
//! Pure: it reads no files and knows no scenario. Whoever validates further after reading keeps the [`Place`] of a value
//! ([`Located`]) and adds to a [`Problems`] of its own.

mod fields;
pub mod mapping;
mod problem;

use std::cell::RefCell;

use toml::de::DeTable;

pub use fields::{Entry, Fields};
pub use problem::{Located, Place, Problem, Problems, nearest};

/// A parsed document and the problems found in it so far.
#[derive(Debug)]
pub struct Document<'t> {
    root: DeTable<'t>,
    lines: LineIndex,
    problems: RefCell<Problems>,
    /// What is wrong with files that it names.
    of_others: RefCell<Vec<Problems>>,
    /// Whether the text is not TOML throughout; what seems to be missing may then merely be unreadable.
    broken: bool,
}

impl<'t> Document<'t> {
    /// Parses a text. Syntax errors are kept as problems; what could be read around them can still be walked.
    pub fn parse(file: &str, text: &'t str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let lines = LineIndex::new(text);
        let mut problems = Problems::new(file);
        for error in &errors {
            let place = lines.place(error.span().map_or(text.len(), |span| span.start), String::new());
            problems.add(Problem::new(&place, error.message().trim_end().replace('\n', "; ")));
        }
        Self {
            root: root.into_inner(),
            lines,
            problems: RefCell::new(problems),
            of_others: RefCell::default(),
            broken: !errors.is_empty(),
        }
    }

    /// The text in a file's bytes.
    ///
    /// # Errors
    /// The line of the first byte that is not UTF-8.
    pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, Problems> {
        String::from_utf8(bytes).map_err(|error| {
            let start = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = start.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = start.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            let place = Place { line, column, key: String::new() };
            let mut problems = Problems::new(file);
            problems.add(Problem::new(&place, format!("byte {column} of the line is not UTF-8")));
            problems
        })
    }

    /// The fields of the document itself.
    pub fn root(&self) -> Fields<'_> {
        Fields::new(self, &self.root, self.lines.place(0, String::new()))
    }

    /// Adds a problem.
    pub fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().add(problem);
    }

    /// Adds what is wrong with a file that it names.
    pub fn problems_of_another(&self, problems: Problems) {
        self.of_others.borrow_mut().push(problems);
    }

    /// What is wrong with files that it names, which is told once.
    pub fn take_problems_of_others(&self) -> Vec<Problems> {
        self.of_others.take()
    }

    /// What was read, if nothing is wrong with it.
    ///
    /// # Errors
    /// Every problem that was found, in the order of the lines.
    ///
    /// # Panics
    /// If the reader gives nothing but reported no problem either, which is a mistake in the reader.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        self.problems.into_inner().or(())?;
        Ok(read.expect("a reader that gives nothing has reported why"))
    }
}

/// Where each line of a text begins, in bytes.
#[derive(Debug)]
struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The place of a byte offset; columns are counted in bytes.
    fn place(&self, offset: usize, key: String) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        Place { line, column: offset - self.starts[line - 1] + 1, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"format_version = 1
title = 7
sped = true

[[step]]
kind = "transfr"
batch_rows = -1

[[step]]
kind = "sql"
"#;

    fn read(text: &str) -> Result<Vec<String>, Problems> {
        let document = Document::parse("scenario.toml", text);
        let mut root = document.root();
        root.format_version(1);
        let title = root.required_str("title");
        root.optional_bool("speed");
        let mut kinds = Vec::new();
        for mut step in root.array_of_tables("step") {
            kinds.extend(step.required_one_of("kind", "step kind", &["sql", "transfer"]));
            step.optional_u64("batch_rows");
            step.finish();
        }
        root.finish();
        document.finish(title.map(|_| kinds.into_iter().map(|kind| kind.value.to_owned()).collect()))
    }

    #[test]
    fn all_problems_come_at_once_with_their_places() {
        let problems = read(TEXT).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "scenario.toml:2: title: expected text, found an integer\n\
             scenario.toml:3: sped: unknown key `sped`; expected one of `format_version`, `speed`, `step`, `title`; \
             did you mean `speed`?\n\
             scenario.toml:6: step[0].kind: unknown step kind `transfr`; expected one of `sql`, `transfer`; \
             did you mean `transfer`?\n\
             scenario.toml:7: step[0].batch_rows: expected a whole number of 0 or more, found `-1`"
        );
    }

    #[test]
    fn a_good_document_gives_what_was_read() {
        assert_eq!(read("format_version = 1\ntitle = 'x'\nstep = [{kind = 'sql'}]").unwrap(), ["sql"]);
        let missing = read("format_version = 2").unwrap_err();
        assert_eq!(
            missing.to_string(),
            "scenario.toml:1: title: missing; expected text\n\
             scenario.toml:1: format_version: unknown format version `2`; expected `1`"
        );
    }

    #[test]
    fn broken_syntax_is_told_with_its_line_and_nothing_is_called_missing() {
        let problems = read("format_version = 1\ntitel = \n").unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|problem| problem.place.line).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| *line == 2), "{problems}");
        assert!(!problems.to_string().contains("missing"), "{problems}");
    }
}
