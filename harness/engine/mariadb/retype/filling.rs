//! Batches of the second column, along a table's key.

use super::{quote, table};
use crate::{
    engine::{
        EngineError, Session,
        mariadb::dialect::literal,
        retype::{Filled, Retyping},
    },
    model::TableName,
};

/// The cursor behind the last row.
const END: &str = "end";

/// Types whose values stand in SQL as they are printed.
const NUMBERS: &[&str] = &["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "year"];
/// Types whose values are bytes.
const BYTES: &[&str] = &["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"];

/// Fills a batch. Without a key the rows that have no value yet are looked for from the beginning each time.
pub(super) async fn fill(
    session: &mut dyn Session,
    retyping: &Retyping<'_>,
    cursor: &str,
    rows: u64,
) -> Result<Option<Filled>, EngineError> {
    if cursor == END {
        return Ok(None);
    }
    let (temporary, column) = (quote(retyping.temporary), quote(retyping.column));
    let set = assignments(session, retyping).await?;
    let update =
        format!("UPDATE {} t SET {set} WHERE t.{temporary} IS NULL AND t.{column} IS NOT NULL", table(retyping.table));
    if retyping.key.is_empty() {
        let rows = changed(session, &format!("{update} LIMIT {rows}")).await?;
        return Ok((rows > 0).then(|| Filled { rows, cursor: String::new() }));
    }
    let from: Vec<String> = serde_json::from_str(cursor).unwrap_or_default();
    let key: Vec<String> = retyping.key.iter().map(|column| format!("t.{}", quote(column))).collect();
    let mut range = Vec::new();
    if !from.is_empty() {
        range.push(beyond(&key, &from, ">", ">"));
    }
    let until = bound(session, retyping, &key, &range, rows).await?;
    if let Some(until) = &until {
        range.push(beyond(&key, until, "<", "<="));
    }
    let range: String = range.iter().map(|condition| format!(" AND ({condition})")).collect();
    let rows = changed(session, &format!("{update}{range}")).await?;
    let cursor = until.and_then(|until| serde_json::to_string(&until).ok()).unwrap_or_else(|| END.to_owned());
    Ok(Some(Filled { rows, cursor }))
}

/// The assignments that fill a row, and leave what the server would set by itself on an update.
pub(super) async fn assignments(session: &mut dyn Session, retyping: &Retyping<'_>) -> Result<String, EngineError> {
    let own = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = {} AND table_name = {} \
         AND extra LIKE '%on update %'",
        schema_of(retyping.table),
        literal(&retyping.table.name)
    );
    let own = session.query(&own).await?;
    let kept = own.into_iter().flatten().flatten().map(|column| format!(", t.{0} = t.{0}", quote(&column)));
    Ok(format!("t.{} = {}{}", quote(retyping.temporary), retyping.value, kept.collect::<String>()))
}

fn schema_of(table: &TableName) -> String {
    table.schema.as_deref().map_or_else(|| "DATABASE()".to_owned(), literal)
}

async fn changed(session: &mut dyn Session, update: &str) -> Result<u64, EngineError> {
    session.execute(update).await?;
    let answer = session.query("SELECT ROW_COUNT()").await?;
    let count = answer.into_iter().flatten().flatten().next().and_then(|text| text.parse().ok());
    Ok(count.unwrap_or_default())
}

/// The key of the last row of a batch, each part as a literal; `None` if fewer rows are left.
async fn bound(
    session: &mut dyn Session,
    retyping: &Retyping<'_>,
    key: &[String],
    range: &[String],
    rows: u64,
) -> Result<Option<Vec<String>>, EngineError> {
    let types = format!(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = {} AND table_name = {}",
        schema_of(retyping.table),
        literal(&retyping.table.name)
    );
    let types = session.query(&types).await?;
    let shown = retyping.key.iter().zip(key).map(|(name, quoted)| {
        let of = |row: &&Vec<Option<String>>| row.first().and_then(Option::as_ref) == Some(name);
        let kind = types.iter().find(of).and_then(|row| row.get(1)?.as_deref()).unwrap_or_default();
        match kind {
            _ if NUMBERS.contains(&kind) => format!("CAST({quoted} + 0 AS CHAR)"),
            _ if BYTES.contains(&kind) => format!("CONCAT('X''', HEX({quoted}), '''')"),
            _ => format!("QUOTE(CONVERT({quoted} USING utf8mb4))"),
        }
    });
    let condition = if range.is_empty() { String::new() } else { format!("WHERE {}", range.join(" AND ")) };
    let sql = format!(
        "SELECT {} FROM {} t {condition} ORDER BY {} LIMIT 1 OFFSET {}",
        shown.collect::<Vec<_>>().join(", "),
        table(retyping.table),
        key.join(", "),
        rows.saturating_sub(1)
    );
    let found = session.query(&sql).await?.into_iter().next();
    Ok(found.map(|row| row.into_iter().flatten().collect::<Vec<_>>()).filter(|literals| literals.len() == key.len()))
}

/// The condition that a row's key lies beyond some values. Written out, since the server finds no range by a comparison of rows.
fn beyond(key: &[String], values: &[String], by: &str, at_last: &str) -> String {
    let last = key.len().saturating_sub(1);
    let alternatives = (0..key.len()).map(|at| {
        let same = (0..at).map(|before| format!("{} = {}", key[before], values[before]));
        let by = if at == last { at_last } else { by };
        same.chain([format!("{} {by} {}", key[at], values[at])]).collect::<Vec<_>>().join(" AND ")
    });
    alternatives.map(|one| format!("({one})")).collect::<Vec<_>>().join(" OR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_a_key_of_two_columns_is_written_out() {
        let (key, values) = (["a".to_owned(), "b".to_owned()], ["1".to_owned(), "'x'".to_owned()]);
        assert_eq!(beyond(&key, &values, "<", "<="), "(a < 1) OR (a = 1 AND b <= 'x')");
    }
}
