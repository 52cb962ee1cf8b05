//! References that nothing declares, inferred from names, types and values.
//!
//! The criterion: a column is called like another table, in the singular or plural, with `id` behind it (`user_id`,
//! `userId` for `users`), or `parent_id` for its own; it is of the same family of types as that table's key, which is one
//! column; no declared reference starts from it; and at least nine of ten of its values are found there. What is found so
//! is shown as inferred and does not change the verdict, until somebody states the reference: then it counts like a declared one.

use super::{count, finding};
use crate::{
    check::{CheckContext, Examined},
    engine::EngineError,
    model::{
        Catalogue, FindingKind, LogicalType, Severity, Side,
        catalogue::{Column, Reference, Table},
        name::fold,
    },
};

/// Of so many values of a column, all but one must be found in the parent for a reference to be inferred.
const ONE_OF: u64 = 10;

/// The references that names and types suggest.
pub(super) fn candidates(catalogue: &Catalogue, known: &[Reference]) -> Vec<Reference> {
    let mut found = Vec::new();
    for table in catalogue.tables.values() {
        for column in &table.columns {
            let starts =
                |reference: &Reference| reference.child == table.name && reference.columns.contains(&column.name);
            if known.iter().any(starts) {
                continue;
            }
            let Some(word) = fold(&column.name).strip_suffix("id").map(str::to_owned).filter(|word| !word.is_empty())
            else {
                continue;
            };
            let parents = catalogue.tables.values().filter(|parent| parent.name.schema == table.name.schema);
            let mut parents = parents.filter(|parent| is_called(parent, table, &word));
            // Where two tables could be meant, neither is.
            let (Some(parent), None) = (parents.next(), parents.next()) else { continue };
            found.extend(refers(table, column, parent));
        }
    }
    found
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

/// Asks the rows whether a candidate is a reference, and which of them dangle then.
pub(super) async fn examine(
    cx: &mut CheckContext<'_>,
    reference: &Reference,
    examined: &mut Examined,
) -> Result<(), EngineError> {
    for table in [&reference.child, &reference.parent] {
        if cx.is_empty(Side::Target, table) || cx.unreadable(Side::Target, table).is_some() {
            return Ok(());
        }
    }
    let dialect = cx.readers.engine(Side::Target).dialect();
    let sql = format!("SELECT count({}) FROM {}", dialect.columns(&reference.columns), dialect.table(&reference.child));
    let answer = cx.readers.side(Side::Target)?.query(&sql).await;
    let Some(answer) = cx.answered(Side::Target, &reference.child, answer, examined).await? else { return Ok(()) };
    let given = answer.into_iter().flatten().next().flatten().and_then(|count| count.parse::<u64>().ok());
    let Some(counted) = count(cx, reference, examined).await? else { return Ok(()) };
    let given = given.unwrap_or_default();
    if counted.total > 0 && counted.total * ONE_OF <= given {
        let parent = format!("a row of {}({}), inferred", reference.parent, reference.parent_columns.join(", "));
        let found = format!("none, where {} of {given} values find one", given - counted.total.min(given));
        let finding = finding(cx, FindingKind::OrphanInferred, reference, &counted).because(parent, found);
        examined.findings.push(finding.at(Severity::Warning));
    }
    Ok(())
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
        let told: Vec<String> = candidates(&catalogue, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "categories(parent_id) -> categories(id)",
                "orders(userId) -> users(id)",
                "orders(CATEGORY_ID) -> categories(id)",
                "orders(order_id) -> orders(id)",
            ]
        );
        let known = candidates(&catalogue, &[]);
        assert_eq!(candidates(&catalogue, &known), []);
    }
}
