//! What is stated about a rowset, in SQL.
//!
//! Fragments that a user states stand in brackets of their own, on lines of their own: a comment at the end of one hides
//! nothing that is ours. They only ever get into sessions that read.

use super::{Dialect, Rowset};
use crate::canon::{
    comparison::{Derivation, Expression, Others, ValueMap},
    derived::Space,
};

/// What stands in the list of a SELECT for a column of which the text form is read; `None` if it is read as it stands.
/// `qualified` is the column in SQL.
pub(super) fn column(dialect: &dyn Dialect, rowset: &Rowset, column: &str, qualified: &str) -> Option<String> {
    match (rowset.terms.expressions.get(column), &rowset.terms.query) {
        (Some(Expression::Sql(sql)), _) => Some(dialect.as_text(&format!("(\n{sql}\n)"))),
        (Some(Expression::Derived(Derivation { sql: Some(sql), .. })), _) => {
            Some(dialect.as_text(&format!("(\n{sql}\n)")))
        }
        (Some(Expression::Derived(_)), _) => Some(dialect.as_text(qualified)),
        (Some(Expression::Constant(text)), _) => Some(dialect.as_text(&dialect.literal(text))),
        (Some(Expression::Values(map)), _) => Some(values(dialect, map, qualified)),
        (None, Some(_)) => Some(dialect.as_text(qualified)),
        (None, None) => None,
    }
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

/// The condition that a column's value is one entry of its map.
pub fn has_value(dialect: &dyn Dialect, column: &str, value: &str) -> String {
    dialect.is_text(&dialect.as_text(&dialect.quote(column)), &dialect.literal(value))
}
