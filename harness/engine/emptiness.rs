//! Which tables have no row, by few questions for many tables.

use std::collections::BTreeSet;

use super::{Dialect, EngineError, Session};
use crate::model::TableName;

/// Tables that one statement asks for.
const AT_ONCE: usize = 100;

/// The tables among these that have no row. One that cannot be asked is not among the answer, nor are those that happen to
/// be asked in one statement with it: they have to be read.
///
/// # Errors
/// If the session is gone.
pub async fn empty_tables(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    tables: &[&TableName],
) -> Result<BTreeSet<TableName>, EngineError> {
    let mut empty = BTreeSet::new();
    for chunk in tables.chunks(AT_ONCE) {
        let ask = |(at, table): (usize, &&TableName)| {
            // Without ONLY, a table whose inheritance children alone have rows counts as one with rows, and is read.
            format!("SELECT {at} AS n FROM (SELECT 1 AS one) AS o WHERE {}", dialect.is_empty(table))
        };
        let sql = chunk.iter().enumerate().map(ask).collect::<Vec<_>>().join(" UNION ALL ");
        match session.query(&sql).await {
            Ok(rows) => {
                let numbers = rows.into_iter().flatten().flatten().filter_map(|number| number.parse::<usize>().ok());
                empty.extend(numbers.filter_map(|at| chunk.get(at)).map(|table| (*table).clone()));
            }
            Err(error) if error.is_about_the_question() => session.recover().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(empty)
}
