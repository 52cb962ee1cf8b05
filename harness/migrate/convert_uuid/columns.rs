//! Which columns change: the key, and whatever follows it by foreign keys.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::settings::{ColumnName, Settings};
use crate::{
    engine::retype::{Attached, Lookup},
    model::{Catalogue, LogicalType},
};

/// A column that changes, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Converted {
    /// Its name.
    pub name: ColumnName,
    /// Its type as declared.
    pub declared: String,
    /// Its type in words.
    pub kind: LogicalType,
    /// Its default's expression.
    pub default: Option<String>,
    /// The name of the second column.
    pub temporary: String,
    /// The columns that name a row of its table.
    pub row_key: Vec<String>,
    /// Every value is spelled as the engine spells UUIDs, so that a UUID tells its text.
    pub is_plain: bool,
    /// How the server found rows by it.
    #[serde(flatten)]
    pub lookup: Lookup,
    /// What hangs on it.
    pub attached: Vec<Attached>,
}

/// The key first, then every column that refers to it, directly or by another one, in the order of their names.
///
/// # Errors
/// If a column that is named is not there.
pub(super) fn following(catalogue: &Catalogue, settings: &Settings) -> Result<Vec<ColumnName>, String> {
    let is_there =
        |name: &ColumnName| catalogue.tables.get(&name.table).is_some_and(|table| table.column(&name.column).is_some());
    for name in [&settings.key].into_iter().chain(&settings.references) {
        if !is_there(name) {
            return Err(format!("there is no column {name}"));
        }
    }
    let mut found: BTreeSet<ColumnName> = settings.references.iter().cloned().collect();
    let mut frontier = vec![settings.key.clone()];
    frontier.extend(found.iter().cloned());
    while let Some(parent) = frontier.pop() {
        for reference in catalogue.references().filter(|reference| reference.parent == parent.table) {
            let pairs = reference.columns.iter().zip(&reference.parent_columns);
            for (column, _) in pairs.filter(|(_, of_parent)| **of_parent == parent.column) {
                let child = ColumnName { table: reference.child.clone(), column: column.clone() };
                if child != settings.key && found.insert(child.clone()) {
                    frontier.push(child);
                }
            }
        }
    }
    found.remove(&settings.key);
    Ok([settings.key.clone()].into_iter().chain(found).collect())
}

/// A name for a second column that no other column of its table has, within an identifier's 63 bytes.
pub(super) fn temporary(catalogue: &Catalogue, name: &ColumnName) -> String {
    let stem: String = name.column.chars().take(12).collect();
    let is_taken =
        |candidate: &str| catalogue.tables.get(&name.table).is_some_and(|table| table.column(candidate).is_some());
    let mut candidates = std::iter::once(format!("{stem}_uuid")).chain((1..).map(|n: u32| format!("{stem}_uuid_{n}")));
    candidates.find(|candidate| !is_taken(candidate)).unwrap_or_else(|| unreachable!("names do not end"))
}
