//! `sql`: a query, of which the rows count, and the time.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Answer, Asked, ProbeKind};
use crate::{
    document::{Fields, Problem},
    model::{Side, Sides, chain},
};

/// A query.
pub(super) struct Sql;

/// Rows that an answer may have: it is held in memory.
const MOST_ROWS: usize = 10_000;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Settings {
    /// The query of each side.
    sql: Sides<Option<String>>,
    /// What comes out.
    expected: Option<Expected>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    /// So many rows.
    Rows(u64),
    /// One row of one column with this text.
    Value(String),
}

#[async_trait]
impl ProbeKind for Sql {
    fn keys(&self) -> &'static [&'static str] {
        &["sql", "source_sql", "target_sql"]
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let both = fields.optional_str("sql");
        let own = Sides::new(fields.optional_str("source_sql"), fields.optional_str("target_sql"));
        if both.is_some() && (own.source.is_some() || own.target.is_some()) {
            let problem = Problem::new(fields.place(), "`sql` is the query of both sides, and one of them has its own");
            fields.problem(problem.expected("`sql`, or `source_sql` and `target_sql`"));
        }
        let sql = own.map(|own| own.or_else(|| both.clone()).map(|written| written.value));
        let (rows, value) = (fields.optional_u64("rows"), fields.optional_str("value"));
        if rows.is_some() && value.is_some() {
            let problem = Problem::new(fields.place(), "`rows` and `value` both say what comes out");
            fields.problem(problem.expected("one of them"));
        }
        let expected = rows.map(|rows| Expected::Rows(rows.value));
        let expected = expected.or(value.map(|value| Expected::Value(value.value)));
        serde_json::to_value(Settings { sql, expected }).unwrap_or_default()
    }

    fn asks(&self, config: &Json, side: Side) -> bool {
        settings(config).sql.get(side).is_some()
    }

    async fn ask(&self, config: &Json, asked: &mut Asked<'_>) -> Result<Answer, String> {
        let settings = settings(config);
        let sql = settings.sql.get(asked.side).as_deref().unwrap_or_default();
        let session = asked.readers.side(asked.side).map_err(|error| chain(&error))?;
        let rows = session.query(sql).await.map_err(|error| chain(&error))?;
        if rows.len() > MOST_ROWS {
            return Err(format!("{} rows came, and a probe looks at {MOST_ROWS} at most", rows.len()));
        }
        let told = if rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", rows.len()) };
        let unmet = settings.expected.and_then(|expected| expected.unmet(&rows));
        Ok(Answer { told, digest: digest(&rows), unmet })
    }

    async fn plan(&self, config: &Json, asked: &mut Asked<'_>) -> Option<String> {
        let settings = settings(config);
        let sql = settings.sql.get(asked.side).as_deref()?;
        let of = asked.readers.engine(asked.side).dialect().plan_of();
        let rows = asked.readers.side(asked.side).ok()?.query(&format!("{}{sql}", of.explain)).await;
        let Ok(rows) = rows else {
            // What has no plan (a call, several statements) is asked all the same.
            asked.readers.recover().await.ok()?;
            return None;
        };
        let line = |row: Vec<Option<String>>| {
            let told = row.into_iter().enumerate().filter(|(at, _)| !of.estimates.contains(at));
            told.filter_map(|(_, text)| text).collect::<Vec<_>>().join(" ")
        };
        Some(rows.into_iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

impl Expected {
    /// What was expected, where that is not what came.
    fn unmet(self, rows: &[Vec<Option<String>>]) -> Option<String> {
        match self {
            Self::Rows(count) => (rows.len() as u64 != count).then(|| format!("{count} rows")),
            Self::Value(text) => {
                let is_met = matches!(rows, [row] if matches!(row.as_slice(), [Some(value)] if *value == text));
                // The scenario's own words, and no row's.
                (!is_met).then(|| format!("one row: {text}"))
            }
        }
    }
}

fn settings(config: &Json) -> Settings {
    serde_json::from_value(config.clone()).unwrap_or_default()
}

/// Lengths stand before values, so that no two answers run into one.
fn digest(rows: &[Vec<Option<String>>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for row in rows {
        hasher.update(&(row.len() as u64).to_le_bytes());
        for value in row {
            let length = value.as_ref().map_or(u64::MAX, |text| text.len() as u64);
            hasher.update(&length.to_le_bytes()).update(value.as_deref().unwrap_or_default().as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[Option<&str>]) -> Vec<Option<String>> {
        values.iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn no_two_answers_run_into_one() {
        let answers = [
            vec![],
            vec![row(&[])],
            vec![row(&[None])],
            vec![row(&[Some("")])],
            vec![row(&[Some("ab"), Some("c")])],
            vec![row(&[Some("a"), Some("bc")])],
            vec![row(&[Some("ab")]), row(&[Some("c")])],
        ];
        let digests: std::collections::BTreeSet<String> = answers.iter().map(|rows| digest(rows)).collect();
        assert_eq!(digests.len(), answers.len());
    }

    #[test]
    fn what_is_expected_is_what_came() {
        let one = [row(&[Some("8")])];
        assert_eq!(Expected::Value("8".to_owned()).unmet(&one), None);
        assert_eq!(Expected::Value("9".to_owned()).unmet(&one), Some("one row: 9".to_owned()));
        assert_eq!(Expected::Value("8".to_owned()).unmet(&[row(&[Some("8"), None])]), Some("one row: 8".to_owned()));
        assert_eq!(Expected::Rows(1).unmet(&one), None);
        assert_eq!(Expected::Rows(0).unmet(&one), Some("0 rows".to_owned()));
    }
}
