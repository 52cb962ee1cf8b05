//! What is stated about a rowset, in SQL.
//!
//! Fragments that a user states stand in brackets of their own, on lines of their own: a comment at the end of one hides
//! nothing that is ours. They only ever get into sessions that read.

use super::{Dialect, Rowset};
use crate::{
    canon::{
        comparison::{By, Derivation, Expression, Found, Object, Others, Terms, ValueMap},
        derived::Space,
    },
    model::LogicalType,
};

/// How an engine's SQL writes JSON.
pub trait Objects: Sync {
    /// The JSON of a value as text, and the word `null` of NULL. Whole numbers and others stay such, and so do truth values;
    /// everything else is a string of its text form.
    fn json(&self, value: &str, kind: &LogicalType) -> String;

    /// Texts behind each other, none of which is NULL.
    fn joined(&self, texts: &[String]) -> String {
        texts.join(" || ")
    }
}

/// What stands in the list of a SELECT for a column of which the text form is read; `None` if it is read as it stands.
/// `qualified` is the column in SQL.
pub(super) fn column(dialect: &dyn Dialect, rowset: &Rowset, column: &str, qualified: &str) -> Option<String> {
    let lookup = rowset.terms.lookups.get(column);
    let looked_up = lookup.map(|found| looked_up(dialect, found, qualified));
    let value = looked_up.as_deref().unwrap_or(qualified);
    match (rowset.terms.expressions.get(column), &rowset.terms.query) {
        (Some(Expression::Sql(sql)), _) => Some(dialect.as_text(&format!("(\n{sql}\n)"))),
        (Some(Expression::Derived(Derivation { sql: Some(sql), .. })), _) => {
            Some(dialect.as_text(&format!("(\n{sql}\n)")))
        }
        (Some(Expression::Derived(_)), _) => Some(dialect.as_text(value)),
        (Some(Expression::Constant(text)), _) => Some(dialect.as_text(&dialect.literal(text))),
        (Some(Expression::Values(map)), _) => Some(values(dialect, map, value)),
        (Some(Expression::Object(object)), _) => {
            let before = qualified.strip_suffix(&dialect.quote(column)).unwrap_or_default();
            Some(assembled(dialect, object, before))
        }
        (None, Some(_)) => Some(dialect.as_text(value)),
        (None, None) => looked_up,
    }
}

/// The text of what another table has for a value, which is NULL where it has nothing. Inside, no column of that table has a
/// name that could be taken for one of the value's.
pub fn looked_up(dialect: &dyn Dialect, found: &Found, value: &str) -> String {
    let (key, result) = ("rehearse_l.rehearse_k", dialect.as_text("rehearse_l.rehearse_v"));
    let is_same = || dialect.is_text(&dialect.as_text(key), &dialect.as_text(value));
    let condition = match found.by {
        By::Number => format!("{key} = {value}"),
        By::Both => format!("{key} = {value} AND {}", is_same()),
        By::Text => is_same(),
    };
    let [of_key, of_value] = [&found.key, &found.value].map(|name| dialect.quote(name));
    let table = dialect.table(&found.table);
    format!(
        "(SELECT {result} FROM (SELECT {of_key} AS rehearse_k, {of_value} AS rehearse_v FROM {table}) AS rehearse_l \
         WHERE {condition})"
    )
}

/// The text of an object of JSON; `before` is what stands before the name of a column.
fn assembled(dialect: &dyn Dialect, object: &Object, before: &str) -> String {
    let mut texts = Vec::new();
    for (at, member) in object.members.iter().enumerate() {
        let name = serde_json::Value::from(member.name.as_str());
        texts.push(dialect.literal(&format!("{}{name}:", if at == 0 { '{' } else { ',' })));
        let column = format!("{before}{}", dialect.quote(&member.column));
        let json = dialect.json(&column, &member.kind);
        let is_empty = dialect.is_text(&dialect.as_text(&column), &dialect.literal(""));
        texts.push(match object.nulls_empty {
            true => format!("CASE WHEN {is_empty} THEN {} ELSE {json} END", dialect.literal("null")),
            false => json,
        });
    }
    texts.push(dialect.literal("}"));
    dialect.as_text(&format!("({})", dialect.joined(&texts)))
}

/// By column of a rowset: the space of the UUIDs that its sink gets in place of keys; `None` if there is no such column.
pub(super) fn derived(rowset: &Rowset) -> Option<Vec<Option<Space>>> {
    let space = |column: &String| match rowset.terms.expressions.get(column) {
        Some(Expression::Derived(derivation)) => Some(Space::of(derivation)),
        _ => None,
    };
    let spaces: Vec<_> = rowset.columns.iter().map(space).collect();
    spaces.iter().any(Option::is_some).then_some(spaces)
}

/// What stands behind FROM: a table in SQL, or the query in its place.
pub(super) fn from(rowset: &Rowset, table: String) -> String {
    match &rowset.terms.query {
        Some(query) => format!("(\n{query}\n)"),
        None => table,
    }
}

/// What stands behind the table: conditions, and how many rows are enough.
pub(super) fn tail(rowset: &Rowset) -> String {
    let conditions: Vec<String> = rowset.terms.filters.iter().map(|filter| format!("(\n{}\n)", filter.sql)).collect();
    let mut tail = String::new();
    if !conditions.is_empty() {
        tail = format!(" WHERE {}", conditions.join(" AND "));
    }
    if rowset.terms.first_only {
        tail.push_str(" LIMIT 1");
    }
    tail
}

/// A column's text form with some of its values replaced.
fn values(dialect: &dyn Dialect, map: &ValueMap, column: &str) -> String {
    let text = dialect.as_text(column);
    let cases = map.entries.iter().map(|(source, target, _)| {
        format!(" WHEN {} THEN {}", dialect.is_text(&text, &dialect.literal(source)), dialect.literal(target))
    });
    let cases = cases.collect::<String>();
    match &map.others {
        Others::AsIs | Others::Reject => format!("CASE{cases} ELSE {text} END"),
        Others::Null => format!("CASE{cases} ELSE NULL END"),
        Others::Value(other) => {
            format!("CASE{cases} WHEN {text} IS NULL THEN NULL ELSE {} END", dialect.literal(other))
        }
    }
}

/// The condition that a column's value, or the one that stands in its place, is one entry of its map.
pub fn has_value(dialect: &dyn Dialect, terms: &Terms, column: &str, value: &str) -> String {
    let quoted = dialect.quote(column);
    let column = terms.lookups.get(column).map_or(quoted.clone(), |found| looked_up(dialect, found, &quoted));
    dialect.is_text(&dialect.as_text(&column), &dialect.literal(value))
}
