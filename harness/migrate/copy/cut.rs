//! Cuts tables into parts by their keys, so that a copy that was killed goes on behind the last part that is there.
//!
//! The parts are written down before the first row is, because a later process has to cut where the first one did. They lie in a
//! file of the step's own: where they end are values of rows, which no journal should show.

use std::{fs, io::Write, path::Path};

use serde::{Deserialize, Serialize};

use super::plan::TablePlan;
use crate::{
    engine::{Dialect, EngineError, Session},
    migrate::{StepError, StepTask},
    model::LogicalType,
};

/// How one table is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cuts {
    /// The source's table and the target's, to know them again.
    pub tables: (String, String),
    /// The column, if it is cut at all.
    pub key: Option<String>,
    /// Where parts begin, the first apart, as literals of the source.
    pub bounds: Vec<String>,
}

const FILE: &str = "parts.json";

impl Cuts {
    /// How many parts there are.
    pub const fn parts(&self) -> u64 {
        self.bounds.len() as u64 + 1
    }

    /// The condition of each part; together they take every row once, whatever its key holds.
    pub fn conditions(&self, dialect: &dyn Dialect) -> Vec<Option<String>> {
        let Some(key) = self.key.as_ref().map(|key| dialect.quote(key)) else { return vec![None] };
        let [first, .., last] = self.bounds.as_slice() else {
            return match self.bounds.as_slice() {
                [only] => vec![Some(format!("{key} < {only} OR {key} IS NULL")), Some(format!("{key} >= {only}"))],
                _ => vec![None],
            };
        };
        let inner = self.bounds.windows(2).map(|pair| format!("{key} >= {} AND {key} < {}", pair[0], pair[1]));
        let outer = [format!("{key} < {first} OR {key} IS NULL")];
        outer.into_iter().chain(inner).chain([format!("{key} >= {last}")]).map(Some).collect()
    }
}

/// Cuts a table by the first column of its key into parts of so many rows.
///
/// # Errors
/// If the source cannot be asked.
pub(super) async fn cut(
    table: &TablePlan,
    rows: u64,
    batch_rows: u64,
    session: &mut dyn Session,
    dialect: &dyn Dialect,
) -> Result<Cuts, EngineError> {
    let tables = (table.source.name.to_string(), table.target.name.to_string());
    let whole = Cuts { tables, ..Cuts::default() };
    let key = table.source.unique_keys().find_map(|key| {
        let column = table.source.column(key.columns.first()?)?;
        let is_number = matches!(column.kind, LogicalType::Integer { .. });
        let is_ordered = is_number || matches!(column.kind, LogicalType::Text { .. } | LogicalType::Uuid);
        is_ordered.then_some((column, is_number))
    });
    let Some((column, is_number)) = key.filter(|_| rows > batch_rows) else { return Ok(whole) };
    let (quoted, from) = (dialect.quote(&column.name), dialect.table(&table.source.name));
    if is_number {
        let ends = session.query(&format!("SELECT min({quoted}), max({quoted}) FROM {from}")).await?;
        if let Some(range) = range(ends.first().map_or(&[], Vec::as_slice)) {
            let bounds = match bounds_of_dense(range, rows, batch_rows) {
                Some(bounds) => Some(bounds),
                None => bounds_of_counted(&counted(range, &quoted, &from, session).await?, batch_rows),
            };
            if let Some(bounds) = bounds {
                return Ok(Cuts { key: Some(column.name.clone()), bounds, ..whole });
            }
        }
    }
    // Where parts begin by count and not by value: keys may have holes.
    let sql = format!(
        "SELECT k FROM (SELECT {quoted} AS k, row_number() OVER (ORDER BY {quoted}) AS n FROM {from}) AS o \
         WHERE n > 1 AND (n - 1) % {batch_rows} = 0 ORDER BY n"
    );
    let mut bounds: Vec<String> = Vec::new();
    for bound in session.query(&sql).await?.into_iter().flatten() {
        let Some(bound) = bound else { continue };
        let literal = match is_number {
            true => bound.parse::<i64>().ok().map(|number| number.to_string()),
            false => Some(dialect.literal(&bound)),
        };
        // A key that holds what its column was not declared for is not cut by.
        let Some(literal) = literal else { return Ok(whole) };
        if bounds.last() != Some(&literal) {
            bounds.push(literal);
        }
    }
    Ok(Cuts { key: Some(column.name.clone()), bounds, ..whole })
}

/// The lowest and the highest of keys that are whole numbers, if they are not too far apart to be counted with.
fn range(ends: &[Option<String>]) -> Option<(i64, i64)> {
    let [Some(first), Some(last)] = ends else { return None };
    let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
    last.checked_sub(first)?.checked_add(1).map(|_| (first, last))
}

/// Parts that may turn out empty, for each one that is full.
const EMPTY: i128 = 3;

/// Where parts begin whose keys have few holes: cut by value, without reading them all, since no part holds more rows than it
/// has numbers. `None` if too many parts would be empty.
fn bounds_of_dense((first, last): (i64, i64), rows: u64, batch_rows: u64) -> Option<Vec<String>> {
    let width = i128::from(last) - i128::from(first) + 1;
    let few_holes = width / (EMPTY + 1) <= i128::from(rows);
    let step = usize::try_from(batch_rows).ok()?;
    few_holes.then(|| (first..=last).step_by(step).skip(1).map(|bound| bound.to_string()).collect())
}

