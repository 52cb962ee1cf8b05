//! Questions that checks ask of the rows themselves.

use rusqlite::{Connection, Error, Result, ffi, types::ValueRef};

use crate::{
    engine::{Counted, Dialect},
    model::{TableName, catalogue::Reference},
};

use super::dialect::SqliteDialect;

/// Rows whose reference dangles.
///
/// The parent's column stands first and the child's behind a unary plus: so the comparison has the parent's collation and
/// the parent's affinity, as SQLite's own foreign keys have it (<https://sqlite.org/foreignkeys.html>, section 3).
pub(super) fn dangling(connection: &Connection, reference: &Reference, sample: u32) -> Result<Counted> {
    let columns: Vec<String> = reference.columns.iter().map(|column| qualified("c", column)).collect();
    let pairs = reference.parent_columns.iter().zip(&columns);
    let matches = pairs.map(|(parent, child)| format!("{} = +{child}", qualified("p", parent)));
    let matches = matches.collect::<Vec<_>>().join(" AND ");
    // A parent that is not there has no row that could be referred to.
    let orphan = if is_there(connection, &reference.parent)? {
        if reference.parent_columns.len() != reference.columns.len() {
            let message = format!("{} has no key of that many columns", reference.parent);
            return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(message)));
        }
        format!("NOT EXISTS (SELECT 1 FROM {} AS p WHERE {matches})", SqliteDialect.table(&reference.parent))
    } else {
        "TRUE".to_owned()
    };
    let all_set = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
    let mut condition = format!("({all_set} AND {orphan})");
    if reference.match_full && columns.len() > 1 {
        let any_set = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
        condition = format!("({condition} OR (({any_set}) AND NOT ({all_set})))");
    }
    let from = format!("FROM {} AS c WHERE {condition}", SqliteDialect.table(&reference.child));
    let list = columns.join(", ");
    counted(
        connection,
        &format!("SELECT count(*) {from}"),
        &format!("SELECT DISTINCT {list} {from} ORDER BY {list} LIMIT {sample}"),
    )
}

/// Rows in excess of one for each value of a key, under the columns' own collations.
pub(super) fn duplicates(
    connection: &Connection,
    table: &TableName,
    columns: &[String],
    collations: &[Option<String>],
    sample: u32,
) -> Result<Counted> {
    let key = |(at, column): (usize, &String)| match collations.get(at).and_then(Option::as_deref) {
        Some(name) => format!("{} COLLATE {}", qualified("t", column), SqliteDialect.quote(name)),
        None => qualified("t", column),
    };
    let columns: Vec<String> = columns.iter().enumerate().map(key).collect();
    let list = columns.join(", ");
    let set = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
    let groups =
        format!("FROM {} AS t NOT INDEXED WHERE {set} GROUP BY {list} HAVING count(*) > 1", SqliteDialect.table(table));
    counted(
        connection,
        &format!("SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n {groups})"),
        &format!("SELECT {list} {groups} ORDER BY {list} LIMIT {sample}"),
    )
}

/// UUIDs that a column holds in more than one spelling: upper and lower case, with and without dashes, in braces, as 16
/// bytes. A sample shows the first and the last of a UUID's spellings.
pub(super) fn uuid_spellings(connection: &Connection, table: &TableName, column: &str, sample: u32) -> Result<Counted> {
    let value = qualified("t", column);
    let groups = format!(
        "FROM (SELECT CASE typeof({value})
                 WHEN 'text' THEN lower(replace(trim({value}, '{{}}'), '-', ''))
                 WHEN 'blob' THEN iif(length({value}) = 16, lower(hex({value})), '') END AS folded,
               CASE typeof({value}) WHEN 'blob' THEN 'x''' || hex({value}) || '''' ELSE {value} END
                 COLLATE BINARY AS spelling
               FROM {} AS t NOT INDEXED)
         WHERE length(folded) = 32 AND folded NOT GLOB '*[^0-9a-f]*'
         GROUP BY folded COLLATE BINARY HAVING min(spelling) <> max(spelling)",
        SqliteDialect.table(table)
    );
    counted(
        connection,
        &format!("SELECT count(*) FROM (SELECT 1 {groups})"),
        &format!("SELECT min(spelling), max(spelling) {groups} ORDER BY folded LIMIT {sample}"),
    )
}

/// Whether a table of this name is there, in whatever case it is spelled.
pub(super) fn is_there(connection: &Connection, table: &TableName) -> Result<bool> {
    let schema = table.schema.as_deref().unwrap_or("main");
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_list(?1) WHERE schema = ?2)";
    connection.query_row(sql, [table.name.as_str(), schema], |row| row.get(0))
}

/// Runs a query and gives its rows as text.
pub(super) fn texts(connection: &Connection, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let mut statement = connection.prepare(sql)?;
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|column| Ok(text(row.get_ref(column)?))).collect())?;
    rows.collect()
}

fn counted(connection: &Connection, count: &str, show: &str) -> Result<Counted> {
    let total: i64 = connection.query_row(count, [], |row| row.get(0))?;
    let sample = if total == 0 { Vec::new() } else { texts(connection, show)? };
    Ok(Counted { total: u64::try_from(total).unwrap_or_default(), sample })
}

fn qualified(alias: &str, column: &str) -> String {
    format!("{alias}.{}", SqliteDialect.quote(column))
}

/// A value as a person reads it; a blob as SQLite's literal.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(format!("{real:?}")),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => {
            Some(format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()))
        }
    }
}
