//! What a tool keeps about itself outside of the database's own tables, written to a database that is kept.

use super::play::Play;
use crate::{
    migrate::layout::{LedgerSql, Place, Plan},
    model::chain,
};

impl Play {
    /// Leaves the database standing under its first name, as the tool would leave it behind these first migrations.
    pub(super) async fn keep(&mut self, applied: usize) -> Result<(), String> {
        let settled = self.databases.settle(self.here.clone()).await?;
        self.note(format!("the database behind the last migration is {settled}"))?;
        self.here = settled;
        // The rehearsal is over, and no worse for that.
        match self.register(applied).await {
            Ok(None) => Ok(()),
            Ok(Some(told)) => self.note(told),
            Err(error) => self.note(format!("failed to write what the tool itself keeps: {error}")),
        }
    }

    /// Writes the registry of a tool that keeps a plan; tells where.
    async fn register(&self, applied: usize) -> Result<Option<String>, String> {
        let Some(plan) = &self.subject.history.plan else { return Ok(None) };
        let sql = LedgerSql { engine: self.engine };
        let (address, place) = match Plan::place(&sql) {
            Place::Schema(name) => (Some(self.here.clone()), format!("the schema `{name}` of it")),
            Place::Database(name) => {
                (self.databases.beside(name).await?, format!("the database `{name}` of its server"))
            }
            Place::File(name) => (self.databases.beside(name).await?, format!("the file `{name}` beside it")),
        };
        let Some(address) = address else {
            return Ok(Some(format!("what the tool itself keeps is not written: {place} could be somebody else's")));
        };
        let mut session = self.engine.connect(&address).await.map_err(|error| chain(&error))?;
        session.begin(false).await.map_err(|error| chain(&error))?;
        for statement in plan.registry(&self.subject.history.migrations[..applied], &sql) {
            session.execute(&statement).await.map_err(|error| chain(&error))?;
        }
        session.commit().await.map_err(|error| chain(&error))?;
        session.close().await.map_err(|error| chain(&error))?;
        Ok(Some(format!("what the tool itself keeps is in {place}")))
    }
}
