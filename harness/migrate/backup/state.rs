//! The rows of a database, table by table, as a backup has to hold them.

use std::collections::BTreeMap;

use crate::{
    canon::{Form, RowDigester},
    engine::{Rowset, Session, spawned},
    migrate::{StepError, StepVoice, engine_of},
    model::{Address, Catalogue, Endpoint, Fingerprint, TableName},
};

/// What was read in one transaction, which is still open.
pub(in crate::migrate) struct Reading {
    /// Where.
    pub session: Box<dyn Session>,
    /// The server's version.
    pub version: String,
    /// The word by which others see the same state; none where the engine has none, or the session has to be closed before
    /// somebody else reads the file.
    pub snapshot: Option<String>,
    /// Its catalogue.
    pub catalogue: Catalogue,
    /// The rows of every table, in own form.
    pub tables: BTreeMap<TableName, Fingerprint>,
}

impl Reading {
    /// Ends the transaction and the session.
    pub async fn close(mut self) -> Result<BTreeMap<TableName, Fingerprint>, StepError> {
        self.session.commit().await?;
        self.session.close().await?;
        Ok(self.tables)
    }
}

/// Reads every row of a database.
///
/// # Errors
/// If a table cannot be read: nobody could say then whether a backup holds it.
pub(in crate::migrate) async fn read(address: &Address, voice: &mut dyn StepVoice) -> Result<Reading, StepError> {
    let mut session = engine_of(address)?.connect(address).await?;
    let version = session.version().await?;
    session.begin(true).await?;
    let snapshot = match &address.endpoint {
        Endpoint::File(_) => None,
        Endpoint::Server { .. } => session.share_snapshot().await?,
    };
    let catalogue = session.introspect().await?;
    let mut tables = BTreeMap::new();
    let mut done = 0;
    for table in catalogue.tables.values() {
        if let Some(why) = &table.unreadable {
            return Err(StepError::Rejected { what: format!("the rows of {} cannot be read: {why}", table.name) });
        }
        let mut columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        // By name: the order of the columns is no property of a row.
        columns.sort_unstable();
        let digester = RowDigester::new(vec![Form::Own; columns.len()], Vec::new(), false).with_buckets(1);
        let scanned = spawned::scan(session, Rowset::of(table.name.clone(), columns), digester).await?;
        scanned.outcome?;
        session = scanned.session;
        let fingerprint = scanned.sink.finish().fingerprint;
        done += fingerprint.rows;
        voice.progress("read", done, None);
        tables.insert(table.name.clone(), fingerprint);
    }
    Ok(Reading { session, version, snapshot, catalogue, tables })
}

/// How the rows of a database differ from what they have to be, by the first table.
pub(in crate::migrate) fn difference(
    wanted: &BTreeMap<TableName, Fingerprint>,
    found: &BTreeMap<TableName, Fingerprint>,
) -> Option<String> {
    let told = |table: Option<&Fingerprint>| match table {
        Some(table) => format!("{} rows", table.rows),
        None => "no such table".to_owned(),
    };
    let names = wanted.keys().chain(found.keys().filter(|name| !wanted.contains_key(*name)));
    names.into_iter().find_map(|name| match (wanted.get(name), found.get(name)) {
        (one, other) if one == other => None,
        (Some(one), Some(other)) if one.rows == other.rows => {
            Some(format!("{name} holds other rows, {} of them as before", one.rows))
        }
        (one, other) => Some(format!("{name}: {} in place of {}", told(other), told(one))),
    })
}
