//! References that nothing declares, inferred from names and types.
//!
//! The criterion: a column is called like another table, in the singular or plural, with `id` behind it (`user_id`,
//! `userId` for `users`), or `parent_id` for its own; it is of the same family of types as that table's key, which is one
//! column; and no declared reference starts from it. Only the rows can tell whether it is one.

use super::{
    Catalogue, LogicalType,
    catalogue::{Column, Reference, Table},
    name::fold,
};

/// The references that names and types suggest.
pub fn references(catalogue: &Catalogue, known: &[Reference]) -> Vec<Reference> {
    let mut found = Vec::new();
    for table in catalogue.tables.values() {
        for column in &table.columns {
            let starts =
                |reference: &Reference| reference.child == table.name && reference.columns.contains(&column.name);
            if known.iter().any(starts) {
                continue;
            }
            found.extend(suggested(catalogue, table, column));
        }
    }
    found
}

/// The reference that a column's name and type suggest.
fn suggested(catalogue: &Catalogue, table: &Table, column: &Column) -> Option<Reference> {
    let word = word(column)?;
    let mut parents = neighbours(catalogue, table).filter(|parent| is_called(parent, table, &word));
    // Where two tables could be meant, neither is.
    let (Some(parent), None) = (parents.next(), parents.next()) else { return None };
    refers(table, column, parent)
}

/// The same, also where the name is that of a table but for a prefix that both tables have (`client_id` among the
/// `oidc_…` for `oidc_clients`), or a shortening of it (`app_id` for `application`, `msg_id` for `message`). Good enough
/// for values that are made up, and not for saying that one is wrong.
pub fn likely(catalogue: &Catalogue, table: &Table, column: &Column) -> Option<Reference> {
    if let Some(reference) = suggested(catalogue, table, column) {
        return Some(reference);
    }
    let word = word(column).filter(|word| word.len() >= 3)?;
    let child = fold(&table.name.name);
    let is_meant = |name: &str| {
        let shared = [&format!("{word}s"), &word].into_iter().find_map(|end| name.strip_suffix(end.as_str()));
        shared.is_some_and(|prefix| child.starts_with(prefix)) || shortens(&word, name)
    };
    let mut parents: Vec<(String, Reference)> = neighbours(catalogue, table)
        .filter(|parent| parent.name != table.name)
        .map(|parent| (fold(&parent.name.name), parent))
        .filter(|(name, _)| is_meant(name))
        .filter_map(|(name, parent)| Some((name, refers(table, column, parent)?)))
        .collect();
    parents.sort_by_key(|(name, _)| name.len());
    match parents.as_slice() {
        [(one, _), (other, _), ..] if one.len() == other.len() => None,
        _ => parents.into_iter().next().map(|(_, reference)| reference),
    }
}

/// Whether a word is a name with letters left out, but not the first.
fn shortens(word: &str, name: &str) -> bool {
    let mut rest = name.chars();
    name.starts_with(&word[..word.chars().next().map_or(0, char::len_utf8)])
        && word.chars().all(|letter| rest.any(|one| one == letter))
}

/// What a column is called before the `id` at its end.
fn word(column: &Column) -> Option<String> {
    fold(&column.name).strip_suffix("id").map(str::to_owned).filter(|word| !word.is_empty())
}

/// The tables that a reference may mean.
fn neighbours<'c>(catalogue: &'c Catalogue, table: &'c Table) -> impl Iterator<Item = &'c Table> {
    catalogue.tables.values().filter(|parent| parent.name.schema == table.name.schema)
}

/// Whether a word is a table's name in the singular or plural.
fn is_called(parent: &Table, child: &Table, word: &str) -> bool {
    let name = fold(&parent.name.name);
    let stem = word.strip_suffix('y').map(|stem| format!("{stem}ies"));
    name == word
        || name == format!("{word}s")
        || name == format!("{word}es")
        || Some(&name) == stem.as_ref()
        || (word == "parent" && parent.name == child.name)
}