/// Stretches of keys of which the rows are counted, at most.
const STRETCHES: i64 = 4096;

/// Where stretches of keys begin, and their rows; a server counts these in a fraction of the time in which it sorts.
async fn counted(
    (first, last): (i64, i64),
    key: &str,
    from: &str,
    session: &mut dyn Session,
) -> Result<Vec<(i64, u64)>, EngineError> {
    let width = (last - first) / STRETCHES + 1;
    // A remainder is the same in every engine, and nothing here leaves the column's own type.
    let by = format!("{key} - {key} % {width}");
    let sql = format!("SELECT min({key}) AS k, count(*) FROM {from} WHERE {key} IS NOT NULL GROUP BY {by} ORDER BY 1");
    let stretch = |row: Vec<Option<String>>| {
        let [begins, rows]: [Option<String>; 2] = row.try_into().ok()?;
        Some((begins?.parse().ok()?, rows?.parse().ok()?))
    };
    Ok(session.query(&sql).await?.into_iter().filter_map(stretch).collect())
}

/// Where parts begin that are as many stretches as have no more than so many rows. `None` if a stretch has more by itself.
fn bounds_of_counted(stretches: &[(i64, u64)], batch_rows: u64) -> Option<Vec<String>> {
    let (mut bounds, mut held) = (Vec::new(), 0);
    for (begins, rows) in stretches {
        if *rows > batch_rows {
            return None;
        }
        if held + rows > batch_rows {
            bounds.push(begins.to_string());
            held = 0;
        }
        held += rows;
    }
    (!bounds.is_empty()).then_some(bounds)
}

/// Writes down how the tables are cut; returns when it is on disk.
///
/// # Errors
/// If it cannot be written.
pub(super) fn keep(task: &StepTask, cuts: &[Cuts]) -> Result<(), StepError> {
    let path = task.folder.join(FILE);
    let broken = |error: std::io::Error| StepError::broken(format!("write `{}`", path.display()), error);
    let write = |path: &Path| -> std::io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(&serde_json::to_vec(cuts)?)?;
        file.sync_all()?;
        fs::File::open(&task.folder)?.sync_all()
    };
    write(&path).map_err(broken)
}

/// How an earlier process cut the tables.
///
/// # Errors
/// If nobody can tell any more, or the tables are others now.
pub(super) fn kept(task: &StepTask, tables: &[TablePlan]) -> Result<Vec<Cuts>, StepError> {
    let path = task.folder.join(FILE);
    let doing = || format!("read `{}`", path.display());
    let bytes = fs::read(&path).map_err(|error| StepError::broken(doing(), error))?;
    let cuts: Vec<Cuts> = serde_json::from_slice(&bytes).map_err(|error| StepError::broken(doing(), error))?;
    let names = tables.iter().map(|table| (table.source.name.to_string(), table.target.name.to_string()));
    if !names.eq(cuts.iter().map(|cut| cut.tables.clone())) {
        return Err(StepError::broken(
            "go on",
            "the tables are others than those that an earlier process began to copy",
        ));
    }
    Ok(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::sqlite::Sqlite;

    #[test]
    fn numbers_with_few_holes_are_cut_by_value() {
        let of = |first: &str, last: &str, rows| {
            bounds_of_dense(range(&[Some(first.to_owned()), Some(last.to_owned())])?, rows, 10)
        };
        assert_eq!(of("-5", "24", 30), Some(vec!["5".to_owned(), "15".to_owned()]));
        assert_eq!(of("1", "10", 9), Some(vec![]));
        assert_eq!(of("1", "31", 25), Some(vec!["11".to_owned(), "21".to_owned(), "31".to_owned()]));
        assert!(of("1", "103", 25).is_some());
        assert_eq!(of("1", "104", 25), None);
        assert_eq!(of("-9223372036854775808", "9223372036854775807", u64::MAX), None);
        assert_eq!(of("1", "1e3", 1000), None);
        assert_eq!(range(&[None, None]), None);
    }

    #[test]
    fn stretches_of_numbers_become_parts_that_none_passes_its_rows() {
        let of = |stretches: &[(i64, u64)]| bounds_of_counted(stretches, 10);
        assert_eq!(of(&[(1, 4), (5, 6), (9, 1), (90, 9), (900, 10)]), Some(vec!["9".to_owned(), "900".to_owned()]));
        assert_eq!(of(&[(1, 4), (5, 11)]), None);
        assert_eq!(of(&[(1, 4), (5, 6)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn parts_take_every_key() {
        let of = |bounds: &[&str]| {
            let bounds = bounds.iter().map(|bound| (*bound).to_owned()).collect();
            Cuts { key: Some("id".to_owned()), bounds, ..Cuts::default() }.conditions(Sqlite.dialect())
        };
        assert_eq!(of(&[]), [None]);
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (id)").unwrap();
        for value in ["NULL", "-5", "0", "9", "10", "11", "20", "1e300", "'a'", "x'00'"] {
            connection.execute(&format!("INSERT INTO t VALUES ({value})"), []).unwrap();
        }
        for bounds in [&["10"] as &[&str], &["0", "10"], &["-5", "9", "20"]] {
            let parts = of(bounds).into_iter().flatten();
            let count = |part: String| {
                let sql = format!("SELECT count(*) FROM t WHERE ({part})");
                connection.query_row(&sql, [], |row| row.get::<_, u64>(0)).unwrap()
            };
            assert_eq!(parts.map(count).sum::<u64>(), 10, "{bounds:?}");
        }
    }
}
