//! A cursor over the fields of one table of a document.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Document, Located, Place, Problem, Problems};

/// The fields of one table. Every getter marks its key as known; [`Fields::finish`] reports the others.
///
/// A getter gives `None` both for a key that is not there and for a value that is wrong; the latter is reported.
#[derive(Debug)]
#[must_use = "unknown keys are reported by `finish`"]
pub struct Fields<'d> {
    document: &'d Document<'d>,
    table: &'d DeTable<'d>,
    place: Place,
    known: BTreeSet<String>,
}

impl<'d> Fields<'d> {
    pub(super) fn new(document: &'d Document<'_>, table: &'d DeTable<'_>, place: Place) -> Self {
        Self { document, table, place, known: BTreeSet::new() }
    }

    /// Where the table is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The folder of the file that it is from.
    pub fn folder(&self) -> PathBuf {
        let file = self.document.problems.borrow().file.clone();
        Path::new(&file).parent().unwrap_or(Path::new("")).to_owned()
    }

    /// Adds a problem.
    pub fn problem(&self, problem: Problem) {
        self.document.problem(problem);
    }

    /// Adds what is wrong with a file that is named here.
    pub fn problems_of_another(&self, problems: Problems) {
        self.document.problems_of_another(problems);
    }

    /// The value of a key.
    pub fn optional(&mut self, key: &str) -> Option<Entry<'d>> {
        self.known.insert(key.to_owned());
        let value = self.table.get(key)?;
        let place = self.document.lines.place(value.span().start, self.path_to(key));
        Some(Entry { document: self.document, value, place })
    }

    /// The value of a key that has to be there; `expected` says what it has to be.
    pub fn required(&mut self, key: &str, expected: &str) -> Option<Entry<'d>> {
        let entry = self.optional(key);
        if entry.is_none() && !self.document.broken {
            let place = Place { key: self.path_to(key), ..self.place.clone() };
            self.problem(Problem::new(&place, "missing").expected(expected));
        }
        entry
    }

    /// Text, if it is there.
    pub fn optional_str(&mut self, key: &str) -> Option<Located<String>> {
        self.optional(key)?.str()
    }

    /// Text that has to be there.
    pub fn required_str(&mut self, key: &str) -> Option<Located<String>> {
        self.required(key, "text")?.str()
    }

    /// True or false, if it is there.
    pub fn optional_bool(&mut self, key: &str) -> Option<Located<bool>> {
        self.optional(key)?.bool()
    }

    /// A whole number of 0 or more, if it is there.
    pub fn optional_u64(&mut self, key: &str) -> Option<Located<u64>> {
        self.optional(key)?.u64()
    }

    /// A whole number, if it is there.
    pub fn optional_i64(&mut self, key: &str) -> Option<Located<i64>> {
        self.optional(key)?.i64()
    }

    /// A number with or without a fraction, if it is there.
    pub fn optional_f64(&mut self, key: &str) -> Option<Located<f64>> {
        self.optional(key)?.f64()
    }

    /// A share between 0 and 1, if it is there.
    pub fn optional_share(&mut self, key: &str) -> Option<Located<f64>> {
        let share = self.optional_f64(key)?;
        if (0.0..=1.0).contains(&share.value) {
            return Some(share);
        }
        self.problem(Problem::new(&share.place, format!("expected a share between 0 and 1, found `{}`", share.value)));
        None
    }

    /// A list of texts; empty if it is not there.
    pub fn str_list(&mut self, key: &str) -> Vec<Located<String>> {
        self.list(key).iter().filter_map(Entry::str).collect()
    }

    /// A list; empty if it is not there.
    pub fn list(&mut self, key: &str) -> Vec<Entry<'d>> {
        self.optional(key).and_then(|entry| entry.list()).unwrap_or_default()
    }

    /// A table, if it is there.
    pub fn table(&mut self, key: &str) -> Option<Fields<'d>> {
        self.optional(key)?.table()
    }

    /// Tables in order (`[[key]]`); none if the key is not there.
    pub fn array_of_tables(&mut self, key: &str) -> Vec<Fields<'d>> {
        self.list(key).iter().filter_map(Entry::table).collect()
    }

    /// One of a few names, if it is there; `what` says what is named.
    pub fn optional_one_of(&mut self, key: &str, what: &str, names: &[&'static str]) -> Option<Located<&'static str>> {
        self.optional(key)?.one_of(what, names)
    }

    /// One of a few names that has to be there; `what` says what is named.
    pub fn required_one_of(&mut self, key: &str, what: &str, names: &[&'static str]) -> Option<Located<&'static str>> {
        let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        self.required(key, &format!("{article} {what}"))?.one_of(what, names)
    }

    /// Requires `format_version` to be this one.
    pub fn format_version(&mut self, version: u64) {
        let Some(entry) = self.required("format_version", &format!("`{version}`")) else { return };
        let Some(found) = entry.u64() else { return };
        if found.value != version {
            let message = format!("unknown format version `{}`", found.value);
            self.problem(Problem::new(&found.place, message).expected(format!("`{version}`")));
        }
    }

    /// Every field of a table whose keys are names of the user's, in the order in which they were written.
    pub fn named(&mut self) -> Vec<(Located<String>, Entry<'d>)> {
        let mut fields: Vec<_> = self.table.iter().collect();
        fields.sort_by_key(|(key, _)| key.span().start);
        fields
            .into_iter()
            .map(|(key, value)| {
                let name: &str = key.get_ref();
                self.known.insert(name.to_owned());
                let at = |offset| self.document.lines.place(offset, self.path_to(name));
                let entry = Entry { document: self.document, value, place: at(value.span().start) };
                (Located { value: name.to_owned(), place: at(key.span().start) }, entry)
            })
            .collect()
    }

    /// Which of these keys are there.
    pub fn present<'n>(&self, keys: &[&'n str]) -> Vec<&'n str> {
        keys.iter().copied().filter(|key| self.table.contains_key(*key)).collect()
    }

    /// Ends the reading and reports every key that no getter asked for.
    pub fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !self.known.contains(name) {
                let place = self.document.lines.place(key.span().start, self.path_to(name));
                self.problem(Problem::unknown(&place, "key", name, self.known.iter().map(String::as_str)));
            }
        }
    }

    fn path_to(&self, key: &str) -> String {
        let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let key = if bare { key.to_owned() } else { format!("{key:?}") };
        if self.place.key.is_empty() { key } else { format!("{}.{key}", self.place.key) }
    }
}

