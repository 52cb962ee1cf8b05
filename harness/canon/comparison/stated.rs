//! What a scenario or a mapping file states about how two databases compare, where names and types cannot tell.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::made::{Found, Lookup, Object};
use crate::model::{Side, Sides};

/// Everything that is stated about one pair of databases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Pairs of rowsets.
    pub compare: Vec<Stated>,
    /// Tables and columns that are left out for a reason.
    pub ignore: Vec<Ignored>,
    /// References that nothing declares, and that count like declared ones.
    #[serde(default)]
    pub references: Vec<StatedReference>,
    /// What was asked for, of all that there is.
    pub selection: Selection,
    /// The day by which `until` is judged, as in `2026-11-21`; empty where nothing ends.
    pub today: String,
}

impl From<&[Stated]> for Mapping {
    fn from(stated: &[Stated]) -> Self {
        Self { compare: stated.to_vec(), ..Self::default() }
    }
}

/// Where something is stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    /// The file, or the flag.
    pub file: String,
    /// The line, from 1; 0 where there is none.
    pub line: usize,
    /// The path of keys.
    pub key: String,
}

/// `mapping.toml:12: compare[0].columns.nm`.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = if self.line > 0 { format!(":{}", self.line) } else { String::new() };
        match (self.file.as_str(), self.key.as_str()) {
            ("", "") => f.write_str("[[compare]]"),
            ("", key) => f.write_str(key),
            (file, "") => write!(f, "{file}{line}"),
            (file, key) => write!(f, "{file}{line}: {key}"),
        }
    }
}

/// What is stated about one pair of rowsets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The source's table, or the name of its query.
    pub source: String,
    /// The target's table, or the name of its query.
    pub target: String,
    /// By source column (or the name of an expression): what is stated about it.
    pub columns: BTreeMap<String, StatedColumn>,
    /// Only rows for which this holds are compared.
    #[serde(default)]
    pub filters: Sides<Option<Condition>>,
    /// A query in place of a table.
    #[serde(default)]
    pub queries: Sides<Option<String>>,
    /// The source's columns that name one row, in place of the catalogue's key.
    #[serde(default)]
    pub key: Vec<String>,
    /// It follows from what a copy does.
    #[serde(default)]
    pub is_copied: bool,
    /// The target's table of the rows that the copy rejected.
    #[serde(default)]
    pub rejects: Option<String>,
    /// Where it is stated.
    #[serde(default)]
    pub at: At,
}

/// A condition in the SQL of its side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The condition.
    pub sql: String,
    /// Where it is stated.
    pub at: At,
}

/// What is stated about one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedColumn {
    /// The target's column, where the names do not match.
    pub target: Option<String>,
    /// The common type, by its word ([`super::super::Rule::named`]).
    pub rule: Option<String>,
    /// What is read in place of the column.
    #[serde(default)]
    pub expressions: Sides<Option<Expression>>,
    /// The table that has another value for the column's, which stands in its place before anything else is made of it.
    #[serde(default)]
    pub lookup: Option<Lookup>,
    /// Why it is not compared, where it is not.
    #[serde(default)]
    pub left_out: Option<Reason>,
    /// Why it has no counterpart, where it was left behind on purpose.
    #[serde(default)]
    pub dropped: Option<String>,
    /// Where it is stated.
    #[serde(default)]
    pub at: At,
}

/// What is read in place of a column. It is read in its text form, for nobody says which type it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// SQL of the side.
    Sql(String),
    /// The column with some of its values replaced by others.
    Values(ValueMap),
    /// The same text in every row.
    Constant(String),
    /// The UUID that follows from the column's text.
    Derived(Derivation),
    /// An object of JSON of several columns.
    Object(Object),
}

/// Which value stands for which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueMap {
    /// The source's value in its text form, the target's, and where that is stated.
    pub entries: Vec<(String, String, At)>,
    /// What stands for values that the map does not name. NULL is none.
    pub others: Others,
}

/// What stands for values that a map does not name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// They themselves.
    #[default]
    AsIs,
    /// NULL.
    Null,
    /// One value for all of them.
    Value(String),
    /// Nothing: their rows are rejected by the copy, and compared as they are.
    Reject,
}

