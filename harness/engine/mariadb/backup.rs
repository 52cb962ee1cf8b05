//! Backups by mariadb-dump.

use std::{collections::BTreeSet, fs::File, io::BufReader, path::Path};

use async_trait::async_trait;

use super::{MariaDb, MariaDbDialect, SERVER, dialect, dump};
use crate::{
    engine::{
        Dialect, Engine, EngineError,
        backup::{BackupForm, BackupOrder, Backups, Extent, numbers, writer},
        dump::{Dump, bad, next_line},
        program::{Program, Wanted},
    },
    model::{Address, Endpoint, Host, TlsMode},
};

/// Backups of MariaDB.
pub(super) struct MariaDbBackups;

const FORMS: &[BackupForm] = &[BackupForm { id: "plain", file: "backup.sql" }];
const MARIADB_DUMP: Wanted =
    Wanted { name: "mariadb-dump", folders: &["/usr/local/mysql/bin", "/usr/local/bin", "/usr/bin"], version, suits };

/// What the last line of a whole dump begins with.
const COMPLETE: &str = "-- Dump completed";

/// Of `mariadb-dump from 11.8.2-MariaDB, client 10.19 for …`, and of `… Distrib 10.11.11-MariaDB, for …`.
fn version(said: &str) -> Option<String> {
    said.split_whitespace().find_map(|word| word.split_once("-MariaDB")).map(|(version, _)| version.to_owned())
}

/// An older program does not know all that a newer server holds.
fn suits(version: &str, server: &str) -> Option<u32> {
    let rank = |(major, minor): (u32, u32)| major * 1000 + minor;
    rank(numbers(version)).checked_sub(rank(numbers(server)))
}

#[async_trait]
impl Backups for MariaDbBackups {
    fn forms(&self) -> &'static [BackupForm] {
        FORMS
    }

    async fn tool(&self, server: &Address) -> Result<Result<String, String>, EngineError> {
        Ok(writer(&MariaDb, &MARIADB_DUMP, server).await?.map(|program| program.told()))
    }

    async fn write(&self, order: &BackupOrder<'_>) -> Result<String, EngineError> {
        let failed = |told: String| bad(order.to, &format!("could not be written: {told}"));
        let mut program = writer(&MariaDb, &MARIADB_DUMP, order.address).await?.map_err(failed)?;
        // No option file of a user's has a say.
        program.argument("--no-defaults");
        let database = reach(&mut program, order.address)?;
        for argument in ["--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"] {
            program.argument(argument);
        }
        program.argument("--default-character-set=utf8mb4").argument("--").argument(database);
        let told = program.told();
        program.run_into(None, order.to).await.map_err(failed)?;
        Ok(told)
    }

    async fn look_through(
        &self,
        backup: &Path,
        _form: &BackupForm,
        _tool: &str,
        extent: &Extent,
        _server: &Address,
    ) -> Result<(), EngineError> {
        let listed = tokio::task::block_in_place(|| list(backup)).map_err(|problem| bad(backup, &problem))?;
        match extent.tables.iter().find(|table| !listed.contains(&table.name)) {
            Some(table) => Err(bad(backup, &format!("does not hold the table {table}"))),
            None => Ok(()),
        }
    }

    fn is_newer(&self, version: &str, than: &str) -> bool {
        numbers(version) > numbers(than)
    }

    async fn restore(
        &self,
        backup: &Path,
        _form: &BackupForm,
        _tool: &str,
        address: &Address,
        _folder: &Path,
    ) -> Result<Vec<String>, EngineError> {
        let dump = Dump { path: backup.to_owned(), engine: &MariaDb, title: "a dump of mariadb-dump", version: None };
        dump::restore(&dump, address).await
    }

    async fn anew(&self, address: &Address, like: &Address) -> Result<Vec<String>, EngineError> {
        let Endpoint::Server { database, .. } = &address.endpoint else { return Err(super::no_server(address)) };
        let mut session = MariaDb.connect(like).await?;
        let rows = session
            .query(
                "SELECT default_character_set_name, default_collation_name, COALESCE(schema_comment, '') \
                 FROM information_schema.schemata WHERE schema_name = DATABASE()",
            )
            .await?;
        session.close().await?;
        let row: Vec<String> = rows.into_iter().flatten().flatten().collect();
        let [set, collation, comment] = row.as_slice() else {
            let what = "the server does not show the database".to_owned();
            return Err(EngineError::Unexpected { doing: "asking for the database's properties".to_owned(), what });
        };
        let quoted = MariaDbDialect.quote(database);
        let comment =
            if comment.is_empty() { String::new() } else { format!(" COMMENT {}", dialect::literal(comment)) };
        let create = format!("CREATE DATABASE {quoted} CHARACTER SET {set} COLLATE {collation}{comment}");
        Ok(vec![(SERVER.databases.drop)(&quoted), create])
    }

    async fn make_anew(&self, address: &Address, statements: &[String]) -> Result<(), EngineError> {
        let mut session = MariaDb.connect(&address.with_database(SERVER.maintenance_database)).await?;
        for statement in statements {
            session.execute(statement).await?;
        }
        session.close().await
    }
}

