//! Backups by pg_dump: plain scripts, archives, and folders.

use std::{collections::BTreeSet, fs, path::Path};

use async_trait::async_trait;

use super::{
    Postgres, PostgresDialect, SERVER,
    dump::{FOLDERS, plain, reach, run_script},
    no_server,
};
use crate::{
    engine::{
        Dialect, Engine, EngineError,
        backup::{BackupForm, BackupOrder, BackupPart, Backups, Extent, numbers, version_of, writer},
        dump::bad,
        program::{Program, Wanted},
    },
    model::{Address, Endpoint, TableName},
};

/// Backups of PostgreSQL.
pub(super) struct PostgresBackups;

static CUSTOM: BackupForm = BackupForm { id: "custom", file: "backup.dump" };
const PLAIN: &str = "plain";
const DIRECTORY: &str = "directory";
const FORMS: &[BackupForm] =
    &[CUSTOM, BackupForm { id: PLAIN, file: "backup.sql" }, BackupForm { id: DIRECTORY, file: "backup" }];

const PG_DUMP: Wanted = Wanted { name: "pg_dump", folders: FOLDERS, version, suits };
const PG_RESTORE: Wanted = Wanted { name: "pg_restore", folders: FOLDERS, version, suits };

/// Of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-1)`.
fn version(said: &str) -> Option<String> {
    Some(said.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?.to_owned())
}

/// A program reads what was written by older ones, and by servers of its own or an older version.
fn suits(version: &str, other: &str) -> Option<u32> {
    numbers(version).0.checked_sub(numbers(other).0)
}

