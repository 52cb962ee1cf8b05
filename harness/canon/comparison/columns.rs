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

/// The target's column for a name of the source: the one that is called so, or the only one that folds so. One that has an
/// exact counterpart is nobody else's, and where several could mean one another, nothing is guessed.
pub(super) fn by_name<'a>(source: &Table, target: &'a Table, name: &str) -> Option<&'a Column> {
    let folded = fold(name);
    target.column(name).or_else(|| {
        let mut alike =
            target.columns.iter().filter(|one| fold(&one.name) == folded && source.column(&one.name).is_none());
        let mut rivals = source
            .columns
            .iter()
            .filter(|one| one.name != name && fold(&one.name) == folded && target.column(&one.name).is_none());
        match (alike.next(), alike.next(), rivals.next()) {
            (Some(only), None, None) => Some(only),
            _ => None,
        }
    })
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
        ..Terms::default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TableName;

    fn table(columns: &[&str]) -> Table {
        Table {
            columns: columns.iter().map(|name| text_column(name, "text")).collect(),
            ..Table::empty(TableName::new("t"))
        }
    }

    #[test]
    fn exact_names_come_first_and_nothing_is_guessed() {
        let found = |source: &[&str], target: &[&str], name: &str| {
            let (source, target) = (table(source), table(target));
            by_name(&source, &target, name).map(|column| column.name.clone())
        };
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(found(&["albumId"], &["album_id"], "albumId"), some("album_id"));
        assert_eq!(found(&["userId", "user_id"], &["user_id"], "userId"), None);
        assert_eq!(found(&["userId", "user_id"], &["user_id"], "user_id"), some("user_id"));
        assert_eq!(found(&["userId", "USER_ID"], &["user_id"], "userId"), None);
        assert_eq!(found(&["userId"], &["user_id", "USER_ID"], "userId"), None);
        assert_eq!(found(&["name"], &["title"], "name"), None);
    }
}
