//! PostgreSQL 13 to 18.
//!
//! Rows leave and enter by `COPY … (FORMAT binary)`; the catalogue is read by one set-based query per class of objects.
//! Server connections go through sqlx, whose statements are only ever built here, from quoted identifiers.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{
    DatabaseSql, Dialect, Engine, EngineError, ServerSpec, Session,
    dump::{Dump, Glance},
};
use crate::model::{Address, Endpoint, Host};

mod dialect;
mod dump;
mod encode;
mod error;
mod guard;
mod introspect;
mod load;
mod queries;
mod reading;
mod scan;
mod script;
mod session;
mod spell;
mod types;
mod wire;

pub use dialect::PostgresDialect;
pub use error::ServerError;

/// The schema that a [`crate::model::TableName`] without one is in.
const DEFAULT_SCHEMA: &str = "public";

/// PostgreSQL.
#[derive(Debug)]
pub struct Postgres;

/// What a provisioner has to know to start a PostgreSQL server.
static SERVER: ServerSpec = ServerSpec {
    image: "postgres",
    default_tag: "17",
    port: 5432,
    environment: |password| vec![("POSTGRES_PASSWORD".to_owned(), password.to_owned())],
    superuser: "postgres",
    maintenance_database: "postgres",
    program: "postgres",
    cluster_maker: Some("initdb"),
    program_folders: &[
        "/usr/lib/postgresql/*/bin",
        "/usr/local/pgsql/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
        "/usr/pgsql-*/bin",
    ],
    databases: DatabaseSql {
        // `template1` holds whatever somebody once put there, in its encoding; `template0` is as the maker left it.
        create: |quoted| format!("CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'"),
        drop: |quoted| format!("DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"),
        may_create: "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)",
        has_table: |table| {
            format!("SELECT 1 FROM pg_catalog.pg_class WHERE relname = '{table}' AND relkind IN ('r', 'p') LIMIT 1")
        },
    },
};

/// The settings of every session. They go into the startup packet, so that neither defaults of the role or database nor
/// a `RESET ALL` inside a migration can change them.
///
/// The search path is `public` alone, so that plain scripts work and a schema named like the role has no say; the
/// introspection sets its own. Row security is off so that hidden rows are an error and not an absence. Notices are
/// off because nothing reads them while rows are being sent, and a full socket would stall both ends. Just-in-time
/// compilation costs the queries of the catalogue ten times what they take.
const SETTINGS: &[(&str, &str)] = &[
    ("TimeZone", "UTC"),
    ("search_path", "public"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("xmloption", "content"),
    ("extra_float_digits", "3"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "error"),
    ("jit", "off"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("standard_conforming_strings", "on"),
    ("row_security", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_deferrable", "off"),
];

#[async_trait]
impl Engine for Postgres {
    fn id(&self) -> &'static str {
        "postgres"
    }

    fn title(&self) -> &'static str {
        "PostgreSQL"
    }

    fn words(&self) -> &'static [&'static str] {
        &["postgres", "postgresql", "pg"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn server(&self) -> Option<&'static ServerSpec> {
        Some(&SERVER)
    }

    fn dump(&self, glance: &Glance<'_>) -> Result<Option<Dump>, EngineError> {
        dump::recognise(glance)
    }

    async fn restore(&self, dump: &Dump, address: &Address, folder: &Path) -> Result<Vec<String>, EngineError> {
        dump::restore(dump, address, folder).await
    }

    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError> {
        let place = address.to_string();
        let options = options(address)?;
        let connection = options.connect().await.map_err(|source| error::on_connect(&place, source))?;
        Ok(Box::new(session::PostgresSession::new(connection, place)))
    }
}

/// Turns an address into the driver's options.
///
/// The driver begins with whatever PGHOST, PGPASSWORD, PGSSLMODE and their like say in the environment. Every one of them
/// is overwritten, for a user's shell has no say about where a rehearsal writes.
fn options(address: &Address) -> Result<PgConnectOptions, EngineError> {
    let Endpoint::Server { host, user, password, database } = &address.endpoint else {
        return Err(EngineError::BadFile { path: address.to_string(), problem: "is a file, not a server".to_owned() });
    };
    let options = PgConnectOptions::new_without_pgpass().username(user).database(database);
    let options = match host {
        Host::Tcp { host, port } => options.host(host).port(*port),
        Host::Socket { directory, port } => options.socket(directory).port(*port),
    };
    if options.get_options().is_some() {
        // The driver would put our settings behind those of PGOPTIONS, and offers no way to take them out.
        let source = "the variable PGOPTIONS in the environment would change every session; unset it".into();
        return Err(EngineError::Unavailable { place: address.to_string(), source });
    }
    // To a server that asks for a password, an empty one is the same as none.
    let password = password.as_ref().map_or("", |password| password.reveal());
    Ok(options
        .password(password)
        // Without TLS in this build, `prefer` means a plain connection, which is what a server of our own has.
        .ssl_mode(PgSslMode::Prefer)
        .application_name("rehearse")
        .extra_float_digits(3)
        .statement_cache_capacity(0)
        .options(SETTINGS.iter().copied())
        .disable_statement_logging())
}

#[cfg(test)]
mod tests;
