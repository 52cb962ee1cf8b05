//! The plan of the way back, kept beside the original rows before anything changes.

use serde::{Deserialize, Serialize};

use super::{super::StepError, columns::Converted, settings::BACKUP, work::Work};
use crate::{
    engine::retype::{Attached, AttachedClass, Retyping, Swap},
    model::{Catalogue, LogicalType, TableName},
};

/// The table of the plan, in the backup's schema.
const TABLE: &str = "conversion";

/// What is converted, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The key first.
    pub columns: Vec<Converted>,
}

/// How far a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it was.
    Original,
    /// A second column is being filled with UUIDs.
    Filling,
    /// It is a UUID.
    Converted,
    /// A second column is being filled with what was there before.
    Restoring,
}

impl Plan {
    /// The key.
    pub fn key(&self) -> &Converted {
        &self.columns[0]
    }

    /// The tables, each once.
    pub fn tables(&self) -> Vec<&TableName> {
        let mut tables: Vec<&TableName> = self.columns.iter().map(|column| &column.name.table).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    /// References from these columns and to them, each once.
    pub fn references(&self) -> Vec<&Attached> {
        let mut found: Vec<&Attached> = Vec::new();
        let all = self.columns.iter().flat_map(|column| &column.attached);
        for attached in all.filter(|attached| attached.class == AttachedClass::Reference) {
            if !found.contains(&attached) {
                found.push(attached);
            }
        }
        found
    }
}

impl Converted {
    /// How far it is.
    pub fn state(&self, catalogue: &Catalogue) -> Option<State> {
        let table = catalogue.tables.get(&self.name.table)?;
        let is_uuid = table.column(&self.name.column)?.kind == LogicalType::Uuid;
        Some(match (is_uuid, table.column(&self.temporary).is_some()) {
            (false, false) => State::Original,
            (false, true) => State::Filling,
            (true, false) => State::Converted,
            (true, true) => State::Restoring,
        })
    }

    /// The way of the column to a type, by a value.
    pub fn retyping<'a>(&'a self, declared: &'a str, value: &'a str) -> Retyping<'a> {
        Retyping { table: &self.name.table, column: &self.name.column, temporary: &self.temporary, declared, value }
    }

    /// The swap at the end of that way.
    pub fn swap<'a>(&'a self, retyping: &'a Retyping<'a>, default: Option<&'a str>, restores: bool) -> Swap<'a> {
        Swap { retyping, attached: &self.attached, default, restores }
    }
}

impl Work<'_> {
    fn plan_table(&self) -> TableName {
        TableName { schema: Some(BACKUP.to_owned()), name: TABLE.to_owned() }
    }

    /// The plan, if one is kept.
    pub async fn plan(&mut self) -> Result<Option<Plan>, StepError> {
        let table = self.plan_table();
        if !self.catalogue().await?.tables.contains_key(&table) {
            return Ok(None);
        }
        let text = self.one(&format!("SELECT plan FROM {}", self.dialect.table(&table))).await?;
        let Some(text) = text else { return Ok(None) };
        let unreadable = |error| StepError::broken(format!("read the plan in {BACKUP}.{TABLE}"), error);
        let plan: Plan = serde_json::from_str(&text).map_err(unreadable)?;
        if plan.columns.first().is_none_or(|key| key.name != self.settings.key) {
            let what = format!("{BACKUP} belongs to the conversion of another key than {}", self.settings.key);
            return Err(StepError::Refused { what });
        }
        Ok(Some(plan))
    }

    /// The plan, which an operation cannot do without.
    pub async fn planned(&mut self) -> Result<Plan, StepError> {
        let missing =
            || StepError::Refused { what: format!("there is no backup in {BACKUP}; backup_data comes first") };
        self.plan().await?.ok_or_else(missing)
    }

    /// Keeps the plan.
    pub async fn keep_plan(&mut self, plan: &Plan) -> Result<(), StepError> {
        let table = self.dialect.table(&self.plan_table());
        let text = serde_json::to_string(plan).map_err(|error| StepError::broken("write the plan", error))?;
        self.session.begin(false).await?;
        for statement in [
            format!("CREATE SCHEMA IF NOT EXISTS {}", self.dialect.quote(BACKUP)),
            format!("CREATE TABLE IF NOT EXISTS {table} (plan text NOT NULL)"),
            format!("DELETE FROM {table}"),
            format!("INSERT INTO {table} (plan) VALUES ({})", self.dialect.literal(&text)),
        ] {
            self.session.execute(&statement).await?;
        }
        Ok(self.session.commit().await?)
    }

    /// Refuses a database in which the backup's schema is somebody else's.
    pub fn refuse_foreign_backup(&self, catalogue: &Catalogue) -> Result<(), StepError> {
        let has_schema = catalogue.tables.keys().any(|name| name.schema.as_deref() == Some(BACKUP));
        if has_schema && !catalogue.tables.contains_key(&self.plan_table()) {
            let what = format!("the schema {BACKUP} is there already, and is none of ours");
            return Err(StepError::Refused { what });
        }
        Ok(())
    }
}
