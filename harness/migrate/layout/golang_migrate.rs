//! golang-migrate: `VERSION_title.up.sql` and `VERSION_title.down.sql`, each sent in one message
//! (<https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md>).

use super::{Entry, Folder, Found, Layout, Ledger, LedgerSql, Likeness, Migration, Transaction, name, numbered};
use crate::{engine, model::EngineId};

/// golang-migrate.
pub struct GolangMigrate;

impl Layout for GolangMigrate {
    fn id(&self) -> &'static str {
        "golang-migrate"
    }

    fn looks_for(&self) -> &'static str {
        "files VERSION_title.up.sql and VERSION_title.down.sql"
    }

    fn recognises(&self, folder: &Folder) -> Likeness {
        let is_named = numbered::pairs(folder).next().is_some();
        if is_named { Likeness::Possible } else { Likeness::None }
    }

    fn ledger(&self) -> Option<&'static dyn Ledger> {
        Some(&GolangMigrate)
    }

    fn read(&self, folder: &Folder, engine: &EngineId, found: &mut Found) {
        // Its driver of an embedded engine puts a transaction around what it sends.
        let is_embedded = engine::by_id(engine.as_str()).is_some_and(|engine| engine.server().is_none());
        let transaction = if is_embedded { Transaction::Around } else { Transaction::OneMessage };
        numbered::read(folder, engine, transaction, found);
        for migration in &mut found.migrations {
            // It keeps versions as numbers.
            migration.version = name::comparable(&migration.version);
        }
    }
}

impl Ledger for GolangMigrate {
    fn table(&self) -> &'static str {
        "schema_migrations"
    }

    fn begin(&self, sql: &LedgerSql) -> Vec<String> {
        let statements = sql.by_word(&[
            (
                "sqlite3",
                "CREATE TABLE IF NOT EXISTS schema_migrations (version uint64, dirty bool);\
                 CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON schema_migrations (version)",
            ),
            ("", "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint not null primary key, dirty boolean not null)"),
        ]);
        statements.split(';').map(str::to_owned).collect()
    }

    fn applied(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        stands_at(Some(entry.migration), sql)
    }

    fn reverted(&self, entry: &Entry<'_>, sql: &LedgerSql) -> Vec<String> {
        stands_at(entry.previous, sql)
    }

    fn is_inside(&self) -> bool {
        false
    }

    fn versions(&self) -> Option<&'static str> {
        Some("version")
    }
}

/// The one row that it keeps: where the database stands.
fn stands_at(migration: Option<&Migration>, sql: &LedgerSql) -> Vec<String> {
    let table = sql.table(&GolangMigrate);
    let insert = migration.map(|one| format!("INSERT INTO {table} (version, dirty) VALUES ({}, FALSE)", one.version));
    std::iter::once(format!("DELETE FROM {table}")).chain(insert).collect()
}
