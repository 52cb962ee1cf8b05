//! How far a conversion is, by what the database itself holds.

use serde::Serialize;

use super::{
    super::{StepError, StepVoice},
    plan::State,
    settings::{ColumnName, Settings},
    work::{Work, log_table},
};
use crate::model::Address;

/// How far a conversion is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether the original rows are kept.
    pub has_backup: bool,
    /// The columns, the key first; empty if nothing was planned.
    pub columns: Vec<ColumnStatus>,
    /// The log's lines: operation, status, begun, ended, rows, message.
    pub log: Vec<Vec<Option<String>>>,
}

/// How far a column is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnStatus {
    /// The column.
    pub name: ColumnName,
    /// How far; `None` if it is not there any more.
    pub state: Option<State>,
    /// Rows whose second column is filled, and rows in all, while there is one.
    pub filled: Option<(u64, u64)>,
}

/// Tells how far a conversion is; changes nothing.
///
/// # Errors
/// If the database cannot be asked.
pub async fn status(address: &Address, settings: &Settings, voice: &mut dyn StepVoice) -> Result<Status, StepError> {
    let mut work = Work::begin(address, settings, voice).await?;
    work.session.begin(true).await?;
    let catalogue = work.catalogue().await?;
    let plan = work.read_plan().await?.filter(|plan| plan.leaving.is_none());
    let mut columns = Vec::new();
    for column in plan.iter().flat_map(|plan| &plan.columns) {
        let state = column.state(&catalogue);
        let filled = if matches!(state, Some(State::Filling | State::Restoring)) {
            let table = work.dialect.table(&column.name.table);
            let second = work.dialect.quote(&column.temporary);
            let all = work.count(&format!("SELECT COUNT(*) FROM {table}")).await?;
            Some((work.count(&format!("SELECT COUNT({second}) FROM {table}")).await?, all))
        } else {
            None
        };
        columns.push(ColumnStatus { name: column.name.clone(), state, filled });
    }
    let log = if work.has_begun().await? {
        let sql = format!(
            "SELECT operation, status, started_at, completed_at, row_count, message FROM {} ORDER BY id",
            work.dialect.table(&log_table())
        );
        work.session.query(&sql).await?
    } else {
        Vec::new()
    };
    work.session.commit().await?;
    let has_backup = plan.is_some();
    work.end().await?;
    Ok(Status { has_backup, columns, log })
}
