//! Reads what is stated about how two databases compare: `[[compare]]` and `[[ignore]]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    canon::{
        Rule,
        comparison::{At, Condition, Expression, Ignored, Mapping, Reason, Stated, StatedColumn, ValueMap},
    },
    document::{Entry, Fields, Located, Place, Problem},
    model::{Side, Sides},
};

/// Reads both from the fields of a file.
pub(super) fn read(root: &mut Fields<'_>, file: &str) -> Mapping {
    let mut taken = BTreeSet::new();
    let reader = Reader { file };
    let compare = root.array_of_tables("compare").into_iter().filter_map(|fields| reader.compare(fields, &mut taken));
    let compare = compare.collect();
    let ignore = root.array_of_tables("ignore").into_iter().filter_map(|fields| reader.ignore(fields)).collect();
    Mapping { compare, ignore, ..Mapping::default() }
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn at(&self, place: &Place) -> At {
        At { file: self.file.to_owned(), line: place.line, key: place.key.clone() }
    }

    fn compare(&self, mut fields: Fields<'_>, taken: &mut BTreeSet<(String, String)>) -> Option<Stated> {
        let at = self.at(fields.place());
        let mut queries = Sides::default();
        let source = rowset(&mut fields, Side::Source, &mut queries);
        let target = rowset(&mut fields, Side::Target, &mut queries);
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
            let Some(column) = self.column(&entry) else { continue };
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
        Some(Stated { source, target, columns, filters, queries, key, at })
    }

    fn column(&self, entry: &Entry<'_>) -> Option<StatedColumn> {
        let mut fields = entry.table()?;
        let at = self.at(fields.place());
        let words: Vec<&'static str> = Rule::words().collect();
        let target = fields.optional_str("target").map(|target| target.value);
        let rule = fields.optional_one_of("as", "common type", &words).map(|rule| rule.value.to_owned());
        let mut expressions = Sides::from_fn(|side| {
            sql(&mut fields, &format!("{side}_sql"), "an expression in SQL").map(|sql| Expression::Sql(sql.value))
        });
        let values = self.values(&mut fields);
        let left_out = self.left_out(&mut fields);
        alone(&fields, &["values", "source_sql"]);
        alone(&fields, &["ignore", "volatile"]);
        for word in ["ignore", "volatile"] {
            for other in ["as", "values", "source_sql", "target_sql"] {
                alone(&fields, &[word, other]);
            }
        }
        if let Some(values) = values {
            expressions.source = Some(Expression::Values(values));
        }
        fields.finish();
        Some(StatedColumn { target, rule, expressions, left_out, at })
    }

    fn values(&self, fields: &mut Fields<'_>) -> Option<ValueMap> {
        let others = fields.optional("other_values");
        let table = fields.table("values");
        let others_are_null = match (&others, &table) {
            (Some(entry), None) => {
                let problem = Problem::new(entry.place(), "is said of no values");
                entry.problem(problem.expected("`values` beside it"));
                false
            }
            (Some(entry), _) => {
                entry.one_of("treatment of other values", &["as_is", "null"]).is_some_and(|word| word.value == "null")
            }
            (None, _) => false,
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
        Some(ValueMap { entries: entries.collect(), others_are_null })
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
        let (source, target) = (fields.optional_str("source"), fields.optional_str("target"));
        let column = fields.optional_str("column").map(|column| column.value);
        let why = fields.required("why", "the reason, in words").and_then(|entry| entry.str());
        let why = why.and_then(|why| filled(&fields, why, "the reason, in words"));
        let until = fields.optional("until").and_then(|entry| entry.date()).map(|day| day.value);
        let named = match (source, target) {
            (Some(table), None) => Some((Side::Source, table.value)),
            (None, Some(table)) => Some((Side::Target, table.value)),
            (Some(_), Some(target)) => {
                let problem = Problem::new(&target.place, "names a table of each side");
                fields.problem(problem.expected("`source` or `target`, an [[ignore]] for each"));
                None
            }
            (None, None) => {
                let problem = Problem::new(fields.place(), "names no table");
                fields.problem(problem.expected("`source` or `target`"));
                None
            }
        };
        fields.finish();
        let (side, table) = named?;
        let reason = Reason { why: format!("ignored: {}", why?.value), until };
        Some(Ignored { side, table, column, reason, at })
    }
}

/// A table, or the name of the query in its place.
fn rowset(fields: &mut Fields<'_>, side: Side, queries: &mut Sides<Option<String>>) -> Option<String> {
    let (name, of_query) = (side.to_string(), format!("{side}_query"));
    let table = fields.optional_str(&name);
    let query = sql(fields, &of_query, "a SELECT");
    match (table, query) {
        (Some(table), None) => Some(table.value),
        (None, Some(query)) => {
            let name = format!("query in line {}", query.place.line);
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
fn sql(fields: &mut Fields<'_>, key: &str, expected: &str) -> Option<Located<String>> {
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
fn alone(fields: &Fields<'_>, keys: &[&str]) {
    if let [first, second] = fields.present(keys).as_slice() {
        let problem = Problem::new(fields.place(), format!("`{first}` and `{second}` exclude each other"));
        fields.problem(problem.expected("one of them"));
    }
}
