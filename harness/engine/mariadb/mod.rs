//! MariaDB 10.11 and newer.
//!
//! Rows leave by prepared statements, whose binary answers keep floats and zero dates as they are, and enter by
//! multi-row INSERTs with bound values; the catalogue is read from `information_schema`. A database is what other
//! engines call a schema: a session sees its own one, and tables of another one by name.
//!
//! Every DDL statement commits the transaction that is open before it runs and cannot be taken back: a script of
//! several statements that fails halfway leaves those before, and [`Session::advance_sequences`] commits as well.
//!
//! MySQL is refused on connecting: its catalogue, collations and types differ, and nobody tried this engine on it.

use std::path::Path;

use async_trait::async_trait;
use sqlx::{
    ConnectOptions,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};

use super::{
    DatabaseSql, Dialect, Engine, EngineError, Parameter, ServerSpec, Session, UrlSpec,
    backup::Backups,
    dump::{Dump, Glance},
    tls,
};
use crate::model::{Address, Endpoint, Host, TlsMode};

mod backup;
mod cluster;
mod create;
mod decimal;
mod dialect;
mod dump;
mod error;
mod fence;
mod footprint;
mod guard;
mod introspect;
mod load;
mod queries;
mod retype;
mod rights;
mod scan;
mod script;
mod session;
mod specimen;
mod types;
mod wire;

pub use dialect::MariaDbDialect;
pub use error::ServerError;

/// MariaDB.
#[derive(Debug)]
pub struct MariaDb;

/// What a provisioner has to know to start a MariaDB server.
static SERVER: ServerSpec = ServerSpec {
    image: "mariadb",
    default_tag: "11.8",
    port: 3306,
    environment: |password| vec![("MARIADB_ROOT_PASSWORD".to_owned(), password.to_owned())],
    superuser: "root",
    maintenance_database: "mysql",
    program: "mariadbd",
    cluster: cluster::SPEC,
    program_folders: &[
        "/usr/sbin",
        "/usr/local/mysql/bin",
        "/usr/local/mariadb/bin",
        "/opt/homebrew/opt/mariadb@*/bin",
    ],
    databases: DatabaseSql {
        // The collation is the server's own default for UTF-8, as it would be in production.
        create: |quoted| format!("CREATE DATABASE {quoted} CHARACTER SET utf8mb4"),
        drop: drop_database,
        copy: None,
        beside: None,
        unsynced: &["SET GLOBAL innodb_flush_log_at_trx_commit = 0"],
        reads: |table| format!("SELECT 1 FROM {table} LIMIT 0"),
        writes: |table| format!("DELETE FROM {table} WHERE FALSE"),
        roles: None,
        may_create: "SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'CREATE' \
                     AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')",
        has_table: |table| {
            format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}' \
                 AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') LIMIT 1"
            )
        },
    },
    urls: UrlSpec {
        schemes: &["mariadb"],
        // The names of the clients' options: https://mariadb.com/kb/en/mariadb-command-line-client/
        parameters: &[
            ("host", Parameter::Host),
            ("port", Parameter::Port),
            ("socket", Parameter::Socket),
            ("user", Parameter::User),
            ("password", Parameter::Password),
            ("database", Parameter::Database),
            ("ssl-mode", Parameter::TlsMode),
            ("ssl-ca", Parameter::TlsRoot),
            ("ssl-cert", Parameter::TlsCertificate),
            ("ssl-key", Parameter::TlsKey),
            ("defaults-file", Parameter::OptionFile),
            ("default-character-set", Parameter::NoEffect),
            ("connect-timeout", Parameter::NoEffect),
        ],
        tls_modes: &[
            ("disabled", TlsMode::Disable),
            ("preferred", TlsMode::Prefer),
            ("required", TlsMode::Require),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-identity", TlsMode::VerifyFull),
        ],
    },
};

/// Sessions in a database would make dropping it wait for their locks; one that ends meanwhile is no error.
fn drop_database(quoted: &str) -> String {
    let literal = dialect::literal(&quoted.trim_matches('`').replace("``", "`"));
    format!(
        "BEGIN NOT ATOMIC \
           DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; \
           FOR one IN (SELECT id FROM information_schema.processlist WHERE db = {literal} AND id <> CONNECTION_ID()) DO \
             EXECUTE IMMEDIATE CONCAT('KILL ', one.id); \
           END FOR; \
         END; \
         DROP DATABASE IF EXISTS {quoted}"
    )
}