/// One value of a document.
#[derive(Clone, Debug)]
pub struct Entry<'d> {
    document: &'d Document<'d>,
    value: &'d Spanned<DeValue<'d>>,
    place: Place,
}

impl<'d> Entry<'d> {
    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Text.
    pub fn str(&self) -> Option<Located<String>> {
        let read = self.value.get_ref().as_str().map(str::to_owned);
        self.read("text", read)
    }

    /// True or false.
    pub fn bool(&self) -> Option<Located<bool>> {
        self.read("true or false", self.value.get_ref().as_bool())
    }

    /// A whole number of 0 or more.
    pub fn u64(&self) -> Option<Located<u64>> {
        self.read(
            "a whole number of 0 or more",
            self.digits().and_then(|(text, radix)| u64::from_str_radix(text, radix).ok()),
        )
    }

    /// A whole number.
    pub fn i64(&self) -> Option<Located<i64>> {
        self.read("a whole number", self.digits().and_then(|(text, radix)| i64::from_str_radix(text, radix).ok()))
    }

    /// A number with or without a fraction.
    pub fn f64(&self) -> Option<Located<f64>> {
        let text = match self.value.get_ref() {
            DeValue::Float(float) => Some(float.as_str()),
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str()),
            _ => None,
        };
        self.read("a number", text.and_then(|text| text.parse().ok()))
    }

    /// A day, as in `2027-01-01`, written as a date or as text.
    pub fn date(&self) -> Option<Located<String>> {
        let written = match self.value.get_ref() {
            DeValue::Datetime(moment) => moment.to_string(),
            value => value.as_str().unwrap_or_default().to_owned(),
        };
        let day = written.parse::<jiff::civil::Date>().ok().filter(|day| day.to_string() == written);
        self.read("a day such as 2027-01-01", day.map(|_| written))
    }

    /// A list.
    pub fn list(&self) -> Option<Vec<Entry<'d>>> {
        let array = self.read("a list", self.value.get_ref().as_array())?.value;
        let entry = |(position, value): (usize, &'d Spanned<DeValue<'d>>)| {
            let key = format!("{}[{position}]", self.place.key);
            Entry { document: self.document, value, place: self.document.lines.place(value.span().start, key) }
        };
        Some(array.iter().enumerate().map(entry).collect())
    }

    /// A table.
    pub fn table(&self) -> Option<Fields<'d>> {
        let table = self.read("a table", self.value.get_ref().as_table())?.value;
        Some(Fields::new(self.document, table, self.place.clone()))
    }

    /// One of a few names; `what` says what is named.
    pub fn one_of(&self, what: &str, names: &[&'static str]) -> Option<Located<&'static str>> {
        let written = self.str()?;
        let known = names.iter().copied().find(|name| *name == written.value);
        if known.is_none() {
            self.problem(Problem::unknown(&self.place, what, &written.value, names.iter().copied()));
        }
        known.map(|value| Located { value, place: written.place })
    }

    /// What stands there: true, false, a number or text. Whoever takes several kinds decides by it.
    pub fn kind(&self) -> &'static str {
        self.value.get_ref().type_str()
    }

    /// Adds a problem.
    pub fn problem(&self, problem: Problem) {
        self.document.problem(problem);
    }

    fn digits(&self) -> Option<(&'d str, u32)> {
        self.value.get_ref().as_integer().map(|integer| (integer.as_str(), integer.radix()))
    }

    fn read<T>(&self, expected: &str, read: Option<T>) -> Option<Located<T>> {
        // Where the syntax is broken, the parser puts something of no extent; that it is broken was told already.
        if read.is_none() && !(self.document.broken && self.value.span().is_empty()) {
            let found = match self.value.get_ref() {
                DeValue::Integer(integer) if expected.contains("number") => format!("`{integer}`"),
                DeValue::Float(float) if expected.contains("number") => format!("`{float}`"),
                DeValue::String(_) => "text".to_owned(),
                DeValue::Integer(_) => "an integer".to_owned(),
                DeValue::Float(_) => "a number with a fraction".to_owned(),
                DeValue::Boolean(boolean) => format!("`{boolean}`"),
                DeValue::Datetime(_) => "a date or time".to_owned(),
                DeValue::Array(_) => "a list".to_owned(),
                DeValue::Table(_) => "a table".to_owned(),
            };
            self.problem(Problem::new(&self.place, format!("expected {expected}, found {found}")));
        }
        read.map(|value| Located { value, place: self.place.clone() })
    }
}