fn refers(table: &Table, column: &Column, parent: &Table) -> Option<Reference> {
    let [key] = parent.row_key()? else { return None };
    let is_itself = table.name == parent.name && column.name == *key;
    let alike = family(&column.kind)? == family(&parent.column(key)?.kind)?;
    (alike && !is_itself).then(|| Reference {
        child: table.name.clone(),
        columns: vec![column.name.clone()],
        parent: parent.name.clone(),
        parent_columns: vec![key.clone()],
        match_full: false,
    })
}

/// The family of types in which keys are compared; `None` for what is no key.
fn family(kind: &LogicalType) -> Option<u8> {
    match kind {
        LogicalType::Integer { .. } | LogicalType::Decimal { .. } => Some(0),
        LogicalType::Text { .. } | LogicalType::PaddedText { .. } | LogicalType::Uuid => Some(1),
        LogicalType::Bytes => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        TableName,
        catalogue::{Generation, Key},
    };

    fn table(name: &str, columns: &[(&str, LogicalType)]) -> (TableName, Table) {
        let column = |(name, kind): &(&str, LogicalType)| Column {
            name: (*name).to_owned(),
            declared: kind.to_string(),
            kind: kind.clone(),
            nullable: *name != "id",
            default: None,
            generation: Generation::None,
            collation: None,
        };
        let mut table = Table::empty(TableName::new(name));
        table.columns = columns.iter().map(column).collect();
        table.primary_key = Some(Key { name: None, columns: vec!["id".to_owned()] });
        (table.name.clone(), table)
    }

    #[test]
    fn names_and_types_suggest_a_reference() {
        let (integer, text) = (LogicalType::Integer { bits: 32 }, LogicalType::Text { limit: None });
        let mut catalogue = Catalogue::default();
        catalogue.tables.extend([
            table("users", &[("id", LogicalType::Integer { bits: 64 })]),
            table("city", &[("id", text.clone())]),
            table("categories", &[("id", integer.clone()), ("parent_id", integer.clone())]),
            table(
                "orders",
                &[
                    ("id", integer.clone()),
                    ("userId", integer.clone()),
                    ("city_id", integer.clone()),
                    ("CATEGORY_ID", integer.clone()),
                    ("order_id", integer),
                    ("paid", text),
                ],
            ),
        ]);
        let told: Vec<String> = references(&catalogue, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "categories(parent_id) -> categories(id)",
                "orders(userId) -> users(id)",
                "orders(CATEGORY_ID) -> categories(id)",
                "orders(order_id) -> orders(id)",
            ]
        );
        let known = references(&catalogue, &[]);
        assert_eq!(references(&catalogue, &known), []);
    }

    #[test]
    fn shortenings_are_likely_and_the_shortest_name_is_meant() {
        let text = LogicalType::Text { limit: None };
        let mut catalogue = Catalogue::default();
        let columns = ["id", "app_id", "msg_id", "msg_dest_id", "client_id", "org_id"].map(|name| (name, text.clone()));
        for name in ["application", "message", "message_destination", "oidc_clients", "oidc_tokens"] {
            catalogue.tables.extend([table(name, &columns)]);
        }
        let meant = |child: &str, column: &str| {
            let child = &catalogue.tables[&TableName::new(child)];
            likely(&catalogue, child, child.column(column).unwrap()).map(|reference| reference.parent.name)
        };
        assert_eq!(meant("oidc_tokens", "app_id").as_deref(), Some("application"));
        assert_eq!(meant("oidc_tokens", "msg_id").as_deref(), Some("message"));
        assert_eq!(meant("oidc_tokens", "msg_dest_id").as_deref(), Some("message_destination"));
        assert_eq!(meant("oidc_tokens", "client_id").as_deref(), Some("oidc_clients"));
        assert_eq!(meant("application", "client_id"), None);
        assert_eq!(meant("oidc_tokens", "org_id"), None);
    }
}
