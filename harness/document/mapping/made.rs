//! Reads what is made of several columns or tables: `json` and `lookup`.

use super::{
    super::{Fields, Problem},
    compare::{Of, Reader, sql},
};
use crate::{
    canon::comparison::{Lookup, Member, Object},
    model::LogicalType,
};

impl Reader<'_> {
    /// `json = { az = "name_az", en = "name_en" }`: an object of JSON with these members of these columns.
    pub(super) fn object(&self, fields: &mut Fields<'_>, of: Of) -> Option<Object> {
        if of != Of::Copy {
            return None;
        }
        let empty = fields.optional_one_of("empty_texts", "treatment of empty texts", &["as_is", "null"]);
        let written = !fields.present(&["json"]).is_empty();
        if let (Some(empty), false) = (&empty, written) {
            let problem = Problem::new(&empty.place, "is said of no JSON");
            fields.problem(problem.expected("`json` beside it"));
        }
        let mut table = fields.table("json")?;
        let named = table.named();
        if named.is_empty() {
            let problem = Problem::new(table.place(), "has no member");
            table.problem(problem.expected("names of members and the source's columns, as in { en = \"name_en\" }"));
            return None;
        }
        let member = |(name, entry): (crate::document::Located<String>, crate::document::Entry<'_>)| {
            let column = entry.str()?.value;
            Some(Member { name: name.value, column, kind: LogicalType::Any, at: self.at(&name.place) })
        };
        let members = named.into_iter().filter_map(member).collect();
        Some(Object { members, nulls_empty: empty.is_some_and(|word| word.value == "null") })
    }

    /// `lookup = { table = "units", key = "code", value = "id" }`: what another table has for the column's value.
    pub(super) fn lookup(&self, fields: &mut Fields<'_>, of: Of) -> Option<Lookup> {
        if of != Of::Copy {
            return None;
        }
        let mut inner = fields.table("lookup")?;
        let at = self.at(inner.place());
        let [table, key, value] = [
            ("table", "a table of the source"),
            ("key", "the table's column that the value is looked for in"),
            ("value", "the table's column that stands in its place"),
        ]
        .map(|(key, expected)| {
            inner.required(key, expected)?;
            sql(&mut inner, key, expected).map(|written| written.value)
        });
        inner.finish();
        Some(Lookup { table: table?, key: key?, value: value?, at })
    }
}
