//! `partial`: exactly the rows that are named are removed, and nothing else.
//!
//! In one transaction: the rows of every table are summed up before and after, and what is gone has to be what was named. Rows
//! that a key takes along are found by that, and have to be named as well.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{RollbackKind, settings, side, table_name};
use crate::{
    canon::{Form, RowDigester, comparison::Condition},
    document::{Fields, Problem},
    engine::{Dialect, Rowset, Session, spawned},
    migrate::{StepDone, StepError, StepTask, StepVoice, engine_of},
    model::{Fingerprint, Side, TableName, catalogue::Table},
};

/// Removes named rows.
pub(super) struct Partial;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Settings {
    side: Side,
    /// The rows, in the order in which they are removed.
    rows: Vec<Rows>,
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Rows {
    table: TableName,
    /// The condition that holds for them, in SQL.
    #[serde(rename = "where")]
    filter: String,
}

#[async_trait]
impl RollbackKind for Partial {
    fn id(&self) -> &'static str {
        "partial"
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let side = side(fields);
        let mut rows: Vec<Rows> = Vec::new();
        for mut one in fields.array_of_tables("rows") {
            let place = one.place().clone();
            let (table, filter) = (one.required_str("table"), one.required_str("where"));
            let table = table.and_then(|written| table_name(&one, &written));
            one.finish();
            let (Some(table), Some(filter)) = (table, filter) else { continue };
            if rows.iter().any(|known| known.table == table) {
                let problem = Problem::new(&place, format!("rows of {table} are named twice"));
                fields.problem(problem.expected("one condition for each table"));
            }
            rows.push(Rows { table, filter: filter.value });
        }
        if fields.list("rows").is_empty() {
            let problem = Problem::new(fields.place(), "names no rows");
            fields.problem(problem.expected("`rows`, a list of `{ table = \"…\", where = \"…\" }`, children first"));
        }
        json!({ "side": side, "rows": rows })
    }

    fn describe(&self, config: &Json) -> Vec<String> {
        let Ok(Settings { side, rows }) = settings(config) else { return Vec::new() };
        let told = rows.iter().map(|Rows { table, filter }| format!("remove the rows of {table} with {filter}"));
        told.chain([format!("prove that nothing else of the {side} is gone, then commit")]).collect()
    }

    /// Rows that are there before the step are not its own.
    async fn ready(&self, task: &StepTask, config: &Json, _voice: &mut dyn StepVoice) -> Result<Json, StepError> {
        let Settings { side, rows } = settings(config)?;
        let mut work = Work::begin(task, side).await?;
        for one in &rows {
            if !work.tables.contains_key(&one.table) {
                // The step makes it.
                continue;
            }
            let there = work.sum(&one.table, Some(&one.filter)).await?.rows;
            if there > 0 {
                let what = format!(
                    "{there} rows of {} with {} are there already, and the way back `partial` would remove them",
                    one.table, one.filter
                );
                return Err(StepError::Refused { what });
            }
        }
        work.end(false).await?;
        Ok(json!({}))
    }

    async fn back(
        &self,
        task: &StepTask,
        config: &Json,
        _ready: &Json,
        voice: &mut dyn StepVoice,
    ) -> Result<StepDone, StepError> {
        let Settings { side, rows } = settings(config)?;
        let mut work = Work::begin(task, side).await?;
        if let Some(one) = rows.iter().find(|one| !work.tables.contains_key(&one.table)) {
            return Err(StepError::Rejected { what: format!("the {side} has no table {}", one.table) });
        }
        let before = work.sums(voice).await?;
        let mut named: BTreeMap<&TableName, Fingerprint> = BTreeMap::new();
        for one in &rows {
            named.insert(&one.table, work.sum(&one.table, Some(&one.filter)).await?);
        }
        for one in &rows {
            work.delete(one).await?;
        }
        let after = work.sums(voice).await?;
        for (table, was) in &before {
            let mut accounted = after.get(table).copied().unwrap_or_default();
            accounted.add(&named.get(table).copied().unwrap_or_default());
            if accounted != *was {
                work.end(false).await?;
                let gone = was.rows.saturating_sub(accounted.rows);
                let what = if gone > 0 {
                    format!("{gone} rows of {table} would go as well, which are not named: a key takes them along")
                } else {
                    format!("rows of {table} would change that are not named")
                };
                return Err(StepError::Rejected { what });
            }
        }
        work.end(true).await?;
        let rows = named.values().map(|rows| rows.rows).sum();
        Ok(StepDone { rows, ..StepDone::default() })
    }
}

/// One transaction.
struct Work {
    /// Only away while it reads.
    session: Option<Box<dyn Session>>,
    tables: BTreeMap<TableName, Table>,
    dialect: &'static dyn Dialect,
}

impl Work {
    async fn begin(task: &StepTask, side: Side) -> Result<Self, StepError> {
        let address = task.addresses.get(side);
        let mut session = task.connect(address).await?;
        session.begin(false).await?;
        let tables = session.introspect().await?.tables;
        let dialect = engine_of(address)?.dialect();
        Ok(Self { session: Some(session), tables, dialect })
    }

    fn session(&mut self) -> Result<&mut Box<dyn Session>, StepError> {
        self.session.as_mut().ok_or_else(|| StepError::broken("go on", "the session is gone"))
    }

    /// The rows of every table.
    async fn sums(&mut self, voice: &mut dyn StepVoice) -> Result<BTreeMap<TableName, Fingerprint>, StepError> {
        let names: Vec<TableName> = self.tables.keys().cloned().collect();
        let (mut sums, mut done) = (BTreeMap::new(), 0);
        for name in names {
            let sum = self.sum(&name, None).await?;
            done += sum.rows;
            voice.progress("read", done, None);
            sums.insert(name, sum);
        }
        Ok(sums)
    }

    /// The rows of a table for which a condition holds.
    async fn sum(&mut self, table: &TableName, filter: Option<&str>) -> Result<Fingerprint, StepError> {
        let columns: Vec<String> = self.tables[table].columns.iter().map(|column| column.name.clone()).collect();
        let digester = RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), false).with_buckets(1);
        let mut rowset = Rowset::of(table.clone(), columns);
        rowset.terms.filters.extend(filter.map(|sql| Condition { sql: sql.to_owned(), ..Condition::default() }));
        let session = self.session.take().ok_or_else(|| StepError::broken("read", "the session is gone"))?;
        let scanned = spawned::scan(session, rowset, digester).await?;
        self.session = Some(scanned.session);
        scanned.outcome?;
        Ok(scanned.sink.finish().fingerprint)
    }

    async fn delete(&mut self, rows: &Rows) -> Result<(), StepError> {
        let table = self.dialect.table(&rows.table);
        // On a line of its own: a comment at its end hides nothing.
        let sql = format!("DELETE FROM {table} WHERE (\n{}\n)", rows.filter);
        Ok(self.session()?.execute(&sql).await?)
    }

    async fn end(mut self, is_kept: bool) -> Result<(), StepError> {
        let Some(mut session) = self.session.take() else { return Ok(()) };
        if is_kept {
            session.commit().await?;
        } else {
            session.tx_rollback().await?;
        }
        Ok(session.close().await?)
    }
}
