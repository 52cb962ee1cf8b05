//! Getting rows into one table, until the server takes them.

use std::collections::BTreeSet;

use super::{
    count,
    recipe::Recipe,
    row::{Given, Way},
};
use crate::{
    canon::uuid,
    engine::{Dialect, EngineError, RowSource, Session},
    model::{Value, chain},
};

/// Ways in which a row is tried, in order; from then on it is [`Way::Mixed`].
const WAYS: &[Way] = &[Way::Plain, Way::Plain, Way::Full, Way::Mixed, Way::Bare];

/// Tries for one row.
const TRIES: usize = 24;

/// How a table was topped up.
pub(super) struct ToppedUp {
    /// Rows loaded.
    pub loaded: u64,
    /// Rows that it holds.
    pub rows: u64,
    /// Why there are not as many as wanted.
    pub refused: Option<String>,
}

/// Tops a table up to so many rows.
pub(super) async fn top_up(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    recipe: &mut Recipe<'_>,
    wanted: u64,
) -> Result<ToppedUp, EngineError> {
    let counting = count(dialect, recipe.table, wanted);
    let mut rows = held(session, &counting).await?;
    let mut topped_up = ToppedUp { loaded: 0, rows, refused: None };
    if rows < wanted {
        topped_up.refused = recipe.impossible();
    }
    // Rows of a number that was tried are not tried again.
    let mut number = rows;
    while rows < wanted && topped_up.refused.is_none() {
        match recipe.look_up(session).await {
            Err(error) if is_told(&error) => topped_up.refused = Some(chain(&error)),
            outcome => outcome?,
        }
        // The first row of a table may be the parent of the next.
        let refers_to_itself = recipe.references.iter().any(|reference| reference.parent == recipe.table.name);
        let batch = if refers_to_itself && rows == 0 { 1 } else { wanted - rows };
        let loaded = match load_all(session, recipe, number, batch).await? {
            Ok(()) => batch,
            Err(_) => {
                let (loaded, refused) = one_by_one(session, recipe, &mut number, batch).await?;
                topped_up.refused = refused;
                loaded
            }
        };
        number += batch;
        topped_up.loaded += loaded;
        // A trigger may have put more into the table, or have dropped what was loaded.
        let now = held(session, &counting).await?;
        if now <= rows && topped_up.refused.is_none() {
            topped_up.refused = Some("rows that were loaded are not there".to_owned());
        }
        rows = now;
    }
    topped_up.rows = rows;
    topped_up.refused = topped_up.refused.filter(|_| rows < wanted);
    Ok(topped_up)
}

async fn held(session: &mut dyn Session, counting: &str) -> Result<u64, EngineError> {
    let rows = session.query(counting).await?;
    Ok(rows.into_iter().flatten().next().flatten().and_then(|count| count.parse().ok()).unwrap_or(0))
}

/// Whether an error says something about the rows and not about the server.
pub(super) const fn is_told(error: &EngineError) -> bool {
    error.is_about_the_question() && !matches!(error, EngineError::Full { .. })
}

/// Loads rows as a dataset would have them, all or none of them.
async fn load_all(
    session: &mut dyn Session,
    recipe: &Recipe<'_>,
    number: u64,
    rows: u64,
) -> Result<Result<(), String>, EngineError> {
    let rows: Result<Vec<Vec<Given>>, String> =
        (number..number + rows).map(|number| recipe.row(number, Way::Plain)).collect();
    match rows {
        Ok(rows) => load(session, recipe, rows).await,
        Err(reason) => Ok(Err(reason)),
    }
}

/// Loads row by row, each in any way that the server takes. Tells how many it took, and why it took no more.
async fn one_by_one(
    session: &mut dyn Session,
    recipe: &Recipe<'_>,
    number: &mut u64,
    rows: u64,
) -> Result<(u64, Option<String>), EngineError> {
    let mut loaded = 0;
    let mut taken_before = None;
    while loaded < rows {
        let mut reason = None;
        let mut taken = None;
        for attempt in 0..TRIES {
            let way = WAYS.get(attempt).copied().unwrap_or(Way::Mixed);
            // What the server took for the row before, it will most likely take again.
            let way = taken_before.filter(|_| attempt == 0).unwrap_or(way);
            let outcome = match recipe.row(*number, way) {
                Ok(row) => load(session, recipe, vec![row]).await?,
                Err(reason) => Err(reason),
            };
            *number += 1;
            match outcome {
                Ok(()) => {
                    taken = Some(way);
                    break;
                }
                // The first refusal is about the most natural row.
                Err(refusal) => drop(reason.get_or_insert(refusal)),
            }
        }
        if taken.is_none() {
            return Ok((loaded, reason));
        }
        taken_before = taken;
        loaded += 1;
    }
    Ok((loaded, None))
}

/// Loads rows in a transaction of their own; nothing stays of what is refused, which is told.
pub(super) async fn load(
    session: &mut dyn Session,
    recipe: &Recipe<'_>,
    rows: Vec<Vec<Given>>,
) -> Result<Result<(), String>, EngineError> {
    let is_given = |at: &usize| rows.iter().any(|row| row[*at].is_some());
    let given: Vec<usize> = (0..recipe.slots.len()).filter(is_given).collect();
    let columns: Vec<String> = given.iter().map(|at| recipe.slots[*at].column.name.clone()).collect();
    let mut source = Made { rows: rows.iter(), given };
    session.begin(false).await?;
    let outcome = match session.load(recipe.table, &columns, &mut source).await {
        Ok(_) => session.commit().await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(error) if is_told(&error) => {
            session.tx_rollback().await?;
            Ok(Err(without_values(&chain(&error), &rows)))
        }
        Err(error) => Err(error),
    }
}

/// A reason in which no value of these rows stands any more. What a server quotes of rows it keeps apart already; a trigger
/// may say anything.
fn without_values(reason: &str, rows: &[Vec<Given>]) -> String {
    let text = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Uuid(bytes) => Some(uuid::format(bytes)),
        _ => None,
    };
    let values: BTreeSet<String> = rows.iter().flatten().flatten().filter_map(text).collect();
    // Long ones first: a short one may be a part of them.
    let mut values: Vec<String> = values.into_iter().filter(|value| !value.trim().is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.iter().fold(reason.to_owned(), |reason, value| masked(&reason, value))
}

/// A text in which a value is masked wherever it stands as a word of its own.
fn masked(text: &str, value: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, after) = (&rest[..at], &rest[at + value.len()..]);
        let is_word = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
        let begins = is_word(before.chars().next_back().or_else(|| masked.chars().next_back()));
        masked.push_str(before);
        masked.push_str(if begins || is_word(after.chars().next()) { value } else { "…" });
        rest = after;
    }
    masked + rest
}

/// Rows that are made already.
struct Made<'r> {
    rows: std::slice::Iter<'r, Vec<Given>>,
    given: Vec<usize>,
}

impl RowSource for Made<'_> {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let Some(made) = self.rows.next() else { return Ok(false) };
        row.extend(self.given.iter().map(|at| made[*at].clone().unwrap_or(Value::Null)));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_keep_names_and_lose_values() {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let rows = vec![vec![text("ada@example.com"), Some(Value::Integer(5)), text("user"), None]];
        let told = |reason| without_values(reason, &rows);
        assert_eq!(told("no mail to ada@example.com, 5 times (P0005)"), "no mail to …, … times (P0005)");
        assert_eq!(told("null value in column \"user_id\" of users"), "null value in column \"user_id\" of users");
    }
}
