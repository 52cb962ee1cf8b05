//! References that are stated: what no catalogue declares and somebody answers for.

use super::{
    Derived, Unmet,
    stated::{At, Mapping, ReferenceEnd, StatedReference},
};
use crate::model::{Catalogue, Sides, TableName, catalogue::Reference};

/// Finds the tables and columns of every stated reference; one that names what is not there is told as that.
pub(super) fn resolve_all(catalogues: &Sides<Catalogue>, mapping: &Mapping, derived: &mut Derived) {
    for one in &mapping.references {
        let catalogue = catalogues.get(one.side);
        let ends = [&one.child, &one.parent].map(|end| found(catalogue, end, one, derived));
        let [Some(child), Some(parent)] = ends else { continue };
        let (columns, parent_columns) = (one.child.columns.clone(), one.parent.columns.clone());
        let reference = Reference { child, columns, parent, parent_columns, match_full: false };
        derived.references.get_mut(one.side).push((reference, one.why.clone()));
    }
}

/// The table of one end, if it has the columns; `None`, and told, if there is no such thing, and `None` alone if the table was
/// left out on purpose.
fn found(catalogue: &Catalogue, end: &ReferenceEnd, one: &StatedReference, derived: &mut Derived) -> Option<TableName> {
    let mut unmet = |at: &At, what: String, name: &str, known: Vec<String>| {
        derived.problems.push(Unmet { at: at.clone(), what, name: name.to_owned(), known });
    };
    let Some(table) = catalogue.tables.values().find(|table| table.name.to_string() == end.table) else {
        if !derived.left_out.iter().any(|out| out.subject == format!("{} {}", one.side, end.table)) {
            let known = catalogue.tables.keys().map(ToString::to_string).collect();
            unmet(&one.at, format!("{} table", one.side), &end.table, known);
        }
        return None;
    };
    let missing: Vec<&String> = end.columns.iter().filter(|column| table.column(column).is_none()).collect();
    for column in &missing {
        let known = table.columns.iter().map(|one| one.name.clone()).collect();
        unmet(&one.at, format!("{} column of `{}`", one.side, end.table), column, known);
    }
    missing.is_empty().then(|| table.name.clone())
}
