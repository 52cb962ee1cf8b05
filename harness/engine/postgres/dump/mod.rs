//! What pg_dump wrote: recognised, looked through, and restored with PostgreSQL's own programs.
//!
//! An archive is turned into a plain dump first, so that every dump is looked through in one form: a plain dump is a script
//! for psql, and psql runs programs that a script tells it to. Roles that it names are made beforehand; without them the
//! owners and grants of a dump cannot be restored.

pub(super) mod plain;

use std::path::Path;

use super::{Postgres, PostgresDialect};
use crate::{
    engine::{
        Dialect, Engine, EngineError,
        dump::{Dump, Glance, bad},
        program::Program,
    },
    model::{Address, Endpoint, Host, Tls},
};

/// Where distributions put PostgreSQL's programs, `*` standing for a version.
pub(super) const FOLDERS: &[&str] =
    &["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"];

/// The dump that is seen at first sight.
pub(super) fn recognise(glance: &Glance<'_>) -> Result<Option<Dump>, EngineError> {
    let dump = |title: &'static str, version: Option<String>| {
        Ok(Some(Dump { path: glance.path.to_owned(), engine: &Postgres, title, version }))
    };
    if glance.head.starts_with(b"PGDMP") {
        let title = if glance.path.is_dir() { "a folder of pg_dump" } else { "an archive of pg_dump" };
        return dump(title, version_in(&glance.head, ""));
    }
    if glance.path.is_dir() {
        return Err(bad(glance.path, "is a folder, and none that pg_dump wrote"));
    }
    if glance.head.starts_with(b"toc.dat\0") {
        return dump("a tar archive of pg_dump", version_in(&glance.head, ""));
    }
    if glance.begins_with("-- PostgreSQL database cluster dump") {
        return Err(bad(glance.path, "is a dump of a whole cluster (pg_dumpall): dump the one database with pg_dump"));
    }
    if !glance.begins_with("-- PostgreSQL database dump") {
        return Ok(None);
    }
    if !glance.ends_with(plain::COMPLETE) {
        return Err(bad(glance.path, &format!("is cut off: its last lines are without `{}`", plain::COMPLETE)));
    }
    dump("a plain dump of pg_dump", version_in(&glance.head, "Dumped from database version "))
}

/// The first number of a server's version behind a text.
fn version_in(head: &[u8], behind: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let rest = text.split_once(behind)?.1;
    let mut words = rest.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let is_version = |word: &&str| {
        let major = word.split_once('.').and_then(|(major, minor)| minor.parse::<u32>().ok().and(major.parse().ok()));
        major.is_some_and(|major: u32| (9..100).contains(&major))
    };
    words.find(is_version).and_then(|word| word.split('.').next()).map(str::to_owned)
}

/// Restores a dump into an empty database. `folder` is for files of its own.
pub(super) async fn restore(dump: &Dump, address: &Address, folder: &Path) -> Result<Vec<String>, EngineError> {
    if dump.title == "a plain dump of pg_dump" {
        return run_script(&dump.path, &dump.path, address).await;
    }
    let script = folder.join("restored.sql");
    let mut program = Program::find("pg_restore", FOLDERS).ok_or_else(|| missing(&dump.path, "pg_restore"))?;
    program.argument("--file").argument(&script).argument("--").argument(&dump.path);
    program.run().await.map_err(|told| bad(&dump.path, &format!("cannot be restored: {told}")))?;
    run_script(&dump.path, &script, address).await
}

/// Runs the script that a dump is, or was turned into, in an empty database.
pub(super) async fn run_script(dump: &Path, script: &Path, address: &Address) -> Result<Vec<String>, EngineError> {
    let scanned = tokio::task::block_in_place(|| plain::scan(script));
    let roles = scanned.map_err(|problem| bad(dump, &problem))?.roles;
    let mut session = Postgres.connect(address).await?;
    let mut notes = Vec::new();
    for role in &roles {
        let literal = PostgresDialect.literal(role);
        let known = session.query(&format!("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {literal}")).await?;
        if known.is_empty() {
            session.execute(&format!("CREATE ROLE {}", PostgresDialect.quote(role))).await?;
            notes.push(format!("the role {role} was made for the dump, without its rights to log in"));
        }
    }
    session.close().await?;
    let mut program = Program::find("psql", FOLDERS).ok_or_else(|| missing(dump, "psql"))?;
    reach(&mut program, address)?;
    for argument in ["--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1", "--file"] {
        program.argument(argument);
    }
    program.argument(script);
    program.run().await.map_err(|told| bad(dump, &format!("cannot be restored: {told}")))?;
    Ok(notes)
}

fn missing(path: &Path, program: &str) -> EngineError {
    bad(
        path,
        &format!("takes `{program}` to restore, which is not installed here: install PostgreSQL's client programs"),
    )
}

/// Tells a program where the database is; the password goes through the environment, where other users do not see it.
pub(super) fn reach(program: &mut Program, address: &Address) -> Result<(), EngineError> {
    let Endpoint::Server { host, user, password, database, tls } = &address.endpoint else {
        return Err(EngineError::BadFile { path: address.to_string(), problem: "is a file, not a server".to_owned() });
    };
    // Beside the server its socket is where the programs look for it.
    if !program.is_contained() {
        let (host, port) = match host {
            Host::Tcp { host, port } => (host.clone(), port),
            Host::Socket { directory, port } => (directory.display().to_string(), port),
        };
        program.argument("--host").argument(host).argument("--port").argument(port.to_string());
        encrypt(program, tls);
    }
    program.argument("--username").argument(user).argument("--dbname").argument(database);
    if let Some(password) = password {
        program.variable("PGPASSWORD", password.reveal());
    }
    Ok(())
}

fn encrypt(program: &mut Program, tls: &Tls) {
    program.variable("PGSSLMODE", super::SERVER.urls.word_of(tls.mode));
    for (variable, file) in [("PGSSLROOTCERT", &tls.root), ("PGSSLCERT", &tls.certificate), ("PGSSLKEY", &tls.key)] {
        if let Some(file) = file {
            program.variable(variable, file.display().to_string());
        }
    }
}
