//! Reads what is stated about how two databases compare: `[[compare]]`, `[[ignore]]` and `[[reference]]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::super::{Entry, Fields, Located, Place, Problem};
use crate::{
    canon::{
        Rule,
        comparison::{
            At, Condition, Derivation, Expression, Ignored, Mapping, Others, Reason, ReferenceEnd, Stated,
            StatedColumn, StatedReference, ValueMap,
        },
    },
    model::{Side, Sides},
};

/// Reads all of it from the fields of a file.
pub(super) fn read(root: &mut Fields<'_>, file: &str) -> Mapping {
    let mut taken = BTreeSet::new();
    let reader = Reader { file, system: None };
    let compare = root.array_of_tables("compare").into_iter().filter_map(|fields| reader.compare(fields, &mut taken));
    let compare = compare.collect();
    let ignore = root.array_of_tables("ignore").into_iter().filter_map(|fields| reader.ignore(fields)).collect();
    let references = root.array_of_tables("reference");
    let references = references.into_iter().filter_map(|fields| reader.reference(fields)).collect();
    Mapping { compare, ignore, references, ..Mapping::default() }
}

/// Reads tables of a file.
pub(super) struct Reader<'a> {
    /// The file.
    pub file: &'a str,
    /// The system whose keys UUIDs follow from, where it is named.
    pub system: Option<&'a str>,
}

/// Of what a column is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// How it compares.
    Comparison,
    /// What becomes of it.
    Copy,
}