#[async_trait]
impl Backups for PostgresBackups {
    fn forms(&self) -> &'static [BackupForm] {
        FORMS
    }

    fn takes_parts(&self) -> bool {
        true
    }

    async fn tool(&self, server: &Address) -> Result<Result<String, String>, EngineError> {
        Ok(writer(&Postgres, &PG_DUMP, server).await?.map(|program| program.told()))
    }

    async fn write(&self, order: &BackupOrder<'_>) -> Result<String, EngineError> {
        let failed = |told: String| bad(order.to, &format!("could not be written: {told}"));
        let mut program = writer(&Postgres, &PG_DUMP, order.address).await?.map_err(failed)?;
        reach(&mut program, order.address)?;
        program.argument("--no-password").argument(format!("--format={}", order.form.id));
        match order.extent.part {
            BackupPart::Whole => {}
            BackupPart::Schema => {
                program.argument("--schema-only");
            }
            BackupPart::Rows => {
                program.argument("--data-only");
            }
        }
        for table in &order.extent.tables {
            // What stands in quotes is no pattern.
            program.argument(format!("--table={}", PostgresDialect.table(&in_schema(table))));
        }
        if let Some(snapshot) = order.snapshot {
            program.argument(format!("--snapshot={snapshot}"));
        }
        let told = program.told();
        if order.form.id == DIRECTORY {
            if program.is_contained() {
                let what =
                    format!("the form `{DIRECTORY}` takes a program of this machine, and {told} is the server's");
                return Err(failed(what));
            }
            program.argument("--file").argument(order.to);
            program.run().await.map_err(failed)?;
        } else {
            program.run_into(None, order.to).await.map_err(failed)?;
        }
        Ok(told)
    }

    async fn look_through(
        &self,
        backup: &Path,
        form: &BackupForm,
        tool: &str,
        extent: &Extent,
        server: &Address,
    ) -> Result<(), EngineError> {
        let has_definitions = extent.part != BackupPart::Rows;
        let missing = if form.id == PLAIN {
            let scanned =
                tokio::task::block_in_place(|| plain::scan(backup)).map_err(|problem| bad(backup, &problem))?;
            let held = if has_definitions { &scanned.tables } else { &scanned.filled };
            extent.tables.iter().find(|table| !held.contains(&in_schema(table)))
        } else {
            let unreadable = |told: String| bad(backup, &format!("cannot be read: {told}"));
            let listed = read(pg_restore(backup, form, tool, server).await?, "--list", backup).await;
            let listed = listed.map_err(unreadable)?;
            // The list stands at the beginning; only who reads all of it finds that its end is missing.
            let all = read(pg_restore(backup, form, tool, server).await?, "--file=/dev/null", backup).await;
            all.map_err(unreadable)?;
            // `215; 1259 16389 TABLE public users postgres`; rows are entries of their own.
            let listed: BTreeSet<&str> = listed.lines().filter(|line| !line.starts_with(';')).collect();
            let is_listed = |table: &&TableName| {
                let TableName { schema, name } = in_schema(table);
                let entry = format!(" {} {name} ", schema.unwrap_or_default());
                let is_it = |line: &&str| line.contains(&entry) && line.contains(" TABLE DATA ") != has_definitions;
                listed.iter().any(is_it)
            };
            extent.tables.iter().find(|table| !is_listed(table))
        };
        match missing {
            Some(table) => Err(bad(backup, &format!("does not hold the table {table}"))),
            None => Ok(()),
        }
    }

    fn is_newer(&self, version: &str, than: &str) -> bool {
        numbers(version).0 > numbers(than).0
    }

    async fn restore(
        &self,
        backup: &Path,
        form: &BackupForm,
        tool: &str,
        address: &Address,
        folder: &Path,
    ) -> Result<Vec<String>, EngineError> {
        if form.id == PLAIN {
            return run_script(backup, backup, address).await;
        }
        let script = folder.join("restored.sql");
        let failed = |told: String| bad(backup, &format!("cannot be restored: {told}"));
        clear(&script).map_err(|error| failed(error.to_string()))?;
        let mut program = pg_restore(backup, form, tool, address).await?;
        program.argument("--file=-");
        let from = if program.is_contained() {
            Some(backup)
        } else {
            program.argument("--").argument(backup);
            None
        };
        program.run_into(from, &script).await.map_err(failed)?;
        let notes = run_script(backup, &script, address).await;
        clear(&script).map_err(|error| failed(error.to_string()))?;
        notes
    }

    async fn anew(&self, address: &Address, like: &Address) -> Result<Vec<String>, EngineError> {
        let Endpoint::Server { database, .. } = &address.endpoint else { return Err(no_server(address)) };
        let mut session = Postgres.connect(like).await?;
        let name = PostgresDialect.literal(database);
        let rows = session.query(&include_str!("anew.sql").replace(":name", &name)).await?;
        session.close().await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().nth(1).flatten()).collect())
    }

    async fn make_anew(&self, address: &Address, statements: &[String]) -> Result<(), EngineError> {
        let mut session = Postgres.connect(&address.with_database(SERVER.maintenance_database)).await?;
        for statement in statements {
            session.execute(statement).await?;
        }
        session.close().await
    }
}

/// The program that reads what this one wrote.
async fn pg_restore(backup: &Path, form: &BackupForm, tool: &str, server: &Address) -> Result<Program, EngineError> {
    let failed = |told: String| bad(backup, &format!("cannot be read: {told}"));
    let program = Program::suiting(&PG_RESTORE, version_of(tool), server).await.map_err(failed)?;
    if form.id == DIRECTORY && program.is_contained() {
        let what = format!("a folder takes a program of this machine, and {} is the server's", program.told());
        return Err(failed(what));
    }
    Ok(program)
}

/// What a program tells of an archive.
async fn read(mut program: Program, how: &str, backup: &Path) -> Result<String, String> {
    program.argument(how);
    if program.is_contained() {
        return program.run_lines(Some(backup)).await;
    }
    program.argument("--").argument(backup);
    program.run_lines(None).await
}

/// A table as dumps name it.
fn in_schema(table: &TableName) -> TableName {
    let schema = table.schema.clone().unwrap_or_else(|| super::DEFAULT_SCHEMA.to_owned());
    TableName::in_schema(schema, table.name.clone())
}

fn clear(file: &Path) -> std::io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_suit_servers_that_are_not_newer() {
        let said = "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(version(said).as_deref(), Some("15.18"));
        assert_eq!(suits("17.2", "15.18"), Some(2));
        assert_eq!(suits("15.18", "15.2 (Debian)"), Some(0));
        assert_eq!(suits("15.18", "17.2"), None);
    }
}
