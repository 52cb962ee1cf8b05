//! The plan of the way back, kept beside the original rows before anything changes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    super::StepError,
    columns::Converted,
    operation::Operation,
    settings::Orphans,
    work::{Work, kept_name},
};
use crate::{
    engine::EngineError,
    engine::retype::{Attached, AttachedClass, Retyping, Swap},
    model::{Catalogue, LogicalType, TableName},
};

/// The table of the plan, in the backup's schema.
const TABLE: &str = "conversion";
/// The table that stands in its place where the plan is kept in another database.
const ELSEWHERE: &str = "conversion_elsewhere";

/// What is converted, as it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The key first.
    pub columns: Vec<Converted>,
    /// The word of the operation that began to drop rows and plan: it is to be ended before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<String>,
    /// Whose rows these are, where they lie in another database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
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

    /// The columns of a table.
    pub fn of<'a>(&'a self, table: &'a TableName) -> impl Iterator<Item = &'a Converted> {
        self.columns.iter().filter(move |column| column.name.table == *table)
    }

    /// Whether the way back needs the kept rows of a column: where its UUIDs do not tell what was there.
    pub fn needs_kept(&self, column: &Converted, orphans: &Orphans) -> bool {
        !column.is_plain || (column != self.key() && matches!(orphans, Orphans::Assign(_)))
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
        Retyping {
            table: &self.name.table,
            column: &self.name.column,
            temporary: &self.temporary,
            declared,
            value,
            beside: None,
            key: &self.row_key,
        }
    }

    /// The swap at the end of that way.
    pub fn swap<'a>(&'a self, retyping: &'a Retyping<'a>, default: Option<&'a str>, restores: bool) -> Swap<'a> {
        Swap { retyping, attached: &self.attached, default, restores }
    }
}

impl Work<'_> {
    fn plan_table(&self) -> TableName {
        TableName::in_schema(&self.backup, TABLE)
    }

    /// The plan, if one is kept and stays. What an earlier process began to drop is dropped first.
    pub async fn plan(&mut self) -> Result<Option<Plan>, StepError> {
        let plan = self.read_plan().await?;
        if let Some(word) = plan.as_ref().and_then(|plan| plan.leaving.as_deref()) {
            self.drop_schemas().await?;
            if let Some(cleanup) = Operation::of_word(word).filter(|operation| *operation == Operation::CleanupBackup) {
                let line = self.log_line(cleanup).await?;
                self.log_end(line, "completed", Some(0), Some("what was begun before")).await?;
            }
            return Ok(None);
        }
        Ok(plan)
    }

    /// The plan as it is kept.
    pub async fn read_plan(&mut self) -> Result<Option<Plan>, StepError> {
        if self.vault.is_none() && self.tables_here().await?.contains(ELSEWHERE) {
            let what = "the original rows of this conversion lie in another database, which has to be named for each operation";
            return Err(StepError::Refused { what: what.to_owned() });
        }
        if !self.kept_tables().await?.contains(TABLE) {
            return Ok(None);
        }
        let sql = format!("SELECT plan FROM {}", self.dialect.table(&self.plan_table()));
        let text = self.keeper().query(&sql).await?.into_iter().flatten().flatten().next();
        let Some(text) = text else { return Ok(None) };
        let unreadable = |error| StepError::broken(format!("read the plan in {}.{TABLE}", self.backup), error);
        let plan: Plan = serde_json::from_str(&text).map_err(unreadable)?;
        if plan.columns.first().is_none_or(|key| key.name != self.settings.key) {
            let what = format!("{} belongs to the conversion of another key than {}", self.backup, self.settings.key);
            return Err(StepError::Refused { what });
        }
        if let Some(of) = plan.of.as_ref().filter(|of| **of != self.place) {
            let what =
                format!("{} holds the original rows of {of}, and these are those of {}", self.backup, self.place);
            return Err(StepError::Refused { what });
        }
        Ok(Some(plan))
    }

    /// The plan, which an operation cannot do without.
    pub async fn planned(&mut self) -> Result<Plan, StepError> {
        let missing = format!("there is no backup in {}; backup_data comes first", self.backup);
        self.plan().await?.ok_or(StepError::Refused { what: missing })
    }

    /// Keeps the plan.
    pub async fn keep_plan(&mut self, plan: &Plan) -> Result<(), StepError> {
        let table = self.dialect.table(&self.plan_table());
        // Each of these can be done again, where an engine does not do them in one act.
        let schema = format!("CREATE SCHEMA IF NOT EXISTS {}", self.dialect.quote(&self.backup));
        let makes = self.retype.plan_table(&table);
        let text = serde_json::to_string(plan).map_err(|error| StepError::broken("write the plan", error))?;
        let insert = format!("INSERT INTO {table} (plan) VALUES ({})", self.dialect.literal(&text));
        let keeper = self.keeper();
        keeper.execute(&schema).await?;
        keeper.execute(&makes).await?;
        keeper.begin(false).await?;
        for statement in [format!("DELETE FROM {table}"), insert] {
            keeper.execute(&statement).await?;
        }
        Ok(keeper.commit().await?)
    }

    /// Where the plan is kept in another database, makes the schema here as well: for the functions of triggers, for what is
    /// brought back, and for whoever forgets where the plan is.
    pub async fn keep_place(&mut self) -> Result<(), StepError> {
        if self.vault.is_some() {
            let elsewhere = self.dialect.table(&TableName::in_schema(&self.backup, ELSEWHERE));
            self.session.execute(&format!("CREATE SCHEMA IF NOT EXISTS {}", self.dialect.quote(&self.backup))).await?;
            self.session.execute(&self.retype.plan_table(&elsewhere)).await?;
        }
        Ok(())
    }

    /// Drops the schema of the backup; where the plan is, at last.
    async fn drop_schemas(&mut self) -> Result<(), StepError> {
        let sql = self.retype.drop_schema(&self.dialect.quote(&self.backup));
        self.session.execute(&sql).await?;
        if let Some(vault) = &mut self.vault {
            vault.execute(&sql).await?;
        }
        Ok(())
    }

    /// Drops plan and rows; a drop that is cut off is ended by whatever comes next.
    pub async fn drop_backup(&mut self, plan: &Plan, operation: Operation) -> Result<(), StepError> {
        let leaving = Plan { leaving: Some(operation.word().to_owned()), ..plan.clone() };
        self.keep_plan(&leaving).await?;
        self.drop_schemas().await
    }

    /// Refuses a database in which the backup's schema is somebody else's.
    pub async fn refuse_foreign_backup(&mut self) -> Result<(), StepError> {
        let (there, here) = (self.kept_tables().await?, self.tables_here().await?);
        let is_ours = |tables: &BTreeSet<String>| tables.is_empty() || tables.contains(TABLE);
        if is_ours(&there) && (is_ours(&here) || here.contains(ELSEWHERE)) {
            return Ok(());
        }
        let what = format!(
            "the schema {} is there already, and is none of ours; another one can be named for the backup",
            self.backup
        );
        Err(StepError::Refused { what })
    }

    /// Whether the original rows of a table are kept.
    pub async fn is_kept(&mut self, table: &TableName) -> Result<bool, EngineError> {
        Ok(self.kept_tables().await?.contains(&kept_name(table)))
    }
}