impl Reader<'_> {
    /// A place in the file.
    pub(super) fn at(&self, place: &Place) -> At {
        At { file: self.file.to_owned(), line: place.line, key: place.key.clone() }
    }

    fn compare(&self, mut fields: Fields<'_>, taken: &mut BTreeSet<(String, String)>) -> Option<Stated> {
        let at = self.at(fields.place());
        let mut queries = Sides::default();
        let source = rowset(&mut fields, Side::Source, self.file, &mut queries);
        let target = rowset(&mut fields, Side::Target, self.file, &mut queries);
        let filters = Sides::from_fn(|side| {
            let written = sql(&mut fields, &format!("{side}_where"), "a condition in SQL")?;
            Some(Condition { at: self.at(&written.place), sql: written.value })
        });
        let has_key = !fields.present(&["key"]).is_empty();
        let key = fields.str_list("key").into_iter().map(|name| name.value).collect();
        if queries.iter().any(|(_, query)| query.is_some()) && !has_key {
            let place = Place { key: format!("{}.key", fields.place().key), ..fields.place().clone() };
            let problem = Problem::new(&place, "missing");
            fields
                .problem(problem.expected("the columns by which a row of the query is known, or [] if there are none"));
        }
        let mut columns = BTreeMap::new();
        let mut targets = BTreeSet::new();
        for (name, entry) in fields.table("columns").iter_mut().flat_map(Fields::named) {
            let Some(column) = self.column(&entry, Of::Comparison) else { continue };
            if let Some(target) = column.target.clone().filter(|target| !targets.insert(target.clone())) {
                let problem = Problem::new(&name.place, format!("a second column is compared with `{target}`"));
                entry.problem(problem.expected("another column of the target"));
            }
            columns.insert(name.value, column);
        }
        let names = source.zip(target);
        if let Some((source, target)) = &names
            && !taken.insert((source.clone(), target.clone()))
            && filters == Sides::default()
        {
            let problem = Problem::new(fields.place(), format!("`{source}` is compared with `{target}` twice"));
            fields.problem(problem.expected("one [[compare]] for a pair of tables, or a filter for each part"));
        }
        fields.finish();
        let (source, target) = names?;
        Some(Stated { source, target, columns, filters, queries, key, at, ..Stated::default() })
    }

    /// What is stated about a column.
    pub(super) fn column(&self, entry: &Entry<'_>, of: Of) -> Option<StatedColumn> {
        let mut fields = entry.table()?;
        let at = self.at(fields.place());
        let words: Vec<&'static str> = Rule::words().collect();
        let target = fields.optional_str("target").map(|target| target.value);
        let rule = fields.optional_one_of("as", "common type", &words).map(|rule| rule.value.to_owned());
        let dropped = match of {
            Of::Comparison => None,
            Of::Copy => sql(&mut fields, "dropped", "the reason, in words").map(|why| why.value),
        };
        let mut expressions = Sides::from_fn(|side| {
            if of == Of::Copy && side == Side::Target {
                return None;
            }
            sql(&mut fields, &format!("{side}_sql"), "an expression in SQL").map(|sql| Expression::Sql(sql.value))
        });
        let values = self.values(&mut fields, of);
        let derivation = (of == Of::Copy).then(|| self.derivation(&mut fields)).flatten();
        let object = self.object(&mut fields, of);
        let lookup = self.lookup(&mut fields, of);
        let left_out = self.left_out(&mut fields);
        for pair in [["values", "source_sql"], ["uuid", "values"], ["lookup", "source_sql"]] {
            alone(&fields, &pair);
        }
        alone(&fields, &["ignore", "volatile"]);
        // What is not compared needs no word on how, but a copy needs one on what becomes of it.
        let exclusive: &[(&str, &[&str])] = match of {
            Of::Comparison => &[
                ("ignore", &["as", "values", "source_sql", "target_sql"]),
                ("volatile", &["as", "values", "source_sql", "target_sql"]),
            ],
            Of::Copy => &[
                ("dropped", &["target", "as", "values", "source_sql", "uuid", "json", "lookup", "ignore", "volatile"]),
                ("json", &["as", "values", "source_sql", "uuid", "lookup"]),
            ],
        };
        for (word, others) in exclusive {
            others.iter().for_each(|other| alone(&fields, &[word, other]));
        }
        if let Some(values) = values {
            expressions.source = Some(Expression::Values(values));
        }
        if let Some(derivation) = derivation {
            let sql = match expressions.source.take() {
                Some(Expression::Sql(sql)) => Some(sql),
                _ => None,
            };
            expressions.source = Some(Expression::Derived(Derivation { sql, ..derivation }));
        }
        let mut rule = rule;
        if let Some(object) = object {
            rule = Some(Rule::Json.word().to_owned());
            expressions.source = Some(Expression::Object(object));
        }
        fields.finish();
        Some(StatedColumn { target, rule, expressions, lookup, left_out, dropped, at })
    }

    /// `uuid = "users"`: the UUID that follows from the column's value as a key of that table.
    fn derivation(&self, fields: &mut Fields<'_>) -> Option<Derivation> {
        let table = sql(fields, "uuid", "the table whose key it is")?;
        let Some(system) = self.system else {
            let problem = Problem::new(&table.place, "follows from the key of a system that is not named");
            fields.problem(problem.expected("`system` at the top of the file"));
            return None;
        };
        Some(Derivation { system: system.to_owned(), table: table.value, sql: None })
    }

    fn values(&self, fields: &mut Fields<'_>, of: Of) -> Option<ValueMap> {
        let (others, other) = (fields.optional("other_values"), fields.optional("other_value"));
        alone(fields, &["other_values", "other_value"]);
        let table = fields.table("values");
        if let (Some(entry), None) = (others.as_ref().or(other.as_ref()), &table) {
            let problem = Problem::new(entry.place(), "is said of no values");
            entry.problem(problem.expected("`values` beside it"));
        }
        let words: &[&'static str] = if of == Of::Copy { &["as_is", "null", "reject"] } else { &["as_is", "null"] };
        let word = others.and_then(|entry| entry.one_of("treatment of other values", words));
        let value = other.and_then(|entry| entry.str());
        let others = match (word.map(|word| word.value), value) {
            (Some("null"), _) => Others::Null,
            (Some("reject"), _) => Others::Reject,
            (_, Some(value)) => Others::Value(value.value),
            _ => Others::AsIs,
        };
        let mut table = table?;
        let named = table.named();
        if named.is_empty() {
            let problem = Problem::new(table.place(), "maps no value");
            table.problem(problem.expected("the source's value and the target's, as in { A = \"active\" }"));
        }
        let entries = named.into_iter().filter_map(|(name, entry)| {
            let target = entry.str()?.value;
            Some((name.value, target, self.at(&name.place)))
        });
        Some(ValueMap { entries: entries.collect(), others })
    }

    fn left_out(&self, fields: &mut Fields<'_>) -> Option<Reason> {
        let until = fields.optional("until").and_then(|entry| entry.date());
        let ignored = sql(fields, "ignore", "the reason, in words").map(|why| ("ignored", why.value));
        let volatile = sql(fields, "volatile", "the reason, in words").map(|why| ("volatile", why.value));
        match (ignored.or(volatile), until) {
            (Some((word, why)), until) => {
                Some(Reason { why: format!("{word}: {why}"), until: until.map(|day| day.value) })
            }
            (None, Some(until)) => {
                let problem = Problem::new(&until.place, "is said of nothing that is left out");
                fields.problem(problem.expected("`ignore` or `volatile` beside it"));
                None
            }
            (None, None) => None,
        }
    }

    fn ignore(&self, mut fields: Fields<'_>) -> Option<Ignored> {
        let at = self.at(fields.place());
        let named = one_side(&mut fields, "table", "[[ignore]]");
        let column = fields.optional_str("column").map(|column| column.value);
        let why = self.why(&mut fields);
        let until = fields.optional("until").and_then(|entry| entry.date()).map(|day| day.value);
        fields.finish();
        let (side, table) = named?;
        let reason = Reason { why: format!("ignored: {}", why?), until };
        Some(Ignored { side, table: table.value, column, reason, at })
    }

    fn reference(&self, mut fields: Fields<'_>) -> Option<StatedReference> {
        let at = self.at(fields.place());
        let child = one_side(&mut fields, "table", "[[reference]]");
        let parent =
            fields.required("parent", "a table with columns, as in \"users(id)\"").and_then(|entry| entry.str());
        let why = self.why(&mut fields);
        let end = |text: Located<String>| {
            let parsed = text.value.parse::<ReferenceEnd>();
            if let Err(problem) = &parsed {
                let problem = Problem::new(&text.place, format!("`{}` {problem}", text.value));
                fields.problem(problem.expected("a table with columns, as in \"users(id)\""));
            }
            parsed.ok()
        };
        let side = child.as_ref().map(|(side, _)| *side);
        let ends = [child.map(|(_, text)| text), parent].map(|text| text.and_then(&end));
        let counts = ends.each_ref().map(|end| end.as_ref().map(|end| end.columns.len()));
        if let [Some(own), Some(theirs)] = counts
            && own != theirs
        {
            let problem = Problem::new(fields.place(), format!("refers from {own} columns to {theirs}"));
            fields.problem(problem.expected("as many on either end"));
        }
        fields.finish();
        let [Some(child), Some(parent)] = ends else { return None };
        Some(StatedReference { side: side?, child, parent, why: why?, at })
    }

    /// Why something is stated.
    fn why(&self, fields: &mut Fields<'_>) -> Option<String> {
        let why = fields.required("why", "the reason, in words").and_then(|entry| entry.str())?;
        filled(fields, why, "the reason, in words").map(|why| why.value)
    }
}

