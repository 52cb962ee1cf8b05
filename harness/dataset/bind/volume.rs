//! How many rows each table gets, and in which order tables are filled.

use std::collections::BTreeMap;

use crate::{
    dataset::{Dataset, Volume, draw::ROW_LIMIT},
    document::{Place, Problem, Problems},
    model::{Catalogue, TableName, catalogue::Table},
};

/// The rows of each table that gets some.
pub fn rows<'d>(
    dataset: &'d Dataset,
    catalogue: &Catalogue,
    volume: &Volume,
    problems: &mut Problems,
) -> BTreeMap<&'d TableName, u64> {
    let mut rows: BTreeMap<&TableName, u64> = dataset
        .tables
        .iter()
        .map(|form| (&form.name.value, (form.rows as f64 * volume.scale).round() as u64))
        .collect();
    for (name, on_top) in volume.rows.map(|all| share_out(dataset, all, problems)).unwrap_or_default() {
        *rows.entry(name).or_default() += on_top;
    }
    for form in &dataset.tables {
        let count = rows[&form.name.value];
        if count >= ROW_LIMIT {
            let message = format!("{count} rows are more than a table can get");
            problems.add(Problem::new(&form.name.place, message).expected(format!("fewer than {ROW_LIMIT}")));
        }
        let table = catalogue.tables.get(&form.name.value);
        if let Some(reason) = table.and_then(|table| table.unreadable.as_ref()).filter(|_| count > 0) {
            problems.add(Problem::new(&form.name.place, format!("`{}` takes no rows: {reason}", form.name.value)));
        }
    }
    rows
}

/// Shares rows out by weight, to the last row: what rounding down leaves over goes to the largest remainders.
fn share_out<'d>(dataset: &'d Dataset, all: u64, problems: &mut Problems) -> Vec<(&'d TableName, u64)> {
    let total: f64 = dataset.tables.iter().map(|form| form.weight).sum();
    if total <= 0.0 {
        if all > 0 {
            let message = "no table has a weight, so rows cannot be put on top";
            problems.add(Problem::new(&Place::unwritten(""), message).expected("`weight` in at least one table"));
        }
        return Vec::new();
    }
    let exact = dataset.tables.iter().map(|form| (&form.name.value, all as f64 * form.weight / total));
    let mut shares: Vec<(&TableName, u64, f64)> =
        exact.map(|(name, exact)| (name, exact.floor() as u64, exact.fract())).collect();
    let shared: u64 = shares.iter().map(|(_, rows, _)| rows).sum();
    shares.sort_by(|x, y| y.2.total_cmp(&x.2).then(x.0.cmp(y.0)));
    for share in shares.iter_mut().take(all.saturating_sub(shared) as usize) {
        share.1 += 1;
    }
    shares.into_iter().map(|(name, rows, _)| (name, rows)).collect()
}

/// Tables with parents before children, also where only the dataset says what refers to what. In a cycle, the table comes
/// first whose references to the rest of the cycle may all be NULL.
pub fn order<'c>(catalogue: &'c Catalogue, stated: &[(&TableName, &TableName)]) -> Vec<&'c Table> {
    let mut left: Vec<&Table> = catalogue.tables.values().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |table: &Table, for_nullable: bool| {
            let waits_as_stated = for_nullable
                && stated.iter().any(|(child, parent)| {
                    **child == table.name && child != parent && left.iter().any(|other| other.name == **parent)
                });
            waits_as_stated
                || table.foreign_keys.iter().any(|key| {
                    let nullable =
                        key.columns.iter().any(|name| table.column(name).is_some_and(|column| column.nullable));
                    key.parent != table.name
                        && (for_nullable || !nullable)
                        && left.iter().any(|other| other.name == key.parent)
                })
        };
        let first = [true, false]
            .into_iter()
            .find_map(|for_nullable| left.iter().position(|table| !waits(table, for_nullable)))
            .unwrap_or(0);
        order.push(left.remove(first));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_on_top_are_shared_out_to_the_last_one() {
        let text = "format_version = 1\n[table.a]\nrows = 5\nweight = 1\n[table.b]\nweight = 2.0\n[table.c]\nrows = 3";
        let dataset = Dataset::parse("dataset.toml", text).unwrap();
        let mut problems = Problems::new("");
        let count = |volume: Volume, problems: &mut Problems| -> Vec<u64> {
            rows(&dataset, &Catalogue::default(), &volume, problems).into_values().collect()
        };
        assert_eq!(count(Volume { scale: 1.0, rows: Some(100) }, &mut problems), [38, 67, 3]);
        assert_eq!(count(Volume { scale: 2.5, rows: None }, &mut problems), [13, 0, 8]);
        assert!(problems.is_empty());
    }
}
