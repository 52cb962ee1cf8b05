//! Columns that foreign keys tie together get one type.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{Asked, TEXT};
use crate::model::{Catalogue, LogicalType, TableName};

/// A column of a table.
pub(super) type Place = (TableName, String);

/// Gives all columns that are tied by foreign keys, directly or by way of others, the first type that holds the values of
/// each of them. Where there is none, they keep their own; a counter always does.
pub(super) fn unify(source: &Catalogue, asked: &BTreeMap<Place, Asked<'_>>, kinds: &mut BTreeMap<Place, LogicalType>) {
    let children: BTreeSet<Place> = source.references().flat_map(|one| places(&one.child, &one.columns)).collect();
    for group in groups(source, asked) {
        let mut members: Vec<(&Place, &Asked<'_>)> =
            group.iter().filter_map(|place| asked.get_key_value(place)).collect();
        // Who holds something is heard before who holds nothing, and who refers to nobody before who does.
        members.sort_by_key(|(place, asked)| (asked.content.values() == 0, children.contains(*place)));
        if members.windows(2).all(|pair| comparable(&kinds[pair[0].0], &kinds[pair[1].0])) {
            continue;
        }
        let is_counter = |asked: &Asked<'_>| asked.column.generation.is_counter();
        if members.iter().any(|(_, asked)| is_counter(asked)) {
            let integer = LogicalType::Integer { bits: 64 };
            for (place, _) in members.iter().filter(|(_, asked)| asked.fits(&integer)) {
                kinds.insert((*place).clone(), integer.clone());
            }
            continue;
        }
        let declared = members.iter().flat_map(|(_, asked)| asked.declared());
        let wanted = declared.chain(members.iter().flat_map(|(_, asked)| asked.preferences()));
        let wanted = wanted.map(|kind| if comparable(&kind, &TEXT) { TEXT } else { kind });
        let common = wanted.into_iter().find(|kind| members.iter().all(|(_, asked)| asked.fits(kind)));
        for (place, _) in &members {
            if let Some(kind) = &common {
                kinds.insert((*place).clone(), kind.clone());
            }
        }
    }
}

/// Whether a foreign key can tie columns of these types.
pub(super) fn comparable(one: &LogicalType, other: &LogicalType) -> bool {
    let are_texts = matches!((one, other), (LogicalType::Text { .. }, LogicalType::Text { .. }));
    let are_decimals = matches!((one, other), (LogicalType::Decimal { .. }, LogicalType::Decimal { .. }));
    one == other || are_texts || are_decimals
}

/// Columns of a table as places.
pub(super) fn places(table: &TableName, columns: &[String]) -> Vec<Place> {
    columns.iter().map(|column| (table.clone(), column.clone())).collect()
}

/// Columns that are tied together.
fn groups(source: &Catalogue, asked: &BTreeMap<Place, Asked<'_>>) -> Vec<Vec<Place>> {
    let mut groups: Vec<Vec<Place>> = Vec::new();
    for reference in source.references() {
        for (column, parent_column) in reference.columns.iter().zip(&reference.parent_columns) {
            let tied = [(reference.parent.clone(), parent_column.clone()), (reference.child.clone(), column.clone())];
            if !tied.iter().all(|place| asked.contains_key(place)) {
                continue;
            }
            let (touched, rest): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| tied.iter().any(|place| group.contains(place)));
            groups = rest;
            let mut merged: Vec<Place> = Vec::new();
            for place in tied.into_iter().chain(touched.into_iter().flatten()) {
                if !merged.contains(&place) {
                    merged.push(place);
                }
            }
            groups.push(merged);
        }
    }
    groups
}