/// What is named of one side, and of which.
fn one_side(fields: &mut Fields<'_>, what: &str, word: &str) -> Option<(Side, Located<String>)> {
    match (fields.optional_str("source"), fields.optional_str("target")) {
        (Some(table), None) => Some((Side::Source, table)),
        (None, Some(table)) => Some((Side::Target, table)),
        (Some(_), Some(target)) => {
            let problem = Problem::new(&target.place, format!("names a {what} of each side"));
            let each = if word.starts_with("[[i") { "an" } else { "a" };
            fields.problem(problem.expected(format!("`source` or `target`, {each} {word} for each")));
            None
        }
        (None, None) => {
            let problem = Problem::new(fields.place(), format!("names no {what}"));
            fields.problem(problem.expected("`source` or `target`"));
            None
        }
    }
}

/// A table, or the name of the query in its place.
fn rowset(fields: &mut Fields<'_>, side: Side, file: &str, queries: &mut Sides<Option<String>>) -> Option<String> {
    let (name, of_query) = (side.to_string(), format!("{side}_query"));
    let table = fields.optional_str(&name);
    let query = sql(fields, &of_query, "a SELECT");
    match (table, query) {
        (Some(table), None) => Some(table.value),
        (None, Some(query)) => {
            // Steps have files of their own, and no two queries are called the same.
            let file = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
            let name = format!("query of {file}:{}", query.place.line);
            *queries.get_mut(side) = Some(query.value);
            Some(name)
        }
        (Some(_), Some(query)) => {
            let problem = Problem::new(&query.place, format!("`{name}` and `{of_query}` exclude each other"));
            fields.problem(problem.expected("one of them"));
            None
        }
        (None, None) => {
            // A key that is there and is wrong was told already.
            if fields.present(&[&name, &of_query]).is_empty() {
                let place = Place { key: format!("{}.{name}", fields.place().key), ..fields.place().clone() };
                fields.problem(Problem::new(&place, "missing").expected(format!("a table, or `{of_query}`")));
            }
            None
        }
    }
}

/// SQL or words that have to say something, if they are there.
pub(super) fn sql(fields: &mut Fields<'_>, key: &str, expected: &str) -> Option<Located<String>> {
    let written = fields.optional_str(key)?;
    filled(fields, written, expected)
}

fn filled(fields: &Fields<'_>, written: Located<String>, expected: &str) -> Option<Located<String>> {
    if written.value.trim().is_empty() {
        fields.problem(Problem::new(&written.place, "is empty").expected(expected));
        return None;
    }
    Some(written)
}

/// Refuses keys that exclude each other.
pub(super) fn alone(fields: &Fields<'_>, keys: &[&str]) {
    if let [first, second] = fields.present(keys).as_slice() {
        let problem = Problem::new(fields.place(), format!("`{first}` and `{second}` exclude each other"));
        fields.problem(problem.expected("one of them"));
    }
}