/// The settings of every session.
///
/// Strict for every storage engine, so that no value is cut or bent in silence; without NO_AUTO_VALUE_ON_ZERO a loaded 0
/// would become a new number, and without a time zone of its own the session would shift timestamps. Identifiers stand
/// in backticks alone (no ANSI_QUOTES) and backslashes escape. Timeouts are long where a slow reader would otherwise be
/// cut off, and stated where waiting for a lock ends.
///
/// What a subquery gave for one row is not kept for others: the server would look for it by a collation, to which unlike
/// values may be equal.
const SETTINGS: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,\
                        NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', \
                        time_zone = '+00:00', optimizer_switch = 'subquery_cache=off', \
                        autocommit = 1, foreign_key_checks = 1, unique_checks = 1, \
                        check_constraint_checks = 1, explicit_defaults_for_timestamp = 1, \
                        innodb_lock_wait_timeout = 50, lock_wait_timeout = 50, max_statement_time = 0, \
                        wait_timeout = 86400, net_read_timeout = 3600, net_write_timeout = 3600, \
                        group_concat_max_len = 16777216, sql_quote_show_create = 1, sql_select_limit = DEFAULT, max_recursive_iterations = DEFAULT; \
                        SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE";

#[async_trait]
impl Engine for MariaDb {
    fn id(&self) -> &'static str {
        "mariadb"
    }

    fn title(&self) -> &'static str {
        "MariaDB"
    }

    fn words(&self) -> &'static [&'static str] {
        &["mariadb", "mysql"]
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &MariaDbDialect
    }

    fn server(&self) -> Option<&'static ServerSpec> {
        Some(&SERVER)
    }

    fn retype(&self) -> Option<&'static dyn super::retype::Retype> {
        Some(&retype::MariaDbRetype)
    }

    fn dump(&self, glance: &Glance<'_>) -> Result<Option<Dump>, EngineError> {
        dump::recognise(glance)
    }

    fn backups(&self) -> Option<&'static dyn Backups> {
        Some(&backup::MariaDbBackups)
    }

    async fn restore(&self, dump: &Dump, address: &Address, _folder: &Path) -> Result<Vec<String>, EngineError> {
        dump::restore(dump, address).await
    }

    async fn connect(&self, address: &Address) -> Result<Box<dyn Session>, EngineError> {
        let (place, options) = (address.to_string(), options(address)?);
        let Endpoint::Server { host, tls, .. } = &address.endpoint else { return Err(no_server(address)) };
        let mut attempts = tls::attempts(tls, host).iter().peekable();
        let connection = loop {
            let mode = attempts.next().copied().unwrap_or(TlsMode::Disable);
            match options.clone().ssl_mode(ssl_mode(mode)).connect().await {
                Ok(connection) => break connection,
                Err(error) if attempts.peek().is_some() && tls::is_tls(&error) => {}
                Err(error) => return Err(error::on_connect(&place, host, tls, error)),
            }
        };
        let mut session = session::MariaDbSession::new(connection, place);
        session.run("setting up the session", SETTINGS).await?;
        session.require_mariadb().await?;
        Ok(Box::new(session))
    }
}

fn no_server(address: &Address) -> EngineError {
    EngineError::BadFile { path: address.to_string(), problem: "is a file, not a server".to_owned() }
}

const fn ssl_mode(mode: TlsMode) -> MySqlSslMode {
    match mode {
        TlsMode::Disable => MySqlSslMode::Disabled,
        TlsMode::Allow | TlsMode::Prefer => MySqlSslMode::Preferred,
        TlsMode::Require => MySqlSslMode::Required,
        TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
        TlsMode::VerifyFull => MySqlSslMode::VerifyIdentity,
    }
}

/// Turns an address into the driver's options, but for the mode of encryption.
fn options(address: &Address) -> Result<MySqlConnectOptions, EngineError> {
    let Endpoint::Server { host, user, password, database, tls } = &address.endpoint else {
        return Err(no_server(address));
    };
    let options = MySqlConnectOptions::new().username(user).database(database);
    let options = match host {
        Host::Tcp { host, port } => options.host(host).port(*port),
        Host::Socket { directory, .. } => options.socket(directory.join(SOCKET)),
    };
    let options = match password {
        Some(password) => options.password(password.reveal()),
        None => options,
    };
    let options = tls.root.iter().fold(options, |options, file| options.ssl_ca(file));
    let options = tls.certificate.iter().fold(options, |options, file| options.ssl_client_cert(file));
    let options = tls.key.iter().fold(options, |options, file| options.ssl_client_key(file));
    Ok(options
        .charset("utf8mb4")
        // Our own settings say all of this, and the driver's `||` would change what a migration's SQL means.
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .statement_cache_capacity(8)
        .disable_statement_logging())
}

/// The name that a server gives its socket unless it is told another one.
const SOCKET: &str = "mysqld.sock";
