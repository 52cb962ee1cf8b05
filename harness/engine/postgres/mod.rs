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
    DatabaseSql, Dialect, Engine, EngineError, Parameter, RoleSql, ServerSpec, Session, UrlSpec,
    backup::Backups,
    dump::{Dump, Glance},
    retype::Retype,
    tls,
};
use crate::model::{Address, Endpoint, Host, TlsMode};

mod backup;
mod cancel;
mod cluster;
mod dialect;
mod dump;
mod encode;
mod error;
mod fence;
mod footprint;
mod guard;
mod introspect;
mod load;
mod queries;
mod reading;
mod retype;
mod scan;
mod script;
mod session;
mod specimen;
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
    cluster: cluster::SPEC,
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
        copy: Some(|quoted, of| format!("CREATE DATABASE {quoted} TEMPLATE {of}")),
        beside: Some(|literal, of| include_str!("of_database.sql").replace(":name", literal).replace(":of", of)),
        unsynced: &["ALTER SYSTEM SET fsync = off", "SELECT pg_catalog.pg_reload_conf()"],
        // A statement, even one that changes no row, would fire triggers.
        reads: |table| format!("BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE; ROLLBACK"),
        writes: |table| format!("BEGIN; LOCK TABLE {table} IN ROW EXCLUSIVE MODE; ROLLBACK"),
        roles: Some(RoleSql {
            list: "SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid >= 16384",
            drop: |quoted| format!("DROP ROLE {quoted}"),
        }),
        may_create: "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolcreatedb OR rolsuper)",
        has_table: |table| {
            format!("SELECT 1 FROM pg_catalog.pg_class WHERE relname = '{table}' AND relkind IN ('r', 'p') LIMIT 1")
        },
    },
    urls: UrlSpec {
        schemes: &["postgres", "postgresql"],
        // libpq's names: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
        parameters: &[
            ("host", Parameter::Host),
            ("port", Parameter::Port),
            ("user", Parameter::User),
            ("password", Parameter::Password),
            ("dbname", Parameter::Database),
            ("sslmode", Parameter::TlsMode),
            ("sslrootcert", Parameter::TlsRoot),
            ("sslcert", Parameter::TlsCertificate),
            ("sslkey", Parameter::TlsKey),
            ("service", Parameter::Service),
            ("passfile", Parameter::PassFile),
            ("application_name", Parameter::NoEffect),
            ("fallback_application_name", Parameter::NoEffect),
            ("client_encoding", Parameter::NoEffect),
            ("connect_timeout", Parameter::NoEffect),
        ],
        tls_modes: &[
            ("disable", TlsMode::Disable),
            ("allow", TlsMode::Allow),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-full", TlsMode::VerifyFull),
        ],
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

/// A database in SQL_ASCII takes any bytes for text, and would refuse to send those that are not UTF-8. From there they
/// are taken as they are.
const RAW_WHERE_UNKNOWN: &str = "SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', false) \
                                 WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII'";

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

    fn backups(&self) -> Option<&'static dyn Backups> {
        Some(&backup::PostgresBackups)
    }

    async fn restore(&self, dump: &Dump, address: &Address, folder: &Path) -> Result<Vec<String>, EngineError> {
        dump::restore(dump, address, folder).await
    }

    fn retype(&self) -> Option<&'static dyn Retype> {
        Some(&retype::PostgresRetype)
    }

    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError> {
        let (place, options) = (address.to_string(), options(address)?);
        let Endpoint::Server { host, tls, .. } = &address.endpoint else { return Err(no_server(address)) };
        let mut attempts = tls::attempts(tls, host).iter().peekable();
        loop {
            let mode = attempts.next().copied().unwrap_or(TlsMode::Disable);
            let options = options.clone().ssl_mode(ssl_mode(mode));
            match options.connect().await {
                Ok(connection) => {
                    let mut session = session::PostgresSession::new(connection, options, place);
                    session.run("setting up the session", RAW_WHERE_UNKNOWN).await?;
                    return Ok(Box::new(session));
                }
                Err(error) if attempts.peek().is_some() && (tls::is_tls(&error) || error::turned_away(&error)) => {}
                Err(error) => return Err(error::on_connect(&place, host, tls, error)),
            }
        }
    }
}

fn no_server(address: &Address) -> EngineError {
    EngineError::BadFile { path: address.to_string(), problem: "is a file, not a server".to_owned() }
}

const fn ssl_mode(mode: TlsMode) -> PgSslMode {
    match mode {
        TlsMode::Disable => PgSslMode::Disable,
        TlsMode::Allow => PgSslMode::Allow,
        TlsMode::Prefer => PgSslMode::Prefer,
        TlsMode::Require => PgSslMode::Require,
        TlsMode::VerifyCa => PgSslMode::VerifyCa,
        TlsMode::VerifyFull => PgSslMode::VerifyFull,
    }
}

/// Turns an address into the driver's options, but for the mode of encryption.
///
/// The driver begins with whatever PGHOST, PGPASSWORD and their like say in the environment. Every one of them is
/// overwritten, for a user's shell has no say about where a rehearsal writes; those that cannot be overwritten (PGOPTIONS,
/// PGSSLCERT, …) the program takes out of its environment when it starts.
fn options(address: &Address) -> Result<PgConnectOptions, EngineError> {
    let Endpoint::Server { host, user, password, database, tls } = &address.endpoint else {
        return Err(no_server(address));
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
    let options = tls.root.iter().fold(options, |options, file| options.ssl_root_cert(file));
    let options = tls.certificate.iter().fold(options, |options, file| options.ssl_client_cert(file));
    let options = tls.key.iter().fold(options, |options, file| options.ssl_client_key(file));
    // To a server that asks for a password, an empty one is the same as none.
    let password = password.as_ref().map_or("", |password| password.reveal());
    Ok(options
        .password(password)
        .application_name("rehearse")
        .extra_float_digits(3)
        .statement_cache_capacity(0)
        .options(SETTINGS.iter().copied())
        .disable_statement_logging())
}

#[cfg(test)]
mod tests;
