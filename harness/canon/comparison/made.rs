//! Values that a mapping makes of several columns or tables: objects of JSON, and what another table has for a key.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Unmet,
    stated::{At, Expression, Stated, Terms},
};
use crate::model::{
    Catalogue, LogicalType, TableName,
    catalogue::{Column, Table},
};

/// An object of JSON that is put together from columns of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its members, in order.
    pub members: Vec<Member>,
    /// Whether texts without a character are null in it.
    #[serde(default)]
    pub nulls_empty: bool,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The source's column.
    pub column: String,
    /// What the column holds, once that is known.
    pub kind: LogicalType,
    /// Where it is stated.
    pub at: At,
}

/// Another table of the source that has a value for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The table.
    pub table: String,
    /// Its column that a value is looked for in.
    pub key: String,
    /// Its column of the row that is found.
    pub value: String,
    /// Where it is stated.
    pub at: At,
}

/// A lookup whose table was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The table.
    pub table: TableName,
    /// Its column that a value is looked for in.
    pub key: String,
    /// Its column of the row that is found.
    pub value: String,
    /// How values and keys compare.
    pub by: By,
}

/// How values and keys compare. They are the same where their texts are, byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Both are whole numbers, and as that.
    Number,
    /// Both are of one type, whose own comparison (and index) finds no fewer than are the same.
    Both,
    /// By their texts.
    Text,
}

impl Object {
    /// Whether JSON has a form of what a column holds, on which all engines agree.
    pub const fn takes(kind: &LogicalType) -> bool {
        use LogicalType as T;
        matches!(
            kind,
            T::Boolean
                | T::Integer { .. }
                | T::Decimal { .. }
                | T::Float32
                | T::Float64
                | T::Text { .. }
                | T::PaddedText { .. }
                | T::Uuid
                | T::Date
                | T::Time
                | T::Timestamp
                | T::TimestampTz
                | T::Json { .. }
                | T::Enum { .. }
                | T::Set { .. }
                | T::Any
        )
    }

    fn has(&self, column: &str) -> bool {
        self.members.iter().any(|member| member.column == column)
    }
}

impl Found {
    /// A lookup by a column.
    pub fn of(lookup: &Lookup, table: &Table, column: &Column) -> Self {
        use LogicalType as T;
        let by = match table.column(&lookup.key).map(|key| (key, &key.kind, &column.kind)) {
            Some((_, T::Integer { .. }, T::Integer { .. })) => By::Number,
            Some((key, T::Text { .. }, T::Text { .. })) if key.collation == column.collation => By::Both,
            Some((_, T::Uuid, T::Uuid)) => By::Both,
            _ => By::Text,
        };
        Self { table: table.name.clone(), key: lookup.key.clone(), value: lookup.value.clone(), by }
    }
}

impl Terms {
    /// Whether something else is read in a column's place.
    pub fn makes(&self, column: &str) -> bool {
        self.expressions.contains_key(column) || self.lookups.contains_key(column)
    }

    /// Whether a column is a member of an object.
    pub fn assembles(&self, column: &str) -> bool {
        self.objects().any(|object| object.has(column))
    }

    fn objects(&self) -> impl Iterator<Item = &Object> {
        self.expressions.values().filter_map(|expression| match expression {
            Expression::Object(object) => Some(object),
            _ => None,
        })
    }
}

/// Completes what is read of the source by what its catalogue knows, which has also the tables that are left out of the
/// comparison. Gives the columns that are members of objects, and what names nothing.
pub(super) fn complete(
    terms: &mut Terms,
    stated: &Stated,
    source: &Table,
    catalogue: &Catalogue,
) -> (BTreeSet<String>, Vec<Unmet>) {
    let (mut members, mut problems) = (BTreeSet::new(), Vec::new());
    let mut unknown = |at: &At, what: String, name: &str, known: Vec<String>| {
        problems.push(Unmet { at: at.clone(), what, name: name.to_owned(), known });
    };
    let names = |table: &Table| table.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    for expression in terms.expressions.values_mut() {
        let Expression::Object(object) = expression else { continue };
        for member in &mut object.members {
            match source.column(&member.column) {
                Some(column) => {
                    member.kind = column.kind.clone();
                    members.insert(member.column.clone());
                }
                None => {
                    let what = format!("source column of `{}`", source.name);
                    unknown(&member.at, what, &member.column, names(source));
                }
            }
        }
    }
    for (name, column) in &stated.columns {
        let (Some(lookup), Some(by)) = (&column.lookup, source.column(name)) else { continue };
        let Some(table) = catalogue.tables.values().find(|table| table.name.to_string() == lookup.table) else {
            let known = catalogue.tables.keys().map(ToString::to_string).collect();
            unknown(&lookup.at, "source table".to_owned(), &lookup.table, known);
            continue;
        };
        let wanted: Vec<&String> =
            [&lookup.key, &lookup.value].into_iter().filter(|name| table.column(name).is_none()).collect();
        for name in &wanted {
            unknown(&lookup.at, format!("source column of `{}`", table.name), name, names(table));
        }
        if wanted.is_empty() {
            terms.lookups.insert(name.clone(), Found::of(lookup, table, by));
        }
    }
    (members, problems)
}