/// From what UUIDs follow, besides a key ([`super::super::derived`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivation {
    /// The system.
    pub system: String,
    /// The table whose key it is, by whatever name.
    pub table: String,
    /// What gives the key, where not the column itself does: SQL of the source.
    #[serde(default)]
    pub sql: Option<String>,
}

/// Why something is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Why, with the word of its kind: `ignored: filled by a trigger`.
    pub why: String,
    /// The last day on which that holds, as in `2027-01-01`.
    pub until: Option<String>,
}

impl Reason {
    /// Whether it holds no longer on a day.
    pub fn has_ended(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| !today.is_empty() && until < today)
    }
}

/// A table or a column that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// Whose it is.
    pub side: Side,
    /// The table; `*` and `?` stand for anything.
    pub table: String,
    /// The column; without one, the whole table.
    pub column: Option<String>,
    /// Why.
    pub reason: Reason,
    /// Where it is stated.
    pub at: At,
}

/// A reference that no catalogue declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedReference {
    /// Whose tables it names; its rows are looked at in the target in either case.
    pub side: Side,
    /// What refers.
    pub child: ReferenceEnd,
    /// What it refers to, column by column.
    pub parent: ReferenceEnd,
    /// Why it is one, in words.
    pub why: String,
    /// Where it is stated.
    pub at: At,
}

/// One end of a reference, as in `orders(user_id)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceEnd {
    /// The table.
    pub table: String,
    /// Its columns, one at the least.
    pub columns: Vec<String>,
}

impl FromStr for ReferenceEnd {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inside = text.trim().strip_suffix(')').and_then(|text| text.rsplit_once('('));
        let (table, columns) = inside.ok_or("is no table with columns")?;
        let columns: Vec<String> = columns.split(',').map(|column| column.trim().to_owned()).collect();
        if table.trim().is_empty() || columns.iter().any(String::is_empty) {
            return Err("names no table or no column");
        }
        Ok(Self { table: table.trim().to_owned(), columns })
    }
}

/// What was asked for, of all that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only these tables, by name or pattern; all, if there is none.
    pub tables: Vec<String>,
    /// Not these tables.
    pub exclude: Vec<String>,
    /// Only rows for which a condition holds: the table and the condition, for both sides.
    pub conditions: Vec<(String, String)>,
}

/// How the rows of one side are read, where that is not every row of a table as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// A query in place of the table.
    pub query: Option<String>,
    /// Only rows for which all of this holds.
    pub filters: Vec<Condition>,
    /// By column: what is read in its place.
    pub expressions: BTreeMap<String, Expression>,
    /// By column: which table has the value that stands in its place.
    pub lookups: BTreeMap<String, Found>,
    /// One row is enough.
    pub first_only: bool,
}

impl Terms {
    /// Whether every row of a table is read as it stands.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a name fits a pattern, in which `*` stands for anything and `?` for one character; letters' case is no matter.
pub fn fits(name: &str, pattern: &str) -> bool {
    fn rest(name: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', more)) => (0..=name.len()).any(|skip| rest(&name[skip..], more)),
            Some(('?', more)) => !name.is_empty() && rest(&name[1..], more),
            Some((letter, more)) => name.first() == Some(letter) && rest(&name[1..], more),
        }
    }
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<char>>();
    rest(&letters(name), &letters(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (name, pattern) in
            [("users", "users"), ("users", "Use*"), ("audit.log", "audit.*"), ("t1", "t?"), ("", "*")]
        {
            assert!(fits(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("users", "user"), ("t12", "t?"), ("user", "users*"), ("a", "")] {
            assert!(!fits(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn ends_of_references_are_tables_with_columns() {
        let end: ReferenceEnd = "in.ner.orders( user_id,n )".parse().unwrap();
        assert_eq!((end.table.as_str(), end.columns), ("in.ner.orders", vec!["user_id".to_owned(), "n".to_owned()]));
        for wrong in ["orders", "orders()", "(id)", "orders(id", "orders(a,,b)", ""] {
            assert!(wrong.parse::<ReferenceEnd>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn reasons_end_after_their_last_day() {
        let reason = Reason { why: String::new(), until: Some("2026-11-21".to_owned()) };
        assert!(!reason.has_ended("2026-11-21") && reason.has_ended("2026-11-22") && !reason.has_ended(""));
    }
}
