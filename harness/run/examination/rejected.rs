//! Rows that a copy rejected, and named in a table of the target's: they are in the source, not in the target, and no difference.

use serde_json::{Map, Value as Json};

use crate::{
    canon::{
        Cell, RowSink,
        comparison::{Comparison, Condition, Derived},
    },
    check::Readers,
    engine::{Dialect, Rowset},
    model::{Catalogue, LogicalType, Side, Unchecked, chain},
};

/// Rows that are set aside at most; where there are more, all are told as missing.
const AT_MOST: usize = 10_000;

/// Sets them aside, and tells that.
///
/// # Errors
/// If a side cannot be asked, or the table names rows that are not there.
pub(super) async fn set_aside(derived: &mut Derived, readers: &mut Readers) -> Result<(), String> {
    let Derived { comparisons, rows_only, catalogues, left_out, waivers, .. } = derived;
    for one in comparisons.iter_mut().chain(rows_only).filter(|one| one.rejects.is_some()) {
        let named = named(one, readers).await?;
        if named.is_empty() || named.len() > AT_MOST {
            continue;
        }
        let dialect = readers.engine(Side::Source).dialect();
        let Some(sql) = condition(one, &named, &catalogues.source, dialect) else { continue };
        let mut rowset = Rowset::of(one.source.clone(), Vec::new());
        rowset.terms.filters = vec![Condition { sql: sql.clone(), at: one.at.clone() }];
        let session = readers.side(Side::Source).map_err(|error| chain(&error))?;
        let there = session.scan(&rowset, &mut Rows).await.map_err(|error| chain(&error))?;
        let table = one.rejects.as_deref().unwrap_or_default();
        if there != named.len() as u64 {
            return Err(format!(
                "`{table}` names {} rejected rows of `{}`, of which {there} are there",
                named.len(),
                one.source
            ));
        }
        let sql = format!("(\n{sql}\n) IS NOT TRUE");
        one.terms.source.filters.push(Condition { sql, at: one.at.clone() });
        let subject = format!("source {} ({there} rejected rows)", one.source);
        let why = format!("the copy rejected them, and `{table}` names each with the reason ({})", one.at);
        waivers.insert(subject.clone(), why.clone());
        left_out.push(Unchecked::new("row", subject, why));
    }
    Ok(())
}

struct Rows;

impl RowSink for Rows {
    fn cell(&mut self, _: usize, _: Cell<'_>) {}

    fn end_row(&mut self) -> std::ops::ControlFlow<()> {
        std::ops::ControlFlow::Continue(())
    }
}

/// The keys of the rows that the table names for a pair of tables.
async fn named(one: &Comparison, readers: &mut Readers) -> Result<Vec<Map<String, Json>>, String> {
    let dialect = readers.engine(Side::Target).dialect();
    let table = dialect.table(&crate::model::TableName::new(one.rejects.clone().unwrap_or_default()));
    let is = |column: &str, text: &str| {
        let column = dialect.as_text(&dialect.quote(column));
        dialect.is_text(&column, &dialect.literal(text))
    };
    let pair = [is("source_table", &one.source.to_string()), is("target_table", &one.target.to_string())].join(" AND ");
    let sql = format!("SELECT {} FROM {table} WHERE {pair} LIMIT {}", dialect.quote("source_key"), AT_MOST + 1);
    let session = readers.side(Side::Target).map_err(|error| chain(&error))?;
    let rows = session.query(&sql).await.map_err(|error| chain(&error))?;
    Ok(rows.into_iter().flatten().flatten().filter_map(|key| serde_json::from_str(&key).ok()).collect())
}

/// The condition that a row of the source is one of these; `None` where keys do not name rows.
fn condition(
    one: &Comparison,
    named: &[Map<String, Json>],
    catalogue: &Catalogue,
    dialect: &dyn Dialect,
) -> Option<String> {
    let table = catalogue.tables.get(&one.source)?;
    let columns: Vec<&String> = named.first()?.keys().collect();
    let numbers: Option<Vec<i64>> = named.iter().map(|key| key.values().next()?.as_str()?.parse().ok()).collect();
    if let ([column], Some(numbers)) = (columns.as_slice(), numbers)
        && matches!(table.column(column)?.kind, LogicalType::Integer { .. })
    {
        let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
        return Some(format!("{} IN ({})", dialect.quote(column), numbers.join(", ")));
    }
    let mut rows = Vec::new();
    for key in named {
        let mut parts = Vec::new();
        for (name, text) in key {
            let quoted = dialect.quote(&table.column(name)?.name);
            parts.push(match text.as_str() {
                Some(text) => dialect.is_text(&dialect.as_text(&quoted), &dialect.literal(text)),
                None => format!("{quoted} IS NULL"),
            });
        }
        rows.push(format!("({})", parts.join(" AND ")));
    }
    Some(rows.join(" OR "))
}
