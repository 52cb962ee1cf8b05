//! The form of a step's files and how it is written, as a scenario states it.

use encoding_rs::{Encoding, UTF_8};
use serde::{Deserialize, Serialize};

use super::form::{self, Dialect, Form};
use crate::{
    document::{Entry, Fields, Problem},
    migrate::StepError,
};

/// The form and its dialect in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The form's id.
    pub form: String,
    delimiter: char,
    quote: char,
    header: bool,
    null: Option<String>,
    encoding: String,
}

impl Written {
    /// Reads the keys of a step.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let ids: Vec<&'static str> = form::ALL.iter().map(|form| form.id()).collect();
        let form = fields.optional_one_of("format", "form of files", &ids).map_or(ids[0], |form| form.value);
        let mut letter =
            |key: &str, usual: char| fields.optional(key).and_then(|entry| letter(&entry)).unwrap_or(usual);
        let (delimiter, quote) = (letter("delimiter", ','), letter("quote", '"'));
        if delimiter == quote {
            let problem = Problem::new(fields.place(), "`delimiter` and `quote` are the same character");
            fields.problem(problem.expected("two"));
        }
        let header = fields.optional_bool("header").is_none_or(|header| header.value);
        let null = fields.optional_str("null").map(|null| null.value);
        let of_csv = fields.present(&["delimiter", "quote", "header", "null"]);
        if form != ids[0] && !of_csv.is_empty() {
            let problem = Problem::new(fields.place(), format!("`{}` says nothing about {form}", of_csv[0]));
            fields.problem(problem.expected(format!("`format = \"{}\"`", ids[0])));
        }
        let encoding = fields.optional("encoding").and_then(|entry| encoding(&entry)).unwrap_or(UTF_8);
        Self { form: form.to_owned(), delimiter, quote, header, null, encoding: encoding.name().to_owned() }
    }

    /// Whether a file of the form holds several tables.
    pub fn holds_several(&self) -> bool {
        form::by_id(&self.form).is_some_and(Form::holds_several)
    }

    /// The form and its dialect.
    ///
    /// # Errors
    /// If it is none of this version.
    pub fn known(&self) -> Result<(&'static dyn Form, Dialect), StepError> {
        let unknown = |what: &str| StepError::broken("read the step's configuration", format!("unknown {what}"));
        let form = form::by_id(&self.form).ok_or_else(|| unknown("form"))?;
        let encoding = Encoding::for_label(self.encoding.as_bytes()).ok_or_else(|| unknown("encoding"))?;
        let Self { delimiter, quote, header, null, .. } = self.clone();
        Ok((form, Dialect { delimiter, quote, header, null, encoding }))
    }
}

fn letter(entry: &Entry<'_>) -> Option<char> {
    let written = entry.str()?;
    let mut letters = written.value.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if !matches!(letter, '\n' | '\r') => Some(letter),
        _ => {
            let problem = Problem::new(&written.place, format!("{:?} is no character between values", written.value));
            entry.problem(problem.expected("one character, as `;` or `\\t`"));
            None
        }
    }
}

fn encoding(entry: &Entry<'_>) -> Option<&'static Encoding> {
    let written = entry.str()?;
    let known = Encoding::for_label(written.value.as_bytes());
    if known.is_none() {
        let problem = Problem::new(&written.place, format!("unknown encoding `{}`", written.value));
        entry.problem(problem.expected("a name of https://encoding.spec.whatwg.org, as `utf-8` or `windows-1252`"));
    }
    known
}
