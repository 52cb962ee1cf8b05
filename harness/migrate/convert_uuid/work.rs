//! A conversion at work: its session, and what it knows of the database.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{StepError, StepVoice, engine_of},
    operation::Operation,
    settings::{LOG, Settings},
};
use crate::{
    engine::{DatabaseSql, Dialect, EngineError, Session, retype::Retype},
    model::{Address, Catalogue, Endpoint, Host, TableName},
};

/// A conversion at work.
pub(super) struct Work<'a> {
    /// What it is told.
    pub settings: &'a Settings,
    /// The database.
    pub session: Box<dyn Session>,
    /// The database of the original rows, where that is another one.
    pub vault: Option<Box<dyn Session>>,
    /// The name of the database, for whoever keeps rows of several.
    pub place: String,
    /// How its engine changes types.
    pub retype: &'static dyn Retype,
    /// What is asked about its databases.
    databases: Option<&'static DatabaseSql>,
    /// The schema of the original rows.
    pub backup: String,
    /// How its SQL is written.
    pub dialect: &'static dyn Dialect,
    /// Who waits.
    pub voice: &'a mut dyn StepVoice,
    /// What the log has to say about a failure, where that is more than its error: rows' values stay in the database.
    pub told: Option<String>,
    /// What was seen and is no fault.
    pub remarks: Vec<String>,
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
        let mut session = engine.connect(address).await?;
        session.execute(&retype.patience(settings.lock_ms)).await?;
        let backup = settings.backup.clone().unwrap_or_else(|| match &address.endpoint {
            Endpoint::Server { database, .. } => retype.backup(database),
            Endpoint::File(_) => retype.backup("main"),
        });
        let vault = match &settings.backup_in {
            Some(vault) => Some(reach(address, vault, retype).await?),
            None => None,
        };
        let databases = engine.server().map(|server| &server.databases);
        Ok(Self {
            settings,
            session,
            vault,
            place: place(address),
            retype,
            databases,
            backup,
            dialect: engine.dialect(),
            voice,
            told: None,
            remarks: Vec::new(),
        })
    }

    /// Ends the session.
    pub async fn end(self) -> Result<(), StepError> {
        if let Some(vault) = self.vault {
            vault.close().await?;
        }
        Ok(self.session.close().await?)
    }

    /// The whole catalogue as it is now.
    pub async fn catalogue(&mut self) -> Result<Catalogue, EngineError> {
        self.session.introspect().await
    }

    /// Whether the database has a table of this name (a plain word), in whatever schema.
    pub async fn has_table(&mut self, name: &str) -> Result<bool, EngineError> {
        let Some(databases) = self.databases else { return Ok(false) };
        Ok(!self.session.query(&(databases.has_table)(name)).await?.is_empty())
    }

    /// The session of the database that holds the original rows.
    pub fn keeper(&mut self) -> &mut dyn Session {
        match &mut self.vault {
            Some(vault) => &mut **vault,
            None => &mut *self.session,
        }
    }

    /// The session of the other database, for a task of its own, which gives it back.
    pub fn vault(&mut self) -> Result<Box<dyn Session>, StepError> {
        let lost = || StepError::Refused { what: "the database of the original rows is not at hand".to_owned() };
        self.vault.take().ok_or_else(lost)
    }

    /// The tables in the schema of the original rows.
    pub async fn kept_tables(&mut self) -> Result<BTreeSet<String>, EngineError> {
        let sql = self.tables_of_backup();
        Ok(self.keeper().query(&sql).await?.into_iter().flatten().flatten().collect())
    }

    /// The tables in the schema of that name here, wherever the rows are kept.
    pub async fn tables_here(&mut self) -> Result<BTreeSet<String>, EngineError> {
        let sql = self.tables_of_backup();
        Ok(self.session.query(&sql).await?.into_iter().flatten().flatten().collect())
    }

    fn tables_of_backup(&self) -> String {
        let schema = self.dialect.literal(&self.backup);
        format!("SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}")
    }

    /// Where the original rows of a table are kept.
    pub fn kept(&self, table: &TableName) -> TableName {
        TableName::in_schema(&self.backup, kept_name(table))
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

/// The name under which the original rows of a table are kept.
pub(super) fn kept_name(table: &TableName) -> String {
    match &table.schema {
        Some(schema) => format!("{schema}.{}", table.name),
        None => table.name.clone(),
    }
}

/// The name of a database, whoever connects to it.
fn place(address: &Address) -> String {
    match &address.endpoint {
        Endpoint::File(path) => path.display().to_string(),
        Endpoint::Server { host: Host::Tcp { host, port }, database, .. } => format!("{database} at {host}:{port}"),
        Endpoint::Server { host: Host::Socket { directory, port }, database, .. } => {
            format!("{database} at {}:{port}", directory.display())
        }
    }
}

/// A session of the database that holds, or will hold, the original rows of another one.
async fn reach(address: &Address, vault: &Address, retype: &dyn Retype) -> Result<Box<dyn Session>, StepError> {
    let refused = |what: &str| Err(StepError::Refused { what: format!("{vault} cannot hold the backup: {what}") });
    if vault.engine != address.engine {
        return refused(&format!("it is of another engine than {address}"));
    }
    if !retype.keeps_elsewhere() {
        return refused("here the original rows lie on the same server, in a database that --backup names");
    }
    if place(vault) == place(address) {
        return refused("it is the database itself");
    }
    Ok(engine_of(vault)?.connect(vault).await?)
}
