//! Scratch databases on a server.
//!
//! On a server of our own they go when the server goes. On the user's own server each is a lease: announced before it is
//! created, and dropped by name.

use super::{External, LeaseLog, ProvisionError, Server, settle};
use crate::{
    engine::{DatabaseSql, Engine, EngineError},
    model::{Address, Lease, LeaseKind, RunId, Side},
};

/// What every scratch database's name begins with, so that a damaged journal cannot name somebody else's.
const PREFIX: &str = "rehearse_";

/// The name of a run's database for one side: lower-case letters, digits and underscores only.
pub fn name(run: &RunId, side: Side) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("{PREFIX}{}_{side}", run.as_str().chars().map(safe).collect::<String>())
}

/// The name of a step's own database beside the one of a side. It ends on no side's name, by which runs find theirs again.
pub fn beside(run: &RunId, side: Side) -> String {
    format!("{}_beside", name(run, side))
}

/// Creates an empty database on a server; `external` says whose it is if it is not our own.
///
/// # Errors
/// If the journal cannot be written (nothing is created then), or the server says no.
pub async fn create(
    server: &Server,
    engine: &'static dyn Engine,
    name: &str,
    leases: &mut dyn LeaseLog,
    external: Option<&External>,
) -> Result<Address, ProvisionError> {
    announce(name, leases, external).await?;
    make(&server.admin, engine, name).await?;
    Ok(server.admin.with_database(name))
}

/// Announces a database on the user's own server; one on a server of our own goes with it.
///
/// # Errors
/// If the journal cannot be written.
pub async fn announce(
    name: &str,
    leases: &mut dyn LeaseLog,
    external: Option<&External>,
) -> Result<(), ProvisionError> {
    let Some(external) = external else { return Ok(()) };
    let kind = LeaseKind::Database { reference: external.reference.clone(), name: name.to_owned() };
    leases.announce(&Lease { id: lease_id(name), kind }).await
}

/// The id of the lease by which a database on the user's own server is announced.
pub fn lease_id(name: &str) -> String {
    format!("database-{name}")
}

/// Makes an empty database whose name was announced.
///
/// # Errors
/// If the server says no.
pub async fn make(admin: &Address, engine: &'static dyn Engine, name: &str) -> Result<(), ProvisionError> {
    to_its_end(admin, engine, (sql(engine)?.create)(&engine.dialect().quote(name))).await
}

/// Makes a copy of a database in which nobody is, under a name that was announced. The answer is whether the engine can.
///
/// # Errors
/// If the server says no, for somebody may be in it.
pub async fn copy(admin: &Address, engine: &'static dyn Engine, name: &str, of: &str) -> Result<bool, ProvisionError> {
    let Some(copy) = sql(engine)?.copy else { return Ok(false) };
    let quote = |name| engine.dialect().quote(name);
    to_its_end(admin, engine, copy(&quote(name), &quote(of))).await?;
    if let Some(beside) = sql(engine)?.beside {
        let literal = |name| engine.dialect().literal(name);
        let mut session = engine.connect(admin).await?;
        for statement in session.query(&beside(&literal(name), &literal(of))).await?.into_iter().flatten().flatten() {
            session.execute(&statement).await?;
        }
        session.close().await?;
    }
    Ok(true)
}

/// Has a server of our own not wait for its disk any more: whatever is on it is gone after a crash anyway.
///
/// # Errors
/// If the server says no.
pub async fn unsynced(admin: &Address, engine: &dyn Engine) -> Result<(), ProvisionError> {
    let mut session = engine.connect(admin).await?;
    for statement in sql(engine)?.unsynced {
        session.execute(statement).await?;
    }
    Ok(session.close().await?)
}

async fn to_its_end(admin: &Address, engine: &'static dyn Engine, statement: String) -> Result<(), ProvisionError> {
    let admin = admin.clone();
    settle::to_its_end(async move { Ok(execute(engine, &admin, &statement).await?) }).await
}

/// Drops a scratch database and cuts the sessions in it; one that is not there (any more) is no error.
///
/// # Errors
/// If its name is not one of ours, or the server says no.
pub async fn drop(admin: &Address, engine: &dyn Engine, name: &str) -> Result<(), ProvisionError> {
    if !name.starts_with(PREFIX) {
        return Err(ProvisionError::NotDisposable {
            place: admin.with_database(name).to_string(),
            reason: format!("the name of a scratch database begins with `{PREFIX}`"),
        });
    }
    let statement = (sql(engine)?.drop)(&engine.dialect().quote(name));
    settle::settled().await;
    Ok(execute(engine, admin, &statement).await?)
}

/// What is said about scratch databases to a server of this engine.
pub(super) fn sql(engine: &dyn Engine) -> Result<&'static DatabaseSql, ProvisionError> {
    Ok(&super::spec(engine)?.databases)
}

async fn execute(engine: &dyn Engine, admin: &Address, statement: &str) -> Result<(), EngineError> {
    let mut session = engine.connect(admin).await?;
    session.execute(statement).await?;
    session.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_tell_the_run() {
        let run = RunId("20261120t215901-k3xq".to_owned());
        assert_eq!(name(&run, Side::Target), "rehearse_20261120t215901_k3xq_target");
    }
}