/// Tells the program where the database is, and gives its name. The password goes through the environment.
fn reach<'a>(program: &mut Program, address: &'a Address) -> Result<&'a str, EngineError> {
    let Endpoint::Server { host, user, password, database, tls } = &address.endpoint else {
        return Err(super::no_server(address));
    };
    match host {
        _ if program.is_contained() => {
            program.argument("--protocol=socket");
        }
        Host::Socket { directory, .. } => {
            program.argument(format!("--socket={}", directory.join(super::SOCKET).display()));
        }
        Host::Tcp { host, port } => {
            program.argument("--protocol=tcp").argument(format!("--host={host}")).argument(format!("--port={port}"));
            let files = [("--ssl-ca", &tls.root), ("--ssl-cert", &tls.certificate), ("--ssl-key", &tls.key)];
            for (option, file) in files {
                if let Some(file) = file {
                    program.argument(format!("{option}={}", file.display()));
                }
            }
            let option = match tls.mode {
                TlsMode::Disable => "--skip-ssl",
                TlsMode::Allow | TlsMode::Prefer | TlsMode::Require => "--skip-ssl-verify-server-cert",
                TlsMode::VerifyCa | TlsMode::VerifyFull => "--ssl-verify-server-cert",
            };
            program.argument(option);
        }
    }
    program.argument(format!("--user={user}"));
    if let Some(password) = password {
        program.variable("MYSQL_PWD", password.reveal());
    }
    Ok(database)
}

/// The tables and sequences that a whole dump makes.
fn list(path: &Path) -> Result<BTreeSet<String>, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut lines = BufReader::with_capacity(1 << 16, file);
    let (mut listed, mut is_complete) = (BTreeSet::new(), false);
    while let Some(line) = next_line(&mut lines).map_err(|error| format!("cannot be read: {error}"))? {
        if line.is_empty() {
            continue;
        }
        is_complete = line.starts_with(COMPLETE.as_bytes());
        listed.extend(made(&String::from_utf8_lossy(&line)));
    }
    if is_complete { Ok(listed) } else { Err(format!("is cut off: its last line is not `{COMPLETE}`")) }
}

/// The table that the statement on this line makes. No row's value begins a line.
fn made(line: &str) -> Option<String> {
    let rest = line.strip_prefix("CREATE TABLE `").or_else(|| line.strip_prefix("CREATE SEQUENCE `"))?;
    let mut name = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '`' if chars.clone().next() == Some('`') => {
                chars.next();
                name.push('`');
            }
            '`' => return Some(name),
            letter => name.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_each_release_prints_them() {
        let old = "mariadb-dump  Ver 10.19 Distrib 10.11.11-MariaDB, for debian-linux-gnu (x86_64)\n";
        let new = "mariadb-dump from 11.8.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)\n";
        assert_eq!((version(old).as_deref(), version(new).as_deref()), (Some("10.11.11"), Some("11.8.2")));
        assert_eq!((suits("11.8.2", "11.8.1-MariaDB"), suits("10.11.11", "11.8.2-MariaDB")), (Some(0), None));
    }

    #[test]
    fn tables_are_found_where_they_are_made() {
        assert_eq!(made("CREATE TABLE `a``b` (").as_deref(), Some("a`b"));
        assert_eq!(made("INSERT INTO `a` VALUES"), None);
    }
}
