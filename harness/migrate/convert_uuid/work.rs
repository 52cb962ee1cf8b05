//! A conversion at work: its session, and what it knows of the database.

use serde_json::json;

use super::{
    super::{StepError, StepVoice, engine_of},
    operation::Operation,
    settings::{BACKUP, LOG, Settings},
};
use crate::{
    engine::{Dialect, EngineError, Session, retype::Retype},
    model::{Address, Catalogue, TableName},
};

/// A conversion at work.
pub(super) struct Work<'a> {
    /// What it is told.
    pub settings: &'a Settings,
    /// The database.
    pub session: Box<dyn Session>,
    /// How its engine changes types.
    pub retype: &'static dyn Retype,
    /// How its SQL is written.
    pub dialect: &'static dyn Dialect,
    /// Who waits.
    pub voice: &'a mut dyn StepVoice,
    /// What the log has to say about a failure, where that is more than its error: rows' values stay in the database.
    pub told: Option<String>,
}

impl<'a> Work<'a> {
    /// Opens a session.
    pub async fn begin(
        address: &'a Address,
        settings: &'a Settings,
        voice: &'a mut dyn StepVoice,
    ) -> Result<Self, StepError> {
        let engine = engine_of(address)?;
        let Some(retype) = engine.retype() else {
            let what = format!("no column is converted to UUIDs in {}", engine.title());
            return Err(StepError::Refused { what });
        };
        let session = engine.connect(address).await?;
        Ok(Self { settings, session, retype, dialect: engine.dialect(), voice, told: None })
    }

    /// Ends the session.
    pub async fn end(self) -> Result<(), StepError> {
        Ok(self.session.close().await?)
    }

    /// The whole catalogue as it is now.
    pub async fn catalogue(&mut self) -> Result<Catalogue, EngineError> {
        self.session.introspect().await
    }

    /// A durable mark, for whoever watches from outside.
    pub async fn mark(&mut self, operation: Operation, what: &str) -> Result<(), StepError> {
        self.voice.mark(json!({ "operation": operation.word(), "status": what })).await
    }

    /// Ends here if the run wants the step to stop.
    pub fn heed(&self) -> Result<(), StepError> {
        if self.voice.is_stopping() { Err(StepError::Interrupted) } else { Ok(()) }
    }

    /// The first value that a query gives.
    pub async fn one(&mut self, sql: &str) -> Result<Option<String>, EngineError> {
        Ok(self.session.query(sql).await?.into_iter().flatten().next().flatten())
    }

    /// A count that a query gives.
    pub async fn count(&mut self, sql: &str) -> Result<u64, EngineError> {
        let unreadable = || EngineError::Unexpected { doing: "counting".to_owned(), what: "no number came".to_owned() };
        self.one(sql).await?.and_then(|text| text.parse().ok()).ok_or_else(unreadable)
    }

    /// A quoted column of the row that statements call `t`.
    pub fn of_row(&self, column: &str) -> String {
        format!("t.{}", self.dialect.quote(column))
    }
}

/// The table of the log.
pub(super) fn log_table() -> TableName {
    TableName { schema: None, name: LOG.to_owned() }
}

/// Where the original rows of a table are kept.
pub(super) fn kept(table: &TableName) -> TableName {
    let name = match &table.schema {
        Some(schema) => format!("{schema}.{}", table.name),
        None => table.name.clone(),
    };
    TableName { schema: Some(BACKUP.to_owned()), name }
}
