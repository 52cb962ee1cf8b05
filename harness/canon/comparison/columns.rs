//! How columns go together: by name, by key, and by what is read in their place.

use super::{
    ColumnPair,
    stated::{Expression, Stated, StatedColumn, Terms},
};
use crate::model::{
    LogicalType, Side,
    catalogue::{Column, Generation, Table},
    name::fold,
};

/// A column by its name, or by the folded name.
pub(super) fn by_name<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.column(name).or_else(|| table.columns.iter().find(|other| fold(&other.name) == fold(name)))
}

/// A column of which the text form is read.
pub(super) fn text_column(name: &str, declared: &str) -> Column {
    Column {
        name: name.to_owned(),
        declared: declared.to_owned(),
        kind: LogicalType::Text { limit: None },
        nullable: true,
        default: None,
        generation: Generation::None,
        collation: None,
    }
}

/// How the rows of one side are read.
pub(super) fn terms(side: Side, stated: Option<&Stated>) -> Terms {
    let Some(stated) = stated else { return Terms::default() };
    let expression = |(name, column): (&String, &StatedColumn)| -> Option<(String, Expression)> {
        let expression = column.expressions.get(side).clone()?;
        let name = match side {
            Side::Source => name.clone(),
            Side::Target => column.target.clone().unwrap_or_else(|| name.clone()),
        };
        Some((name, expression))
    };
    Terms {
        query: stated.queries.get(side).clone(),
        filters: stated.filters.get(side).iter().cloned().collect(),
        expressions: stated.columns.iter().filter_map(expression).collect(),
        first_only: false,
    }
}

/// The positions of a key that names one row on both sides and whose columns can be compared.
pub(super) fn common_key(source: &Table, target: &Table, columns: &[ColumnPair]) -> Vec<usize> {
    let positions = |key: &[String], name: fn(&ColumnPair) -> &str| {
        key.iter()
            .map(|wanted| columns.iter().position(|pair| name(pair) == wanted && pair.rule.is_ok()))
            .collect::<Option<Vec<usize>>>()
    };
    let of_source = source.row_key().and_then(|key| positions(key, |pair| &pair.source.name));
    let of_target = target.row_key().and_then(|key| positions(key, |pair| &pair.target.name));
    // The target's key is as good where the source has none (SQLite's TEXT PRIMARY KEY may hold NULL): rows whose key
    // is doubled on one side are paired as a multiset.
    of_source.or(of_target).unwrap_or_default()
}
